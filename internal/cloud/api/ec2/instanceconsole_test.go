package ec2

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestConsoleOutputIsEmptyUntilTheInstanceHasRun(t *testing.T) {
	r := newRemote(t)
	id := *r.launch(1)[0].InstanceId
	fail := false
	r.cloud.Console = func(context.Context, string) ([]byte, error) {
		if fail {
			return nil, errors.New("disk on fire")
		}
		return []byte("login:"), nil
	}
	if out := doRemote(r, r.GetConsoleOutput, &ec2.GetConsoleOutputInput{InstanceId: &id}); out.Output != nil ||
		*out.InstanceId != id {
		t.Errorf("console %+v", out)
	}
	r.cloud.observe(id, store.Running)
	out := doRemote(r, r.GetConsoleOutput, &ec2.GetConsoleOutputInput{InstanceId: &id, Latest: aws.Bool(true)})
	if text, err := base64.StdEncoding.DecodeString(aws.ToString(out.Output)); string(text) != "login:" || err != nil ||
		!out.Timestamp.Equal(noon) {
		t.Errorf("console %q at %v: %v", text, out.Timestamp, err)
	}
	fail = true
	wantRemoteError(r, r.GetConsoleOutput, &ec2.GetConsoleOutputInput{InstanceId: &id}, "InternalError:")
	wantRemoteError(r, r.GetConsoleOutput, &ec2.GetConsoleOutputInput{},
		"MissingParameter: The request must contain the parameter instanceId")
	wantRemoteError(r, r.GetConsoleOutput, &ec2.GetConsoleOutputInput{InstanceId: aws.String(noInstance)},
		"InvalidInstanceID.NotFound:")
	wantRemoteError(r, r.GetConsoleOutput, &ec2.GetConsoleOutputInput{InstanceId: &id, DryRun: aws.Bool(true)}, dryRun)
	r.cloud.observe(id, store.Terminated)
	if out := doRemote(r, r.GetConsoleOutput, &ec2.GetConsoleOutputInput{InstanceId: &id}); out.Output != nil {
		t.Errorf("after its end: console %+v", out)
	}
}
