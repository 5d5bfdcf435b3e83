package ec2

import (
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"pgregory.net/rapid"
)

func TestFilterPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		want           bool
	}{
		{"web", "web", true}, {"web", "Web", false}, {"w?b", "web", true}, {"w?b", "wb", false}, {"*", "", true},
		{"a*c", "abbbc", true}, {"a*c", "abbb", false}, {"*b*b*", "abab", true}, {"*x*", "abab", false},
		{`a\*c`, "a*c", true}, {`a\*c`, "abc", false}, {`a\?`, "a?", true}, {`a\\b`, `a\b`, true},
		{"ab", "abc", false}, {"abc*", "abc", true}, {"", "", true}, {"?", "", false}, {"*a?c", "xxabc", true},
	} {
		if got := matchesPattern(c.pattern, c.value); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.value, got)
		}
	}
}

func TestFilterPatternsMatchLikeRegularExpressions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SampledFrom([]rune("ab*?"))
		pattern := rapid.StringOf(letters).Draw(t, "pattern")
		value := rapid.StringOf(letters).Draw(t, "value")
		expression := strings.NewReplacer("*", ".*", "?", ".").Replace(pattern)
		want := regexp.MustCompile("^" + expression + "$").MatchString(value)
		if matchesPattern(pattern, value) != want {
			t.Fatalf("%q on %q: want %v", pattern, value, want)
		}
	})
}

func TestFiltersSelectByTagsAndAllMustPass(t *testing.T) {
	c := newCloud(t)
	make2 := func(cidr string, tags ...string) string {
		return *do(c, c.CreateVpc, &ec2.CreateVpcInput{
			CidrBlock: &cidr, TagSpecifications: specification("vpc", tags...),
		}).Vpc.VpcId
	}
	a, b := make2("10.0.0.0/16", "Name", "a", "env", "prod"), make2("10.1.0.0/16", "Name", "b", "env", "test")
	for _, test := range []struct {
		filters []types.Filter
		want    []string
	}{
		{[]types.Filter{filter("tag:Name", "a")}, []string{a}},
		{[]types.Filter{filter("tag:Name", "a", "b")}, []string{a, b}},
		{[]types.Filter{filter("tag-key", "env")}, []string{a, b}},
		{[]types.Filter{filter("tag-value", "te*")}, []string{b}},
		{[]types.Filter{filter("tag:env", "*"), filter("cidr", "10.0.*")}, []string{a}},
		{[]types.Filter{filter("tag:env", "prod"), filter("cidr", "10.1.*")}, nil},
	} {
		var got []string
		for _, vpc := range do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{Filters: test.filters}).Vpcs {
			got = append(got, *vpc.VpcId)
		}
		if len(got) != len(test.want) || len(got) == 1 && got[0] != test.want[0] {
			t.Errorf("%v: got %v, want %v", *test.filters[0].Name, got, test.want)
		}
	}
	wantError(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{Filters: []types.Filter{filter("colour", "red")}},
		"InvalidParameterValue: The filter 'colour' is invalid")
}

func TestNothingPassesAFilterWithoutValues(t *testing.T) {
	c := newCloud(t)
	c.vpc("10.0.0.0/16")
	if got := do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{
		Filters: []types.Filter{{Name: aws.String("vpc-id")}},
	}).Vpcs; len(got) != 0 {
		t.Errorf("VPCs %+v", got)
	}
	if got := do(c, c.DescribeReservedInstances, &ec2.DescribeReservedInstancesInput{
		Filters: []types.Filter{{Name: aws.String("instance-type")}},
	}).ReservedInstances; len(got) != 0 {
		t.Errorf("reserved instances %+v", got)
	}
}
