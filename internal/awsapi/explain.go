package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/diag"
)

// Explain returns err as diagnostics. Each says what was attempted, the cause in
// AWS's words, and a remedy. Diagnostics in err are returned as they are. where
// names the thing that err is about; it may be "".
func Explain(where string, err error) diag.List {
	list := diag.From(err)
	if len(list) != 1 || list[0].Cause == nil || list[0].Summary != err.Error() || list[0].Hint != "" {
		return list
	}
	d := &diag.Diagnostic{Where: where, Summary: attempted(err), Cause: err}
	var operation *smithy.OperationError
	switch {
	case Code(err) != "":
		d.Detail = Code(err) + ": " + Message(err)
	case errors.As(err, &operation):
		d.Detail = operation.Err.Error()
	}
	if name := Action(err); d.Detail != "" && name != "" {
		d.Detail = name + ": " + d.Detail
	}
	explainClass(d, err)
	return diag.List{d}
}

// attempted returns the part of an error's text before the SDK's words.
func attempted(err error) string {
	text, _, sdk := strings.Cut(err.Error(), ": operation error ")
	if !sdk && strings.HasPrefix(text, "operation error ") {
		return "the request " + Action(err) + " failed"
	}
	return text
}

// Action returns the AWS operation that failed, as IAM policies name it
// (Service Authorization Reference): "ec2:CreateVpc". It returns "" if err comes
// from no operation.
func Action(err error) string {
	var operation *smithy.OperationError
	if !errors.As(err, &operation) {
		return ""
	}
	prefix, ok := map[string]string{
		"ACM":                       "acm",
		"Auto Scaling":              "autoscaling",
		"CloudWatch":                "cloudwatch",
		"CloudWatch Logs":           "logs",
		"EC2":                       "ec2",
		"EC2 Instance Connect":      "ec2-instance-connect",
		"Elastic Load Balancing v2": "elasticloadbalancing",
		"IAM":                       "iam",
		"Pricing":                   "pricing",
		"Route 53":                  "route53",
		"Service Quotas":            "servicequotas",
		"S3":                        "s3",
		"SNS":                       "sns",
		"SSM":                       "ssm",
		"STS":                       "sts",
	}[operation.Service()]
	if !ok {
		prefix = operation.Service()
	}
	return ActionOf(prefix + ":" + operation.Operation())
}

// actions are the IAM actions of operations that have another name (Service Authorization
// Reference, "Actions defined by Amazon S3").
var actions = map[string]string{
	"s3:DeleteObjects":                   "s3:DeleteObject",
	"s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
	"s3:GetPublicAccessBlock":            "s3:GetBucketPublicAccessBlock",
	"s3:ListBuckets":                     "s3:ListAllMyBuckets",
	"s3:ListObjectsV2":                   "s3:ListBucket",
	"s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
	"s3:PutPublicAccessBlock":            "s3:PutBucketPublicAccessBlock",
}

// ActionOf returns the IAM action of an operation, which both begin with the service's prefix
// in IAM.
func ActionOf(operation string) string {
	if action, ok := actions[operation]; ok {
		return action
	}
	return operation
}

// Remedies that several classes share.
const (
	runAgain        = "run the same command again: it continues from here"
	checkConnection = "check the connection; for the local cloud see: aloft local status"
)

// explainClass sets the remedy for the class of an error.
func explainClass(d *diag.Diagnostic, err error) {
	text := err.Error()
	var connection *net.OpError
	var late *TimeoutError
	switch code := Code(err); {
	case errors.Is(err, context.Canceled):
		d.Summary, d.Hint = "stopped", runAgain
	case IsIdentity(err):
		d.Where, d.Summary = "credentials", "AWS does not accept them"
		d.Hint = "check AWS_PROFILE or --profile, sign in again (aws sso login), or check the keys"
	case strings.Contains(text, "get identity: get credentials"),
		strings.Contains(text, "failed to refresh cached credentials"):
		d.Where, d.Summary = "credentials", "there are none for AWS"
		d.Hint = "run aws configure or aws sso login, or set AWS_PROFILE"
	case code == "InvalidRegion" || code == "OptInRequired":
		d.Where, d.Hint = "region", "choose a region that is enabled in this account"
	case code != "", IsUnsupported(err):
		d.Hint = codeHint(err)
	case errors.As(err, &connection):
		d.Detail, d.Hint = fmt.Sprint(connection), checkConnection
	case IsResponseLost(err):
		d.Hint = checkConnection
	case errors.As(err, &late), errors.Is(err, context.DeadlineExceeded):
		d.Hint = "aloft status shows the current state; " + runAgain
	default:
		d.Hint = hostHint(err)
	}
}

// codeHint returns the remedy for an error with an AWS error code.
func codeHint(err error) string {
	switch {
	case IsForbidden(err):
		return "these credentials do not allow it: ask for the permission " + Action(err)
	case IsQuota(err):
		return "the account's quota is used up: request more under Service Quotas, or delete what is not needed"
	case IsThrottle(err):
		return "AWS limits the rate of requests: run the same command again in a minute"
	case IsCapacity(err):
		return "AWS has no capacity for it now: run the same command again later, or list more types in machines.type"
	case IsNotOffered(err):
		return "the zone does not offer the instance type: change machines.type, or the zones in network.subnets"
	case IsSubnetFull(err):
		return "the subnet has no free address: delete what is not needed in it"
	case IsInUse(err):
		return "something else uses it at the moment: run the same command again in a minute"
	case IsNotFound(err):
		return "it was deleted, or AWS does not show it yet: run the same command again"
	case IsServerFault(err):
		return "AWS could not process the request, see https://health.aws.amazon.com; " + runAgain
	case IsUnsupported(err):
		return "the endpoint does not offer this operation, which Aloft needs: check --endpoint and " +
			"AWS_ENDPOINT_URL, and that Aloft and the local cloud have the same version"
	}
	return "AWS rejected the request: correct what its message names, then run the same command again"
}

// hostHint returns the remedy for an error of this computer.
func hostHint(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "check the permissions, or run the same command with sudo"
	case errors.Is(err, syscall.ENOSPC):
		return "free space on the disk, then run the same command again"
	}
	return "run the same command again; if the error persists, docs/troubleshooting.md lists symptoms and remedies"
}
