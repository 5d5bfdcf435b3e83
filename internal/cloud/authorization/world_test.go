package authorization_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	acmapi "aloft.dev/aloft/internal/cloud/api/acm"
	"aloft.dev/aloft/internal/cloud/api/autoscaling"
	ec2api "aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/api/elbv2"
	iamapi "aloft.dev/aloft/internal/cloud/api/iam"
	s3api "aloft.dev/aloft/internal/cloud/api/s3"
	secretsapi "aloft.dev/aloft/internal/cloud/api/secretsmanager"
	snsapi "aloft.dev/aloft/internal/cloud/api/sns"
	ssmapi "aloft.dev/aloft/internal/cloud/api/ssm"
	stsapi "aloft.dev/aloft/internal/cloud/api/sts"
	"aloft.dev/aloft/internal/cloud/authorization"
	"aloft.dev/aloft/internal/cloud/objectfile"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/webidentity"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

const region = "us-east-1"

// world is a local cloud without planes, with its clients.
type world struct {
	t        *testing.T
	store    *store.Store
	ec2      *ec2api.API
	url      string
	log      *bytes.Buffer
	past     time.Duration // how far the issuer of credentials is behind
	any      bool          // accept any credentials
	accounts bool          // every account has a key

	ahead atomic.Int64 // by how many seconds the clock is ahead

	sessions *session.Issuer
	managed  map[string]string
	keys     map[string][]byte // of OpenID Connect providers, by their URL
	public   string            // an image
}

func newWorld(t *testing.T, change ...func(*world)) *world {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := session.NewIssuer(bytes.Repeat([]byte{7}, session.KeySize), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, store: s, sessions: sessions, log: &bytes.Buffer{}, managed: map[string]string{},
		keys: map[string][]byte{},
	}
	for _, c := range change {
		c(w)
	}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	key := seal.NewRandomKey()
	files, err := objectfile.Open(t.TempDir(), seal.NewSecret())
	if err != nil {
		t.Fatal(err)
	}
	guard := authorization.New(authorization.Config{
		Store: s, Sessions: sessions, Seal: key, Log: log, Now: w.now,
		Managed: func(arn string) (string, bool) { text, ok := w.managed[arn]; return text, ok },
	})
	w.ec2 = ec2api.New(ec2api.Config{
		Store: s, PublicRange: netip.MustParsePrefix("198.18.0.0/15"),
		Images: []ec2api.BaseImage{{
			Base: "debian-12", Name: "debian", Owner: "136693071363", Architecture: "x86_64", RootDevice: "/dev/xvda",
			SizeGiB: 8, Parameters: []string{"/aws/service/debian/release/12/latest/amd64"},
		}},
		PassRole: func(ctx context.Context, role *store.Role, to string) error {
			return guard.PassRole(ctx, "ec2", role, to)
		},
		Authorize: guard.Authorize,
	})
	if err := w.ec2.EnsureRegion(region); err != nil {
		t.Fatal(err)
	}
	handler, err := wire.NewHandler(wire.Config{
		Around: guard.Around, AcceptAnyCredentials: w.any, AccountKeys: w.accounts, Log: log,
		Services: []wire.Service{
			{Name: "ec2", API: w.ec2},
			{Name: "ssm", API: ssmapi.New(ssmapi.Config{Store: s, EnsureRegion: w.ec2.EnsureRegion})},
			{Name: "sns", API: snsapi.New(snsapi.Config{Store: s})},
			{Name: "s3", API: s3api.New(s3api.Config{Store: s, Files: files, Log: log})},
			{Name: "secretsmanager", API: secretsapi.New(secretsapi.Config{Store: s, Key: key})},
			{Name: "acm", API: acmapi.New(acmapi.Config{Store: s})},
			{Name: "autoscaling", API: autoscaling.New(autoscaling.Config{Store: s, Templates: w.ec2})},
			{Name: "elasticloadbalancing", API: elbv2.New(elbv2.Config{Store: s})},
			{Name: "iam", API: iamapi.New(iamapi.Config{Store: s, Keys: sessions, Seal: key, Now: w.now})},
			{Name: "sts", API: stsapi.New(stsapi.Config{
				Store: s, Sessions: sessions, AssumeRole: guard.AssumeRole, SecondFactor: guard.SecondFactor,
				PolicyExists: guard.PolicyExists, AssumeRoleFor: guard.AssumeRoleFor,
				ProviderKeys: func(url string) (webidentity.Keys, error) { return webidentity.ParseKeys(w.keys[url]) },
				Now:          func() time.Time { return w.now().Add(-w.past) },
			}), Anonymous: stsapi.Anonymous},
		},
		Credentials: func(id, token string) (wire.Key, error) {
			if id == "key" && token == "" {
				return wire.Key{Secret: "secret"}, nil
			}
			return guard.Key(id, token)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	w.url = server.URL
	for _, row := range store.Images.List(s.View()) {
		w.public = row.ID
	}
	w.put(func(tx *store.Tx) {
		store.Images.Edit(tx, w.public, func(row *store.Image) {
			row.State = "available"
			store.Snapshots.Edit(tx, row.SnapshotID, func(s *store.Snapshot) {
				s.State, s.Layers = "completed", []string{"base"}
			})
		})
	})
	return w
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load()) * time.Second) }

func (w *world) put(change func(tx *store.Tx)) {
	w.t.Helper()
	if err := w.store.Update(func(tx *store.Tx) error { change(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

const trustsAccount = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
	`"Principal":{"AWS":"000000000000"}}]}`

// policy returns a document of statements.
func policy(statements string) string {
	return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
}

func allow(action, resource string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
}

// role creates a role with inline statements that trusts the account.
func (w *world) role(name, statements string, change ...func(*store.Role)) *store.Role {
	w.t.Helper()
	role := &store.Role{
		Name: name, Path: "/", ID: "AROA" + name, ARN: "arn:aws:iam::000000000000:role/" + name,
		Trust: trustsAccount, MaxSession: 3600,
		Permissions: store.Permissions{Inline: map[string]string{}},
	}
	if statements != "" {
		role.Inline["inline"] = policy(statements)
	}
	for _, c := range change {
		c(role)
	}
	w.put(func(tx *store.Tx) { store.Roles.Put(tx, role) })
	return role
}

// root returns the configuration of a client with the account's own key.
func (w *world) root() aws.Config { return wiretest.Client(w.t, region, w.url) }

// as returns the configuration of a client with credentials.
func (w *world) as(id, secret, token string) aws.Config {
	c := w.root()
	c.Credentials = credentials.NewStaticCredentialsProvider(id, secret, token)
	return c
}

// assume returns the configuration of a client with a session of a role, which the
// account's key assumes.
func (w *world) assume(role *store.Role) aws.Config {
	w.t.Helper()
	out, err := sts.NewFromConfig(w.root()).AssumeRole(w.t.Context(), &sts.AssumeRoleInput{
		RoleArn: &role.ARN, RoleSessionName: aws.String("test"),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	c := out.Credentials
	return w.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

func (w *world) parameter(name, tag string) {
	w.t.Helper()
	w.put(func(tx *store.Tx) {
		store.Parameters.Put(tx, &store.Parameter{
			Region: region, Name: name, Type: "String", Value: "v", DataType: "text", Version: 1,
			Tags: store.Tags{"team": tag},
		})
	})
}

// refusal returns "code: message" of an API's error, and "" for nil.
func refusal(err error) string {
	if err == nil {
		return ""
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return err.Error()
}

func (w *world) want(what string, err error, want string) {
	w.t.Helper()
	if got := refusal(err); got != want {
		w.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func getParameter(ctx context.Context, c aws.Config, name string) error {
	_, err := ssm.NewFromConfig(c).GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	return err
}

func describeInstances(ctx context.Context, c aws.Config) error {
	_, err := ec2.NewFromConfig(c).DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	return err
}
