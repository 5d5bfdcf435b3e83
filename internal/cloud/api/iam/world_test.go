package iam_test

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"aloft.dev/aloft/internal/cloud/api/iam"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// now is the time that IAM records.
var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const (
	trust = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
	  "Principal": {"Service": "ec2.amazonaws.com"}}}`
	document = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`
	core     = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
	admin    = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// world is an API over HTTP, with its store.
type world struct {
	*client.Client
	t     *testing.T
	store *store.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	keys, err := session.NewIssuer(bytes.Repeat([]byte{7}, session.KeySize), nil)
	if err != nil {
		t.Fatal(err)
	}
	api := iam.New(iam.Config{Store: s, Keys: keys, Now: func() time.Time { return now.Add(7 * time.Millisecond) }})
	service := wire.Service{Name: "iam", API: api}
	return &world{client.NewFromConfig(wiretest.Serve(t, "us-east-1", service)), t, s}
}

// must fails the test if an operation fails.
func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func (w *world) role(name string) {
	w.t.Helper()
	must(w.CreateRole(w.t.Context(), &client.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: new(trust),
	}))(w.t)
}

func (w *world) user(name string) {
	w.t.Helper()
	must(w.CreateUser(w.t.Context(), &client.CreateUserInput{UserName: &name}))(w.t)
}

func (w *world) group(name string) {
	w.t.Helper()
	must(w.CreateGroup(w.t.Context(), &client.CreateGroupInput{GroupName: &name}))(w.t)
}

// join puts a user into a group.
func (w *world) join(user, group string) error {
	_, err := w.AddUserToGroup(w.t.Context(), &client.AddUserToGroupInput{UserName: &user, GroupName: &group})
	return err
}

func (w *world) profile(name string) {
	w.t.Helper()
	must(w.CreateInstanceProfile(w.t.Context(), &client.CreateInstanceProfileInput{
		InstanceProfileName: &name,
	}))(w.t)
}

// policy creates a policy and returns its ARN.
func (w *world) policy(name string) string {
	w.t.Helper()
	return *must(w.CreatePolicy(w.t.Context(), &client.CreatePolicyInput{
		PolicyName: &name, PolicyDocument: new(document),
	}))(w.t).Policy.Arn
}

func (w *world) attach(role, arn string) error {
	_, err := w.AttachRolePolicy(w.t.Context(), &client.AttachRolePolicyInput{RoleName: &role, PolicyArn: &arn})
	return err
}

// refused checks the status, the code and the start of the message of an error:
// "404 NoSuchEntity The role".
func refused(t *testing.T, what string, err error, want string) {
	t.Helper()
	failure, _ := errors.AsType[smithy.APIError](err)
	response, _ := errors.AsType[*smithyhttp.ResponseError](err)
	if failure == nil || response == nil {
		t.Errorf("%s: got %v, want %s", what, err, want)
		return
	}
	got := strings.Join([]string{
		response.HTTPResponse().Status[:3], failure.ErrorCode(), failure.ErrorMessage(),
	}, " ")
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// decoded returns a document of a response as it was put. Responses encode spaces as
// %20, not as +.
func decoded(t *testing.T, text *string) string {
	t.Helper()
	if strings.ContainsAny(*text, "+ {") {
		t.Errorf("%q is not encoded as RFC 3986 says", *text)
	}
	out, err := url.PathUnescape(*text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
