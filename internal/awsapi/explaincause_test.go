package awsapi_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"aloft.dev/aloft/internal/awsapi"
)

// listAlarmsError returns the error that listing alarms returns for a cause.
func listAlarmsError(cause error) error {
	return fmt.Errorf("list the alarms of aloft-shop: %w", &smithy.OperationError{
		ServiceID: "CloudWatch", OperationName: "DescribeAlarms", Err: cause,
	})
}

func responseError(status int, code string) error {
	return &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      &smithy.GenericAPIError{Code: code, Message: "the message"},
	}
}

func TestExplainKeepsCausesWithoutAnAWSCode(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	detail := func(code string) string { return "cloudwatch:DescribeAlarms: " + code + ": the message" }
	for name, c := range map[string]struct {
		cause  error
		detail string
		hint   string
	}{
		"unsupported": {responseError(404, "UnknownError"), detail("UnknownError"), "AWS_ENDPOINT_URL"},
		"no server":   {&smithyhttp.RequestSendError{Err: refused}, "connection refused", "connection"},
		"unreadable":  {&smithy.DeserializationError{Err: errors.New("not XML")}, "not XML", "connection"},
		"late":        {context.DeadlineExceeded, "deadline exceeded", "again"},
		"other":       {errors.New("serialization failed"), "serialization failed", "again"},
	} {
		problems := awsapi.Explain("scaling-group", listAlarmsError(c.cause))
		p := problems[0]
		if len(problems) != 1 || p.Where != "scaling-group" || p.Summary != "list the alarms of aloft-shop" {
			t.Errorf("%s: %v", name, problems)
		}
		if !strings.Contains(p.Detail, c.detail) || !strings.Contains(p.Hint, c.hint) {
			t.Errorf("%s: detail %q, hint %q", name, p.Detail, p.Hint)
		}
	}
}
