package ec2

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

func TestFilterPatternsMatchAsAWSsDo(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		want           bool
	}{
		{"web", "web", true}, {"web", "Web", false}, {"w?b", "web", true}, {"w?b", "wb", false}, {"*", "", true}, {"a*c", "abbbc", true}, {"a*c", "abbb", false},
		{"*b*b*", "abab", true}, {"*x*", "abab", false}, {`a\*c`, "a*c", true}, {`a\*c`, "abc", false}, {`a\?`, "a?", true}, {`a\\b`, `a\b`, true},
		{"ab", "abc", false}, {"abc*", "abc", true}, {"", "", true}, {"?", "", false}, {"*a?c", "xxabc", true},
	} {
		if got := matches(c.pattern, c.value); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.value, got)
		}
	}
}

func TestFilterPatternsMeanWhatTheirRegularExpressionsMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SampledFrom([]rune("ab*?"))
		pattern := rapid.StringOf(letters).Draw(t, "pattern")
		value := rapid.StringOf(letters).Draw(t, "value")
		expression := strings.NewReplacer("*", ".*", "?", ".").Replace(pattern)
		if want := regexp.MustCompile("^" + expression + "$").MatchString(value); matches(pattern, value) != want {
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
	refused(
		c,
		c.DescribeVpcs,
		&ec2.DescribeVpcsInput{Filters: []types.Filter{filter("colour", "red")}},
		"InvalidParameterValue: The filter 'colour' is invalid",
	)
}

func TestPagesHoldEveryRowOnce(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	for i := range 13 {
		c.group(vpc, fmt.Sprintf("g%02d", i))
	}
	seen := map[string]int{}
	var sizes []int
	input := &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(5), Filters: []types.Filter{filter("vpc-id", vpc)}}
	for {
		out := do(c, c.DescribeSecurityGroups, input)
		sizes = append(sizes, len(out.SecurityGroups))
		for _, group := range out.SecurityGroups {
			seen[*group.GroupId]++
		}
		if input.NextToken = out.NextToken; input.NextToken == nil {
			break
		}
	}
	if !cmp.Equal(sizes, []int{5, 5, 4}) || len(seen) != 14 {
		t.Errorf("pages of %v, %d rows", sizes, len(seen))
	}
	refused(
		c,
		c.DescribeVpcs,
		&ec2.DescribeVpcsInput{MaxResults: aws.Int32(4)},
		"InvalidParameterValue: Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than 5.",
	)
	refused(
		c,
		c.DescribeVpcs,
		&ec2.DescribeVpcsInput{MaxResults: aws.Int32(1001)},
		"InvalidParameterValue: Value ( 1001 ) for parameter maxResults is invalid. Expecting a value smaller than 1000.",
	)
	refused(
		c,
		c.DescribeVpcs,
		&ec2.DescribeVpcsInput{NextToken: aws.String("forged")},
		"InvalidNextToken: The token 'forged' is invalid.",
	)
	refused(
		c,
		c.DescribeVpcs,
		&ec2.DescribeVpcsInput{VpcIds: []string{vpc}, MaxResults: aws.Int32(5)},
		"InvalidParameterCombination: The parameter vpcIds cannot be used with the parameter maxResults",
	)
}

func TestADryRunFindsMistakesAndKeepsNothing(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	before := c.rows()
	_, err := c.CreateSubnet(
		c.ctx,
		&ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: aws.String("10.0.1.0/24"), DryRun: aws.Bool(true)},
	)
	refusal, ok := errors.AsType[*wire.Error](err)
	if !ok || refusal.Code != "DryRunOperation" || refusal.Status != http.StatusPreconditionFailed ||
		refusal.Message != "Request would have succeeded, but DryRun flag is set." {
		t.Errorf("got %v", err)
	}
	refused(
		c,
		c.CreateSubnet,
		&ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: aws.String("10.9.1.0/24"), DryRun: aws.Bool(true)},
		"InvalidSubnet.Range: The CIDR '10.9.1.0/24' is invalid.",
	)
	if diff := cmp.Diff(before, c.rows()); diff != "" {
		t.Error(diff)
	}
}

func TestAClientTokenMakesARepeatedRequestOne(t *testing.T) {
	c := newCloud(t)
	vpc, other := c.vpc("10.0.0.0/16"), c.vpc("10.1.0.0/16")
	request := func(vpc string) *ec2.CreateRouteTableInput {
		return &ec2.CreateRouteTableInput{VpcId: &vpc, ClientToken: aws.String("token")}
	}
	first, again := do(c, c.CreateRouteTable, request(vpc)), do(c, c.CreateRouteTable, request(vpc))
	if *first.RouteTable.RouteTableId != *again.RouteTable.RouteTableId {
		t.Error("two tables for one token")
	}
	refused(
		c,
		c.CreateRouteTable,
		request(other),
		"IdempotentParameterMismatch: Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
	)
	do(c, c.DeleteRouteTable, &ec2.DeleteRouteTableInput{RouteTableId: first.RouteTable.RouteTableId})
	if anew := do(c, c.CreateRouteTable, request(other)); *anew.RouteTable.VpcId != other {
		t.Errorf("after deletion: %+v", anew.RouteTable)
	}
}

func TestTagsAtCreationAreChecked(t *testing.T) {
	c := newCloud(t)
	var many []string
	for i := range 51 {
		many = append(many, fmt.Sprint("k", i), "v")
	}
	for want, tags := range map[string][]types.TagSpecification{
		"InvalidParameterValue: 'subnet' is not a valid taggable resource type for this operation.": specification("subnet", "k", "v"),
		"InvalidParameterValue: Tag specification resource type must have a value":                  specification("", "k", "v"),
		"InvalidParameterValue: Tag keys starting with 'aws:' are reserved for internal use":        specification("vpc", "aws:k", "v"),
		"InvalidParameterValue: Duplicate tag key 'k' specified.":                                   specification("vpc", "k", "v", "k", "w"),
		"InvalidParameterValue: Tag key exceeds the maximum length of 128 characters": specification(
			"vpc", strings.Repeat("k", 129), "v",
		),
		"InvalidParameterValue: Tag value exceeds the maximum length of 256 characters": specification(
			"vpc", "k", strings.Repeat("v", 257),
		),
		"TagLimitExceeded: The maximum number of Tags for a resource has been reached.": specification("vpc", many...),
	} {
		refused(
			c, c.CreateVpc, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"), TagSpecifications: tags}, want,
		)
	}
}

func TestIDsAreToldMalformedOrUnknown(t *testing.T) {
	c := newCloud(t)
	refused(
		c,
		c.DescribeVpcs,
		&ec2.DescribeVpcsInput{VpcIds: []string{"vpc-00000000"}},
		"InvalidVpcID.NotFound: The vpc ID 'vpc-00000000' does not exist",
	)
	refused(
		c,
		c.DescribeVpcs,
		&ec2.DescribeVpcsInput{VpcIds: []string{"foo"}},
		`InvalidVpcID.Malformed: Invalid id: "foo" (expecting "vpc-...")`,
	)
	refused(
		c,
		c.DeleteSubnet,
		&ec2.DeleteSubnetInput{SubnetId: aws.String("subnet-00000000")},
		"InvalidSubnetID.NotFound: The subnet ID 'subnet-00000000' does not exist",
	)
	refused(
		c,
		c.DeleteSubnet,
		&ec2.DeleteSubnetInput{},
		"MissingParameter: The request must contain the parameter subnetId",
	)
	refused(
		c,
		c.DescribeRouteTables,
		&ec2.DescribeRouteTablesInput{RouteTableIds: []string{"rtb-xyz"}},
		`InvalidRouteTableId.Malformed: Invalid id: "rtb-xyz"`,
	)
	refused(
		c,
		c.DescribeSecurityGroups,
		&ec2.DescribeSecurityGroupsInput{GroupIds: []string{"sg-00000000"}},
		"InvalidGroup.NotFound: The security group 'sg-00000000' does not exist",
	)
	refused(
		c,
		c.DescribeInternetGateways,
		&ec2.DescribeInternetGatewaysInput{InternetGatewayIds: []string{"igw-00000000"}},
		"InvalidInternetGatewayID.NotFound: The internetGateway ID 'igw-00000000' does not exist",
	)
	refused(
		c,
		c.DescribeNetworkInterfaces,
		&ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{"eni-00000000"}},
		"InvalidNetworkInterfaceID.NotFound: The networkInterface ID 'eni-00000000' does not exist",
	)
}

func TestClientTokensAreForgottenSomeDaysLater(t *testing.T) {
	c := newCloud(t)
	now := noon
	c.Now = func() time.Time { return now }
	create := func(token string) {
		do(c, c.CreateLaunchTemplate, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: &token,
			LaunchTemplateData: ofType("t3.micro"),
			ClientToken:        &token,
		})
	}
	for _, days := range []int{0, 1, 2, 7} {
		now = noon.AddDate(0, 0, days)
		create(fmt.Sprintf("day-%d", days))
	}
	var left []string
	for _, row := range store.ClientTokens.List(c.Store.View()) {
		left = append(left, row.Token)
	}
	if diff := cmp.Diff([]string{"day-7"}, left); diff != "" {
		t.Error(diff)
	}
	now = noon.AddDate(0, 0, 7).Add(20 * time.Hour)
	create("day-7") // remembered: no second template, and no complaint about the name
}
