package awsapi

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Code returns the AWS error code in err, or "" if there is none.
func Code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// Message returns the text that AWS sent with its error code, or err's own text if
// there is none.
func Message(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorMessage() != "" {
		return api.ErrorMessage()
	}
	return err.Error()
}

func is(err error, codes []string) bool { return slices.Contains(codes, Code(err)) }

// IsNotFound reports whether the resource does not exist, or is not known yet. Auto
// Scaling has no code for it and says so only in the message.
func IsNotFound(err error) bool {
	return is(err, notFound) || strings.Contains(Code(err), ".NotFound") ||
		Code(err) == "ValidationError" && strings.Contains(Message(err), "name not found")
}

// IsExists reports whether a resource with the same natural key exists already.
func IsExists(err error) bool { return is(err, exists) }

// IsInUse reports whether other resources still refer to the one to change or
// delete, or its state does not allow the change yet.
func IsInUse(err error) bool { return is(err, inUse) }

// IsThrottle reports whether AWS throttled the request.
func IsThrottle(err error) bool { return is(err, throttle) }

// IsForbidden reports whether the caller lacks the permission.
func IsForbidden(err error) bool { return is(err, forbidden) }

// IsIdentity reports whether AWS does not accept the caller's credentials.
func IsIdentity(err error) bool { return is(err, identity) }

// IsCapacity reports whether AWS has no capacity for the request in this zone at
// present. The same request may succeed minutes later, and another zone or instance
// type may have capacity now.
func IsCapacity(err error) bool { return is(err, capacity) }

// IsNotOffered reports whether the zone does not offer the instance type at all. AWS
// uses the code Unsupported for other configurations, too.
func IsNotOffered(err error) bool {
	return Code(err) == "Unsupported" && strings.Contains(Message(err), "Availability Zone")
}

// IsSubnetFull reports whether the subnet has no free IP address.
func IsSubnetFull(err error) bool { return is(err, noAddress) }

// IsQuota reports whether a quota of the account is exhausted.
func IsQuota(err error) bool { return is(err, quota) }

// IsServerFault reports whether the service failed to process the request.
func IsServerFault(err error) bool {
	return is(err, uncertain) && !IsUnsupported(err)
}

// IsUnsupported reports whether the endpoint does not offer the operation. AWS has codes
// for that. Others answer with a status alone, or with a page in another format than the
// service's.
func IsUnsupported(err error) bool {
	var response *smithyhttp.ResponseError
	var unreadable *smithy.DeserializationError
	if errors.As(err, &response) && (Code(err) == "UnknownError" || Code(err) == "" && errors.As(err, &unreadable)) {
		switch response.HTTPStatusCode() {
		case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
			return true
		}
	}
	return is(err, unsupported)
}

// IsEventual reports whether the call may succeed later, because AWS does not know
// everywhere yet what was just created (Amazon EC2 API Reference, "Eventual
// consistency").
func IsEventual(err error) bool {
	switch Code(err) {
	case "InvalidTarget", "InvalidConfigurationRequest", "InvalidSubnet", "InvalidSecurityGroup":
		return true
	case "InvalidParameterValue", "InvalidParameterException":
		return strings.Contains(Message(err), "does not exist") ||
			strings.Contains(Message(err), "Invalid IAM Instance Profile")
	case "ValidationError": // Auto Scaling validates launch templates and target groups
		for _, words := range []string{
			"does not exist", "not found", "find the specified version", "Target Groups may not be valid",
			"Invalid IAM Instance Profile",
		} {
			if strings.Contains(Message(err), words) {
				return true
			}
		}
		return false
	case "ServiceLinkedRoleFailure": // AWS creates the role with the first group of an account
		return true
	}
	return IsNotFound(err)
}
