package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"aloft.dev/aloft/internal/diag"
)

// failure returns an error as the SDK returns it.
func failure(status int, code string) error {
	response := &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      &smithy.GenericAPIError{Code: code, Message: "AWS's message"},
	}
	return &smithy.OperationError{ServiceID: "EC2", OperationName: "CreateVpc", Err: response}
}

func TestExplainNamesOperationCauseAndRemedy(t *testing.T) {
	for code, test := range map[string]struct {
		status int
		hint   string
	}{
		"UnauthorizedOperation":        {403, "ask for the permission ec2:CreateVpc"},
		"VpcLimitExceeded":             {400, "Service Quotas"},
		"RequestLimitExceeded":         {503, "again in a minute"},
		"InsufficientInstanceCapacity": {500, "no capacity"},
		"InsufficientFreeAddresses":    {400, "no free address"},
		"MaxSpotInstanceCountExceeded": {400, "Service Quotas"},
		"DependencyViolation":          {400, "something else uses it"},
		"InvalidVpcID.NotFound":        {400, "does not show it yet"},
		"InternalFailure":              {500, "could not process the request"},
		"InvalidParameterValue":        {400, "correct what its message names"},
	} {
		list := Explain("vpc", fmt.Errorf("create VPC: %w", failure(test.status, code)))
		d := list[0]
		if len(list) != 1 || d.Where != "vpc" || d.Summary != "create VPC" ||
			d.Detail != "ec2:CreateVpc: "+code+": AWS's message" || !strings.Contains(d.Hint, test.hint) {
			t.Errorf("%s: got %+v", code, d)
		}
	}
	bare := Explain("", failure(400, "InvalidParameterValue"))[0]
	if bare.Summary != "the request ec2:CreateVpc failed" {
		t.Errorf("an error that says nothing of what was attempted: got %+v", bare)
	}
}

func TestExplainGivesEveryErrorARemedy(t *testing.T) {
	for name, err := range map[string]error{
		"canceled":    fmt.Errorf("wait: %w", context.Canceled),
		"credentials": errors.New("get identity: get credentials: no EC2 IMDS role found"),
		"connection":  &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"time-out":    fmt.Errorf("wait: %w", &TimeoutError{}),
		"permission":  fmt.Errorf("write x: %w", fs.ErrPermission),
		"disk":        fmt.Errorf("write x: %w", syscall.ENOSPC),
		"unknown":     errors.New("no"),
	} {
		d := Explain("", err)[0]
		if d.Summary == "" || d.Hint == "" || !errors.Is(d, err) {
			t.Errorf("%s: got %+v", name, d)
		}
	}
}

func TestExplainKeepsDiagnostics(t *testing.T) {
	problem := diag.List{{Where: "server-1", Summary: "is broken", Hint: "repair it"}}
	if got := Explain("x", fmt.Errorf("up: %w", problem)); len(got) != 1 || *got[0] != *problem[0] {
		t.Errorf("got %v", got)
	}
}
