package awsapi

import (
	"errors"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// Code gives the AWS error code in err, "" when there is none.
func Code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// Message gives the text AWS sent with its error code, err's own text when
// there is none.
func Message(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorMessage() != "" {
		return api.ErrorMessage()
	}
	return err.Error()
}

// The codes come from the API References of the services, "Error codes" and
// "Common errors". EC2 spells some of them in two ways.
var (
	notFound = []string{
		"Gateway.NotAttached", "InvalidAssociationID.NotFound", "InvalidPermission.NotFound", "ParameterNotFound",
		"LoadBalancerNotFound", "TargetGroupNotFound", "ListenerNotFound", "RuleNotFound", "SubnetNotFound", "InvalidAMIID.Unavailable",
		"InvalidLaunchTemplateId.VersionNotFound", "ActiveInstanceRefreshNotFound",
	}
	exists = []string{
		"InvalidGroup.Duplicate", "InvalidPermission.Duplicate", "InvalidKeyPair.Duplicate", "InvalidAMIName.Duplicate", "RouteAlreadyExists",
		"Resource.AlreadyAssociated", "InvalidSubnet.Conflict", "DuplicateLoadBalancerName", "DuplicateTargetGroupName", "DuplicateListener",
		"ParameterAlreadyExists", "InvalidLaunchTemplateName.AlreadyExistsException", "AlreadyExists",
	}
	inUse = []string{
		"DependencyViolation",
		"InvalidGroup.InUse",
		"ResourceInUse",
		"InvalidSnapshot.InUse",
		"IncorrectState",
		"IncorrectInstanceState",
		"InvalidIPAddress.InUse",
		"ScalingActivityInProgress",
		"InstanceRefreshInProgress",
	}
	throttle = []string{
		"RequestLimitExceeded",
		"Throttling",
		"ThrottlingException",
		"ThrottledException",
		"EC2ThrottledException",
		"PriorRequestNotComplete",
		"ConcurrentMutationLimitExceeded",
		"TooManyRequestsException",
		"TooManyUpdates",
		"ResourceContention",
	}
	forbidden = []string{"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "AuthFailure", "Forbidden"}
	identity  = []string{
		"InvalidClientTokenId",
		"SignatureDoesNotMatch",
		"ExpiredToken",
		"ExpiredTokenException",
		"RequestExpired",
		"UnrecognizedClientException",
		"IncompleteSignature",
		"MissingAuthenticationToken",
		"AuthFailure",
	}
	capacity = []string{
		"InsufficientInstanceCapacity",
		"InsufficientHostCapacity",
		"Unsupported",
		"InsufficientFreeAddressesInSubnet",
		"InsufficientCapacity",
	}
	quota = []string{
		"VcpuLimitExceeded",
		"InstanceLimitExceeded",
		"VpcLimitExceeded",
		"SubnetLimitExceeded",
		"InternetGatewayLimitExceeded",
		"RouteTableLimitExceeded",
		"SecurityGroupLimitExceeded",
		"RulesPerSecurityGroupLimitExceeded",
		"AddressLimitExceeded",
		"TooManyLoadBalancers",
		"TooManyTargetGroups",
		"TooManyListeners",
		"ResourceLimitExceeded",
		"LimitExceeded",
	}
)

func is(err error, codes []string) bool { return slices.Contains(codes, Code(err)) }

// IsNotFound tells that what was asked for does not exist, or not yet. Auto
// Scaling has no code for it, only words.
func IsNotFound(err error) bool {
	return is(err, notFound) || strings.Contains(Code(err), ".NotFound") ||
		Code(err) == "ValidationError" && strings.Contains(Message(err), "name not found")
}

// IsExists tells that something with the same natural key is there already.
func IsExists(err error) bool { return is(err, exists) }

// IsInUse tells that others still refer to what was to be changed or deleted.
func IsInUse(err error) bool { return is(err, inUse) }

// IsThrottle tells that AWS asks to slow down.
func IsThrottle(err error) bool { return is(err, throttle) }

// IsForbidden tells that the caller may not do this.
func IsForbidden(err error) bool { return is(err, forbidden) }

// IsIdentity tells that AWS does not accept the caller's credentials at all.
func IsIdentity(err error) bool { return is(err, identity) }

// IsCapacity tells that the place has no room for what was asked for.
func IsCapacity(err error) bool { return is(err, capacity) }

// IsQuota tells that the account's quota is used up.
func IsQuota(err error) bool { return is(err, quota) }

// IsEventual tells that an answer may change by itself, because AWS has not yet
// told all of itself about a resource that was just made (Amazon EC2 API
// Reference, "Eventual consistency").
func IsEventual(err error) bool {
	switch Code(err) {
	case "InvalidTarget", "InvalidConfigurationRequest", "InvalidSubnet", "InvalidSecurityGroup":
		return true
	case "InvalidParameterValue", "InvalidParameterException":
		return strings.Contains(Message(err), "does not exist")
	case "ValidationError": // Auto Scaling looks at templates and target groups that were just made
		for _, words := range []string{"does not exist", "not found", "Invalid IAM Instance Profile"} {
			if strings.Contains(Message(err), words) {
				return true
			}
		}
		return false
	case "ServiceLinkedRoleFailure": // the first group of an account: AWS makes the role meanwhile
		return true
	}
	return IsNotFound(err)
}
