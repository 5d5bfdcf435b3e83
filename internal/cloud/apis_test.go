//go:build linux

package cloud

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// openAPIs returns a daemon that accepts any credentials, with its APIs.
func openAPIs(t *testing.T) *daemon {
	t.Helper()
	layout, err := host.LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	events, err := eventlog.Open(layout.LogEvents(), maxLogEvents)
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{
		events: events,
		Config: Config{Layout: layout, AcceptAnyCredentials: true, Log: slog.New(slog.DiscardHandler)}, store: s,
	}
	if err := errors.Join(d.openObjects(), d.openAPIs()); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMachinesNeedAKeyEvenIfTheHostNeedsNone(t *testing.T) {
	d := openAPIs(t)
	keys, err := host.EnsureCredentials(d.Layout)
	if err != nil {
		t.Fatal(err)
	}
	account := ""
	call := func(handler http.Handler, id, secret string) error {
		server := httptest.NewServer(handler)
		defer server.Close()
		config := wiretest.Client(t, homeRegion, server.URL)
		config.Credentials = credentials.NewStaticCredentialsProvider(id, secret, "")
		who, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if err == nil {
			account = *who.Account
		}
		return err
	}
	if err := call(d.onHost, "any", "any"); err != nil {
		t.Errorf("any key on the host: got %v", err)
	}
	if err := call(d.onHost, theirAccount, "any"); err != nil || account != identity.Account {
		t.Errorf("a key like an account: got account %s, %v", account, err)
	}
	if err := call(d.inVPC, "any", "any"); err == nil {
		t.Error("any key in a VPC is accepted")
	}
	if err := call(d.inVPC, keys.AccessKeyID, "guessed"); err == nil {
		t.Error("the host's key with another secret is accepted in a VPC")
	}
	if err := call(d.inVPC, keys.AccessKeyID, keys.SecretAccessKey); err != nil {
		t.Errorf("a key with its secret in a VPC: got %v", err)
	}
}

func TestTheMetadataAddressNamesTheAPIsInVPCsOnly(t *testing.T) {
	d := openAPIs(t)
	get := func(handler http.Handler, url string) (code int, body string) {
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))
		return response.Code, response.Body.String()
	}
	const unsigned = "/?Action=DescribeVpcs&Version=2016-11-15"
	if code, body := get(d.onHost, machineEndpoint+unsigned); !strings.Contains(body, "Host header") {
		t.Errorf("on the host: got %d %s, want a refusal of the Host header", code, body)
	}
	if code, body := get(d.inVPC, machineEndpoint+unsigned); !strings.Contains(body, "MissingAuthenticationToken") {
		t.Errorf("in a VPC: got %d %s, want a refusal of the missing signature", code, body)
	}
	// The daemon's status is not signed, and machines must not see it.
	if code, body := get(d.inVPC, machineEndpoint+host.StatusPath); code == http.StatusOK {
		t.Errorf("status in a VPC: got %d %s", code, body)
	}
}
