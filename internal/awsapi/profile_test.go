package awsapi

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/diag"
)

const configFile = `
[default]
region = eu-west-3

[profile work]
region = eu-west-1
source_profile = keys
role_arn = arn:aws:iam::123456789012:role/deploy

[profile keys]
aws_access_key_id = AKIAKEYS
aws_secret_access_key = secret

[profile mfa]
source_profile = keys
role_arn = arn:aws:iam::123456789012:role/deploy
mfa_serial = arn:aws:iam::123456789012:mfa/ada

[profile legacy]
sso_start_url = https://example.awsapps.com/start
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = Deploy

[sso-session corp]
sso_start_url = https://example.awsapps.com/start
sso_region = us-east-1

[profile sso]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Deploy

[profile through]
source_profile = sso
role_arn = arn:aws:iam::123456789012:role/deploy

[profile broken]
source_profile = gone
role_arn = arn:aws:iam::123456789012:role/deploy
`

// useFiles makes the SDK read configFile and nothing else.
func useFiles(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	path := filepath.Join(home, "config")
	if err := os.WriteFile(path, []byte(configFile), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range os.Environ() {
		if name, _, _ = strings.Cut(name, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			_ = os.Unsetenv(name)
		}
	}
	for name, value := range map[string]string{
		"HOME": home, "AWS_CONFIG_FILE": path, "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(home, "credentials"),
		"AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

// fakeSTS serves AssumeRole, which checks the MFA code, and GetCallerIdentity, which
// accepts only what AssumeRole returned. It returns its URL.
func fakeSTS(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		refuse := func(code string) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprintf(w,
				`<ErrorResponse><Error><Code>%s</Code><Message>refused</Message></Error></ErrorResponse>`, code)
		}
		assumed := strings.Contains(r.Header.Get("Authorization"), "Credential=ASIAROLE/")
		switch {
		case form.Get("Action") == "AssumeRole" && form.Get("SerialNumber") != "" && form.Get("TokenCode") != "123456":
			refuse("AccessDenied")
		case form.Get("Action") == "AssumeRole":
			_, _ = io.WriteString(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials>`+
				`<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>`+
				`<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
		case form.Get("Action") == "GetCallerIdentity" && assumed:
			_, _ = io.WriteString(w, `<GetCallerIdentityResponse><GetCallerIdentityResult>`+
				`<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
		default:
			refuse("InvalidClientTokenId")
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestProfiles(t *testing.T) {
	useFiles(t)
	endpoint := fakeSTS(t)
	code := func(code string) func(string) (string, error) {
		return func(serial string) (string, error) {
			if serial != "arn:aws:iam::123456789012:mfa/ada" {
				t.Errorf("the code of %q was asked for", serial)
			}
			return code, nil
		}
	}
	for _, test := range []struct {
		profile string
		code    func(string) (string, error)
		want    []string // in the error; none if it works
	}{
		{"work", nil, nil},
		{"mfa", code("123456"), nil},
		{"mfa", code("000000"), []string{"profile mfa", "assume its role", "AccessDenied", "the MFA code"}},
		{"mfa", nil, []string{"profile mfa", "needs the code of an MFA device", "on a terminal"}},
		{"legacy", nil, []string{"profile legacy", "has expired, or never happened", "aws sso login --profile legacy"}},
		{"sso", nil, []string{"profile sso", "has expired, or never happened", "aws sso login --profile sso"}},
		{"through", nil, []string{"profile through", "aws sso login --profile sso"}},
		{"wrong", nil, []string{"profile wrong", "does not exist", "broken, default, keys, legacy, mfa", "--profile"}},
		{"broken", nil, []string{"source_profile"}},
		{"default", nil, []string{"credentials", "there are none for AWS", "aws sso login"}},
	} {
		c, err := New(t.Context(), Options{Profile: test.profile, Endpoint: endpoint, TokenCode: test.code})
		if err == nil {
			err = c.Authenticate(t.Context())
		}
		wantWords(t, test.profile, err, test.want)
	}
}

// wantWords checks that the diagnostics in err contain the words, or that err is nil if
// there are none.
func wantWords(t *testing.T, name string, err error, words []string) {
	t.Helper()
	if (err == nil) != (len(words) == 0) {
		t.Errorf("%s: got %v, want %q", name, err, words)
		return
	}
	var text strings.Builder
	for _, d := range diag.From(err) {
		_, _ = fmt.Fprintf(&text, "%s\n%s\n%s\n", d.Error(), d.Detail, d.Hint)
	}
	for _, word := range words {
		if !strings.Contains(text.String(), word) {
			t.Errorf("%s: got %q, want %q in it", name, text.String(), word)
		}
	}
}

func TestRegionPrecedence(t *testing.T) {
	for _, test := range []struct {
		name        string
		environment map[string]string
		options     Options
		region      string
		from        RegionSource
	}{
		{
			"given", map[string]string{"AWS_REGION": "eu-west-2"}, Options{Region: "eu-central-1"},
			"eu-central-1", RegionGiven,
		},
		{
			"environment before profile", map[string]string{"AWS_REGION": "eu-west-2"}, Options{Profile: "work"},
			"eu-west-2", RegionFromEnvironment,
		},
		{
			"second variable", map[string]string{"AWS_DEFAULT_REGION": "eu-west-2"}, Options{},
			"eu-west-2", RegionFromEnvironment,
		},
		{"profile", nil, Options{Profile: "work"}, "eu-west-1", RegionFromProfile},
		{"default profile", nil, Options{}, "eu-west-3", RegionFromProfile},
		{"nothing", nil, Options{Profile: "keys"}, "us-east-1", RegionFromDefault},
	} {
		t.Run(test.name, func(t *testing.T) {
			useFiles(t)
			for name, value := range test.environment {
				t.Setenv(name, value)
			}
			test.options.DefaultRegion = "us-east-1"
			c, err := New(t.Context(), test.options)
			if err != nil {
				t.Fatal(err)
			}
			if c.Region != test.region || c.RegionFrom != test.from {
				t.Errorf("got %s from %s, want %s from %s", c.Region, c.RegionFrom, test.region, test.from)
			}
		})
	}
}

func TestEndpoints(t *testing.T) {
	useFiles(t)
	c, err := New(t.Context(), Options{Profile: "keys"})
	if err != nil || len(c.Endpoints()) != 0 {
		t.Errorf("got %v, %v, want no endpoints", c.Endpoints(), err)
	}
	t.Setenv("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:1")
	if c, err = New(t.Context(), Options{Profile: "keys"}); err != nil || c.Endpoints()["EC2"] != "http://127.0.0.1:1" {
		t.Errorf("got %v, %v, want EC2's endpoint", c.Endpoints(), err)
	}
	c, err = New(t.Context(), Options{Profile: "keys", Endpoint: "https://aws.example.com"})
	if err != nil || len(c.Endpoints()) != 14 || c.Endpoints()["EC2"] != "https://aws.example.com" {
		t.Errorf("got %v, %v, want one endpoint for all services", c.Endpoints(), err)
	}
}

// Clients with credentials of their own, such as those of the local cloud, do not
// depend on what is set for AWS.
func TestGivenCredentialsNeedNoFiles(t *testing.T) {
	useFiles(t)
	t.Setenv("AWS_PROFILE", "gone")
	t.Setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
	keys, err := New(t.Context(), Options{Profile: "keys"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(t.Context(), Options{
		Region: "us-east-1", Endpoint: fakeSTS(t), Credentials: keys.config.Credentials,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.STS.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if Code(err) != "InvalidClientTokenId" {
		t.Errorf("got %v, want the answer of the endpoint", err)
	}
}
