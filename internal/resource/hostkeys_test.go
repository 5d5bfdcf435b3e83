package resource

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/stack"
)

func TestHostKeysAreReadFromTheLastCompleteBlock(t *testing.T) {
	line := func() (string, ssh.PublicKey) {
		public, err := generate(filepath.Join(t.TempDir(), "key"), "test")
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))), public
	}
	old, _ := line()
	text, want := line()
	const prefix = "[   12.3] cloud-init[500]: "
	console := "Linux version 6.1\r\n" + keysBegin + "\r\n" + old + " root@ip\r\n" + keysEnd + "\r\n" +
		prefix + keysBegin + "\r\n" + prefix + text + " root@ip-10-0-1-9\r\ngarbage\r\n" + keysEnd + "\r\n" +
		keysBegin + "\r\n" + old // cut off
	got := HostKeys(base64.StdEncoding.EncodeToString([]byte(console)))
	if len(got) != 1 || string(got[0].Marshal()) != string(want.Marshal()) {
		t.Errorf("got %v", got)
	}
	for _, none := range []string{"", "!", base64.StdEncoding.EncodeToString([]byte("login: "))} {
		if got := HostKeys(none); got != nil {
			t.Errorf("%q: got %v", none, got)
		}
	}
}

// console is the console and the tag of an instance of a type without a live console.
type console struct {
	instanceAPI
	tagAPI
	keys   []ssh.PublicKey
	posted time.Time // when the console is posted
	kept   string
}

func (c *console) GetConsoleOutput(
	_ context.Context, in *ec2.GetConsoleOutputInput, _ ...func(*ec2.Options),
) (*ec2.GetConsoleOutputOutput, error) {
	if aws.ToBool(in.Latest) {
		return nil, &smithy.GenericAPIError{Code: "UnsupportedOperation"}
	}
	text := ""
	if !time.Now().Before(c.posted) {
		text = keysBegin + "\n"
		for _, key := range c.keys {
			text += string(ssh.MarshalAuthorizedKey(key))
		}
		text += keysEnd + "\n"
	}
	return &ec2.GetConsoleOutputOutput{Output: aws.String(base64.StdEncoding.EncodeToString([]byte(text)))}, nil
}

func (c *console) CreateTags(
	_ context.Context, in *ec2.CreateTagsInput, _ ...func(*ec2.Options),
) (*ec2.CreateTagsOutput, error) {
	c.kept = tagValue(in.Tags, stack.TagHostKey)
	return &ec2.CreateTagsOutput{}, nil
}

func publicKey(t *testing.T, key crypto.Signer) ssh.PublicKey {
	t.Helper()
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return public
}

func TestHostKeysOutliveTheConsole(t *testing.T) {
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, short, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := &console{
			keys: []ssh.PublicKey{publicKey(t, long), publicKey(t, short)}, posted: time.Now().Add(4 * time.Minute),
		}
		cloud := &Cloud{EC2: EC2{instanceAPI: c, tagAPI: c}}
		waits := 0
		keys, err := cloud.HostKeys(t.Context(), "i-1", "", consoleLimit, func() { waits++ })
		if err != nil || len(keys) != 2 || waits == 0 {
			t.Fatalf("%d keys after %d waits, %v", len(keys), waits, err)
		}
		if want := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(c.keys[1]))); c.kept != want {
			t.Errorf("kept %q, want %q", c.kept, want)
		}
		c.posted = time.Now().Add(time.Hour) // a stop has lost the console
		keys, err = cloud.HostKeys(t.Context(), "i-1", c.kept, consoleLimit, nil)
		if err != nil || len(keys) != 1 || string(keys[0].Marshal()) != string(c.keys[1].Marshal()) {
			t.Errorf("from the tag: %v, %v", keys, err)
		}
		_, err = cloud.HostKeys(t.Context(), "i-1", "", consoleLimit, nil)
		var late *awsapi.TimeoutError
		if !errors.As(err, &late) {
			t.Errorf("without tag and console: %v", err)
		}
	})
}
