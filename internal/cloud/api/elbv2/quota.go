package elbv2

// Quotas of Application Load Balancers are AWS's defaults (Application Load
// Balancer guide, Quotas for your Application Load Balancers).
const (
	maxTargetGroups = 5  // per action
	maxCertificates = 25 // per load balancer, default certificates not counted

	// The guide also allows only three values per condition. AWS's own answer to
	// six values in one condition mentions five per rule and nothing else
	// (aws-cloudformation/cfn-lint, issue 3833), so only that limit is applied.
	maxConditionValues    = 5 // per rule
	maxConditionWildcards = 5 // per rule

	maxReservedCapacityUnits = 0 // per Region
	// maxCapacityDecreases is per load balancer and day (the guide's page "Request
	// Load Balancer Capacity Unit reservation").
	maxCapacityDecreases = 2
)
