package awsapi_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/awsapi"
)

func TestErrorClasses(t *testing.T) {
	for code, class := range map[string]func(error) bool{
		"InvalidVpcID.NotFound":                       awsapi.IsNotFound,
		"InvalidLaunchTemplateName.NotFoundException": awsapi.IsNotFound,
		"ParameterNotFound":                           awsapi.IsNotFound,
		"InvalidPermission.Duplicate":                 awsapi.IsExists,
		"DependencyViolation":                         awsapi.IsInUse,
		"RequestLimitExceeded":                        awsapi.IsThrottle,
		"UnauthorizedOperation":                       awsapi.IsForbidden,
		"ExpiredToken":                                awsapi.IsIdentity,
		"InsufficientInstanceCapacity":                awsapi.IsCapacity,
		"InsufficientHostCapacity":                    awsapi.IsCapacity,
		"InsufficientFreeAddressesInSubnet":           awsapi.IsSubnetFull,
		"VcpuLimitExceeded":                           awsapi.IsQuota,
		"InstanceLimitExceeded":                       awsapi.IsQuota,
		"MaxSpotInstanceCountExceeded":                awsapi.IsQuota,
		"InvalidTarget":                               awsapi.IsEventual,
		"InvalidLaunchTemplateId.VersionNotFound":     awsapi.IsNotFound,
		"ActiveInstanceRefreshNotFound":               awsapi.IsNotFound,
		"AlreadyExists":                               awsapi.IsExists,
		"ScalingActivityInProgress":                   awsapi.IsInUse,
		"ResourceContention":                          awsapi.IsThrottle,
	} {
		err := fmt.Errorf("create: %w", &smithy.GenericAPIError{Code: code, Message: "text"})
		if !class(err) {
			t.Errorf("%s is not in its class", code)
		}
		if class(errors.New(code)) {
			t.Errorf("the text %s is classified as a code", code)
		}
	}
}

func TestAutoScalingErrorsAreClassifiedByMessage(t *testing.T) {
	refused := func(text string) error { return &smithy.GenericAPIError{Code: "ValidationError", Message: text} }
	if !awsapi.IsNotFound(refused("AutoScalingGroup name not found - AutoScalingGroup aloft-shop not found")) {
		t.Error("a group that does not exist is not classified as such")
	}
	fresh := refused("You must use a valid fully-formed launch template. The image id '[ami-1]' does not exist")
	if awsapi.IsNotFound(fresh) || !awsapi.IsEventual(fresh) {
		t.Error("an image that is not known everywhere yet is not classified as eventual")
	}
	version := refused("You must use a valid fully-formed launch template. " +
		"Could not find the specified version 2 for the launch template with ID lt-1.")
	if awsapi.IsNotFound(version) || !awsapi.IsEventual(version) {
		t.Error("a version that Auto Scaling does not know yet is not classified as eventual")
	}
	unseen := refused("Provided Target Groups may not be valid. Please ensure they exist and try again.")
	if awsapi.IsNotFound(unseen) || !awsapi.IsEventual(unseen) {
		t.Error("a target group that Auto Scaling does not know yet is not classified as eventual")
	}
	late := &smithy.GenericAPIError{
		Code: "InvalidParameterValue",
		Message: "Value (aloft-shop) for parameter iamInstanceProfile.name is invalid. " +
			"Invalid IAM Instance Profile name",
	}
	role := &smithy.GenericAPIError{Code: "NoSuchEntity"}
	if awsapi.IsNotFound(late) || !awsapi.IsEventual(late) || !awsapi.IsNotFound(role) || !awsapi.IsEventual(role) {
		t.Error("a role or an instance profile that is not known yet is not classified as eventual")
	}
	wrong := refused("Min size cannot be larger than max size.")
	if awsapi.IsNotFound(wrong) || awsapi.IsEventual(wrong) {
		t.Error("a mistake is classified as not found or eventual")
	}
}

func TestATypeThatAZoneLacksIsNotALackOfCapacity(t *testing.T) {
	lacks := &smithy.GenericAPIError{Code: "Unsupported", Message: "Your requested instance type (t3.micro) is not " +
		"supported in your requested Availability Zone (us-east-1e)."}
	if !awsapi.IsNotOffered(lacks) || awsapi.IsCapacity(lacks) {
		t.Error("a zone that lacks the type is not classified as such")
	}
	other := &smithy.GenericAPIError{Code: "Unsupported", Message: "The requested configuration is currently not " +
		"supported. Please check the documentation for supported configurations."}
	if awsapi.IsNotOffered(other) || awsapi.IsCapacity(other) {
		t.Error("an unsupported configuration is classified as a zone's")
	}
	full := &smithy.GenericAPIError{Code: "InsufficientFreeAddressesInSubnet"}
	if awsapi.IsCapacity(full) {
		t.Error("a full subnet is classified as a lack of capacity")
	}
}

func TestServerFaultsAndUnsupportedOperations(t *testing.T) {
	for _, c := range []struct {
		err                error
		fault, unsupported bool
	}{
		{httpError(500, apiError("InternalFailure")), true, false},
		{httpError(503, apiError("ServiceUnavailable")), true, false},
		{httpError(500, apiError("UnknownError")), true, false},
		{httpError(404, apiError("UnknownError")), false, true},
		{httpError(501, apiError("UnknownError")), false, true},
		{httpError(400, apiError("UnknownOperationException")), false, true},
		{httpError(400, apiError("InvalidAction")), false, true},
		{httpError(403, apiError("AccessDenied")), false, false},
		{errors.New("InternalFailure"), false, false},
	} {
		if got := awsapi.IsServerFault(c.err); got != c.fault {
			t.Errorf("%v: server fault is %t", c.err, got)
		}
		if got := awsapi.IsUnsupported(c.err); got != c.unsupported {
			t.Errorf("%v: unsupported is %t", c.err, got)
		}
	}
}
