package ec2

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// launchType launches an instance of a type and returns its id.
func (r *remote) launchType(kind types.InstanceType, credits string) string {
	r.t.Helper()
	in := launchOne(r.cloud.availableImage())
	in.InstanceType = kind
	if credits != "" {
		in.CreditSpecification = &types.CreditSpecificationRequest{CpuCredits: &credits}
	}
	return *doRemote(r, r.RunInstances, in).Instances[0].InstanceId
}

func TestCreditsDefaultToTheInstanceType(t *testing.T) {
	r := newRemote(t)
	credits := func(in *ec2.DescribeInstanceCreditSpecificationsInput) map[string]string {
		all := map[string]string{}
		for _, c := range doRemote(r, r.DescribeInstanceCreditSpecifications, in).InstanceCreditSpecifications {
			all[*c.InstanceId] = *c.CpuCredits
		}
		return all
	}
	t2, t3, steady := r.launchType("t2.micro", ""), r.launchType("t3.micro", ""), r.launchType("m5.large", "")
	saver, spender := r.launchType("t3.micro", "standard"), r.launchType("t2.micro", "unlimited")
	all := credits(
		&ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: []string{t2, t3, saver, spender, steady}},
	)
	for id, want := range map[string]string{
		t2: "standard", t3: "unlimited", saver: "standard", spender: "unlimited", steady: "standard",
	} {
		if all[id] != want {
			t.Errorf("%s has %q, want %q", id, all[id], want)
		}
	}
	// Without ids, the response lists unlimited instances. An instance keeps the option when its type changes.
	r.cloud.observe(t3, store.Stopped)
	doRemote(r, r.ModifyInstanceAttribute, &ec2.ModifyInstanceAttributeInput{
		InstanceId:   &t3,
		InstanceType: &types.AttributeValue{Value: aws.String("m5.large")},
	})
	if all := credits(&ec2.DescribeInstanceCreditSpecificationsInput{}); len(all) != 2 || all[t3] != "unlimited" ||
		all[spender] != "unlimited" {
		t.Errorf("unlimited: %v", all)
	}
	wantFilters(r, creditFilters, map[string]string{"instance-id": spender}, spender, func(f types.Filter) []string {
		out := doRemote(r, r.DescribeInstanceCreditSpecifications,
			&ec2.DescribeInstanceCreditSpecificationsInput{Filters: []types.Filter{f}})
		return list(
			out.InstanceCreditSpecifications,
			func(c types.InstanceCreditSpecification) string { return *c.InstanceId },
		)
	})
	for range 4 {
		r.launchType("t3.micro", "")
	}
	wantPages(r, []int{5, 1}, func(token *string) ([]string, *string) {
		out := doRemote(r, r.DescribeInstanceCreditSpecifications,
			&ec2.DescribeInstanceCreditSpecificationsInput{MaxResults: five(), NextToken: token})
		return list(
			out.InstanceCreditSpecifications,
			func(c types.InstanceCreditSpecification) string { return *c.InstanceId },
		), out.NextToken
	})

	wantRemoteError(r, r.DescribeInstanceCreditSpecifications,
		&ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: []string{noInstance}},
		"InvalidInstanceID.NotFound: The instance ID '"+noInstance+"' does not exist")
	wantRemoteError(r, r.DescribeInstanceCreditSpecifications,
		&ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: []string{"web"}},
		"InvalidInstanceID.Malformed:")
	wantRemoteError(r, r.DescribeInstanceCreditSpecifications,
		&ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: slices.Repeat([]string{t2}, 1001)},
		"InvalidParameterValue:")
	wantRemoteError(r, r.DescribeInstanceCreditSpecifications,
		&ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: []string{t2}, MaxResults: five()},
		"InvalidParameterCombination:")
	wantRemoteError(r, r.DescribeInstanceCreditSpecifications,
		&ec2.DescribeInstanceCreditSpecificationsInput{Filters: []types.Filter{filter("tag:Name", "web")}},
		"InvalidParameterValue: The filter 'tag:Name' is invalid")
	wantRemoteError(r, r.DescribeInstanceCreditSpecifications,
		&ec2.DescribeInstanceCreditSpecificationsInput{DryRun: aws.Bool(true)},
		dryRun)
	in := launchOne(r.cloud.availableImage())
	in.CreditSpecification = &types.CreditSpecificationRequest{CpuCredits: aws.String("endless")}
	wantRemoteError(r, r.RunInstances, in, "InvalidParameterValue:")
	in.InstanceType, in.CreditSpecification.CpuCredits = "m5.large", aws.String("unlimited")
	wantRemoteError(r, r.RunInstances, in,
		"InstanceCreditSpecification.NotSupported: The m5.large instance type does not support T2 Unlimited.")
}
