package awsapi

// Error codes from the API References of the services, "Error codes" and "Common
// errors". EC2 spells some of them in two ways.
var (
	notFound = []string{
		"Gateway.NotAttached",
		"InvalidAssociationID.NotFound",
		"InvalidPermission.NotFound",
		"ParameterNotFound",
		"ParameterVersionNotFound",
		"ResourceNotFoundException",
		"NoSuchEntity",
		"ResourceNotFoundException",
		"NoSuchHostedZone",
		"NoSuchBucket",
		"NoSuchBucketPolicy",
		"NoSuchLifecycleConfiguration",
		"NoSuchPublicAccessBlockConfiguration",
		"LoadBalancerNotFound",
		"TargetGroupNotFound",
		"ListenerNotFound",
		"RuleNotFound",
		"SubnetNotFound",
		"NatGatewayNotFound",
		"InvalidAMIID.Unavailable",
		"InvalidLaunchTemplateId.VersionNotFound",
		"ActiveInstanceRefreshNotFound",
		"NotFound",         // of a topic
		"ResourceNotFound", // of what has tags, in Amazon SNS and CloudWatch
		"ResourceNotFoundException",
	}
	exists = []string{
		"InvalidGroup.Duplicate",
		"InvalidPermission.Duplicate",
		"InvalidKeyPair.Duplicate",
		"InvalidAMIName.Duplicate",
		"RouteAlreadyExists",
		"Resource.AlreadyAssociated",
		"InvalidSubnet.Conflict",
		"DuplicateLoadBalancerName",
		"DuplicateTargetGroupName",
		"DuplicateListener",
		"ParameterAlreadyExists",
		"EntityAlreadyExists",
		"ResourceAlreadyExistsException",
		"InvalidLaunchTemplateName.AlreadyExistsException",
		"AlreadyExists",
		"BucketAlreadyExists",
	}
	inUse = []string{
		"DependencyViolation",
		"InvalidGroup.InUse",
		"ResourceInUse",
		"ResourceInUseException",
		"DeleteConflict",
		"EntityTemporarilyUnmodifiable",
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
		"SnapshotCreationPerVolumeRateExceeded",
	}
	forbidden = []string{
		"UnauthorizedOperation",
		"AccessDenied",
		"AccessDeniedException",
		"AuthFailure",
		"Forbidden",
		"AuthorizationError", // of Amazon SNS
	}
	identity = []string{
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
	unsupported = []string{
		"InvalidAction",
		"ActionNotFound",
		"UnknownAction",
		"UnknownOperationException",
		"UnsupportedOperation",
		"NotImplemented",
	}
	capacity = []string{
		"InsufficientInstanceCapacity",
		"InsufficientHostCapacity",
		"InsufficientReservedInstanceCapacity",
		"InsufficientAddressCapacity",
		"InsufficientVolumeCapacity",
		"InsufficientCapacity",
	}
	noAddress = []string{
		"InsufficientFreeAddressesInSubnet",
		"InsufficientFreeAddresses",
	}
	quota = []string{
		"VcpuLimitExceeded",
		"InstanceLimitExceeded",
		"MaxSpotInstanceCountExceeded",
		"HostLimitExceeded",
		"VolumeLimitExceeded",
		"VpcLimitExceeded",
		"SubnetLimitExceeded",
		"InternetGatewayLimitExceeded",
		"AddressLimitExceeded",
		"NatGatewayLimitExceeded",
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
