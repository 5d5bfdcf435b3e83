package ec2instanceconnect_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect"
	"github.com/aws/smithy-go"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/cloud/activekey"
	"aloft.dev/aloft/internal/cloud/api/ec2instanceconnect"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// input abbreviates the input of the operation.
type input = client.SendSSHPublicKeyInput

// The errors that tests expect.
const (
	invalid  = "InvalidArgsException"
	notFound = "EC2InstanceNotFoundException"
	badState = "EC2InstanceStateInvalidException"
)

func line(t *testing.T, public any) string {
	t.Helper()
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

func newEd25519(t *testing.T) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return line(t, public)
}

func TestSendSSHPublicKey(t *testing.T) {
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(tx *store.Tx) error {
		for id, state := range map[string]string{
			"i-0123456789abcdef0": store.Running, "i-0123456789abcdef1": store.Stopped,
			"i-0123456789abcdef2": store.Terminated,
		} {
			store.Instances.Put(tx, &store.Instance{ID: id, Region: "us-east-1", Zone: "us-east-1a", State: state})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var keys activekey.Set
	api := ec2instanceconnect.New(ec2instanceconnect.Config{Store: s, Keys: &keys})
	c := client.NewFromConfig(wiretest.Serve(t, "us-east-1", wire.Service{Name: "ec2-instance-connect", API: api}))
	good := newEd25519(t)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*input)
		code   string // of the error
	}{
		"a key":             {func(*input) {}, ""},
		"its comment":       {func(in *input) { in.SSHPublicKey = aws.String(good + " me@here") }, ""},
		"the zone":          {func(in *input) { in.AvailabilityZone = aws.String("us-east-1a") }, ""},
		"another zone":      {func(in *input) { in.AvailabilityZone = aws.String("us-east-1b") }, invalid},
		"not a zone":        {func(in *input) { in.AvailabilityZone = aws.String("here it is") }, invalid},
		"no instance":       {func(in *input) { in.InstanceId = aws.String("i-0123456789abcdef9") }, notFound},
		"not an id":         {func(in *input) { in.InstanceId = aws.String("server-0001") }, invalid},
		"a stopped one":     {func(in *input) { in.InstanceId = aws.String("i-0123456789abcdef1") }, badState},
		"a terminated one":  {func(in *input) { in.InstanceId = aws.String("i-0123456789abcdef2") }, notFound},
		"a path as user":    {func(in *input) { in.InstanceOSUser = aws.String("../../x") }, invalid},
		"a short key":       {func(in *input) { in.SSHPublicKey = aws.String("ssh-ed25519 AAAA") }, invalid},
		"no key":            {func(in *input) { in.SSHPublicKey = aws.String(strings.Repeat("x", 100)) }, invalid},
		"two keys":          {func(in *input) { in.SSHPublicKey = aws.String(good + "\n" + good) }, invalid},
		"a key with a task": {func(in *input) { in.SSHPublicKey = aws.String(`command="id" ` + good) }, invalid},
		"a weak key":        {func(in *input) { in.SSHPublicKey = aws.String(line(t, &small.PublicKey)) }, invalid},
	} {
		t.Run(name, func(t *testing.T) {
			keys = activekey.Set{}
			in := &client.SendSSHPublicKeyInput{
				InstanceId: aws.String("i-0123456789abcdef0"), InstanceOSUser: aws.String("admin"), SSHPublicKey: &good,
			}
			test.change(in)
			out, err := c.SendSSHPublicKey(t.Context(), in)
			if test.code != "" {
				var answer smithy.APIError
				if !errors.As(err, &answer) || answer.ErrorCode() != test.code {
					t.Errorf("got %v, want %s", err, test.code)
				}
				if keys.Of(*in.InstanceId) != nil {
					t.Error("a refused key is active")
				}
				return
			}
			if err != nil || !out.Success || aws.ToString(out.RequestId) == "" {
				t.Fatalf("got %+v, %v", out, err)
			}
			if got := keys.Of(*in.InstanceId)["admin"]; len(got) != 1 || got[0] != good {
				t.Errorf("active: %q", got)
			}
		})
	}
}
