package ec2

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// of launches an instance of a type.
func (r *remote) of(kind types.InstanceType, credits string) string {
	r.t.Helper()
	in := single(r.cloud.built())
	in.InstanceType = kind
	if credits != "" {
		in.CreditSpecification = &types.CreditSpecificationRequest{CpuCredits: &credits}
	}
	return *got(r, r.RunInstances, in).Instances[0].InstanceId
}

func TestCreditsAreThoseAskedForOrTheTypes(t *testing.T) {
	r := newRemote(t)
	credits := func(in *ec2.DescribeInstanceCreditSpecificationsInput) map[string]string {
		all := map[string]string{}
		for _, c := range got(r, r.DescribeInstanceCreditSpecifications, in).InstanceCreditSpecifications {
			all[*c.InstanceId] = *c.CpuCredits
		}
		return all
	}
	t2, t3, saver, spender, steady := r.of("t2.micro", ""), r.of("t3.micro", ""), r.of("t3.micro", "standard"), r.of(
		"t2.micro",
		"unlimited",
	), r.of("m5.large", "")
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
	// Without ids, those that are unlimited; one that was stays so as another type.
	r.cloud.observe(t3, store.Stopped)
	got(r, r.ModifyInstanceAttribute, &ec2.ModifyInstanceAttributeInput{
		InstanceId:   &t3,
		InstanceType: &types.AttributeValue{Value: aws.String("m5.large")},
	})
	if all := credits(&ec2.DescribeInstanceCreditSpecificationsInput{}); len(all) != 2 || all[t3] != "unlimited" ||
		all[spender] != "unlimited" {
		t.Errorf("unlimited: %v", all)
	}
	narrowed(r, creditFilters, map[string]string{"instance-id": spender}, spender, func(f types.Filter) []string {
		out := got(
			r,
			r.DescribeInstanceCreditSpecifications,
			&ec2.DescribeInstanceCreditSpecificationsInput{Filters: []types.Filter{f}},
		)
		return list(
			out.InstanceCreditSpecifications,
			func(c types.InstanceCreditSpecification) string { return *c.InstanceId },
		)
	})
	for range 4 {
		r.of("t3.micro", "")
	}
	paged(r, []int{5, 1}, func(token *string) ([]string, *string) {
		out := got(
			r,
			r.DescribeInstanceCreditSpecifications,
			&ec2.DescribeInstanceCreditSpecificationsInput{MaxResults: five(), NextToken: token},
		)
		return list(
			out.InstanceCreditSpecifications,
			func(c types.InstanceCreditSpecification) string { return *c.InstanceId },
		), out.NextToken
	})

	denied(
		r,
		r.DescribeInstanceCreditSpecifications,
		&ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: []string{noInstance}},
		"InvalidInstanceID.NotFound: The instance ID '"+noInstance+"' does not exist",
	)
	denied(
		r,
		r.DescribeInstanceCreditSpecifications,
		&ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: []string{"web"}},
		"InvalidInstanceID.Malformed:",
	)
	denied(
		r,
		r.DescribeInstanceCreditSpecifications,
		&ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: slices.Repeat([]string{t2}, 1001)},
		"InvalidParameterValue:",
	)
	denied(
		r,
		r.DescribeInstanceCreditSpecifications,
		&ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: []string{t2}, MaxResults: five()},
		"InvalidParameterCombination:",
	)
	denied(
		r,
		r.DescribeInstanceCreditSpecifications,
		&ec2.DescribeInstanceCreditSpecificationsInput{Filters: []types.Filter{filter("tag:Name", "web")}},
		"InvalidParameterValue: The filter 'tag:Name' is invalid",
	)
	denied(
		r,
		r.DescribeInstanceCreditSpecifications,
		&ec2.DescribeInstanceCreditSpecificationsInput{DryRun: aws.Bool(true)},
		dryRun,
	)
	in := single(r.cloud.built())
	in.CreditSpecification = &types.CreditSpecificationRequest{CpuCredits: aws.String("endless")}
	denied(r, r.RunInstances, in, "InvalidParameterValue:")
	in.InstanceType, in.CreditSpecification.CpuCredits = "m5.large", aws.String("unlimited")
	denied(
		r,
		r.RunInstances,
		in,
		"InstanceCreditSpecification.NotSupported: The m5.large instance type does not support T2 Unlimited.",
	)
}
