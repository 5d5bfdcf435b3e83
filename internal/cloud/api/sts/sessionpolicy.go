package sts

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of session policies (AWS STS API Reference, AssumeRole). All session policies and tags of a session share
// a space. PackedPolicySize is the part that they use, in percent. AWS does not document how it packs them. Here
// characters of policies count against policySpace, and those of tags against tagSpace. tagSpace follows from an
// answer of AWS: nine tags of 252 characters take 498 percent.
const (
	maxPolicy     = 2048 // characters
	maxPolicyARNs = 10
	minARN        = 20
	maxARN        = 2048
	policySpace   = maxPolicy
	tagSpace      = 455
)

// policyARNs returns the ARNs of managed session policies.
func policyARNs(list []types.PolicyDescriptorType) []string {
	var arns []string
	for _, p := range list {
		arns = append(arns, aws.ToString(p.Arn))
	}
	return arns
}

// checkPolicyForm refuses session policies that violate the API's model.
func checkPolicyForm(policy *string, list []types.PolicyDescriptorType) error {
	switch {
	case policy != nil && *policy == "":
		return model.RefuseWithoutValue("policy", "have length greater than or equal to 1")
	case len(aws.ToString(policy)) > maxPolicy:
		return model.TooLong("policy", maxPolicy)
	case len(list) > maxPolicyARNs:
		return model.TooLong("policyArns", maxPolicyARNs)
	}
	for _, arn := range policyARNs(list) {
		if len(arn) < minARN || len(arn) > maxARN {
			return model.Refuse("policyArns", arn, "have length between %d and %d, inclusive", minARN, maxARN)
		}
	}
	return nil
}

// checkPolicies refuses a session policy that cannot be parsed, and managed policies that do not exist or belong
// neither to AWS nor to the session's account.
func (a *API) checkPolicies(s session.Session) error {
	if s.Policy != "" {
		if _, err := policydocument.Parse(policydocument.Identity, s.Policy); err != nil {
			return wire.Errorf("MalformedPolicyDocument", "%v", err)
		}
	}
	for _, arn := range s.PolicyARNs {
		own := identity.RegionOfARN(arn).Account() == identity.RegionOf(s.Account, "").Account()
		usable := own || strings.HasPrefix(arn, "arn:aws:iam::aws:policy/")
		if !usable || a.PolicyExists == nil || !a.PolicyExists(arn) {
			return wire.Errorf("MalformedPolicyDocument", "Policy %s does not exist or is not attachable.", arn)
		}
	}
	return nil
}

// hasPacked reports whether a session has something that PackedPolicySize is about.
func hasPacked(s session.Session) bool {
	return s.Policy != "" || len(s.PolicyARNs) > 0 || len(s.Tags) > 0
}

func tooLarge(format string, percent int) error {
	return wire.Errorf("PackedPolicyTooLarge", format, percent)
}

// packedSize returns how much of their space the policies and tags of a session take, in percent. The error is for
// more than all of it.
func packedSize(s session.Session) (percent int32, err error) {
	policies, tags := len(s.Policy), 0
	for _, arn := range s.PolicyARNs {
		policies += len(arn)
	}
	for key, value := range s.Tags {
		tags += len(key) + len(value)
	}
	used := (policies*100+policySpace-1)/policySpace + tags*100/tagSpace
	switch {
	case used <= 100:
		return int32(used), nil
	case policies == 0:
		return 0, tooLarge("Packed size of session tags consumes %d%% of allotted space.", used)
	}
	return 0, tooLarge("Packed policy consumes %d%% of allotted space, please use smaller policy.", used)
}
