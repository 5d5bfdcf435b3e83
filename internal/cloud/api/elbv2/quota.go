package elbv2

// maxCertificates is how many certificates the listeners of a load balancer have,
// their default ones not counted (Application Load Balancer guide, Quotas).
const maxCertificates = 25

// maxTargetGroups is the quota of target groups in an action (Application Load
// Balancer guide, Quotas: target groups per action).
const maxTargetGroups = 5

// Quotas of a rule (Application Load Balancer guide, Quotas). The guide allows
// three values in a condition besides; what AWS answers to six values in one
// condition names five in a rule alone (aws-cloudformation/cfn-lint, issue 3833),
// and that is followed.
const (
	maxConditionValues    = 5
	maxConditionWildcards = 5
)

// maxRules is the quota of rules of a load balancer, without the default ones
// (Application Load Balancer guide, Quotas: rules per Application Load Balancer).
const maxRules = 100
