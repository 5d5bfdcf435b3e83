package ec2

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
)

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
	wantError(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{MaxResults: aws.Int32(4)},
		"InvalidParameterValue: Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than 5.")
	wantError(c, c.DescribeVpcs,
		&ec2.DescribeVpcsInput{MaxResults: aws.Int32(1001)},
		"InvalidParameterValue: Value ( 1001 ) for parameter maxResults is invalid. Expecting a value smaller "+
			"than 1000.")
	wantError(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{NextToken: aws.String("forged")},
		"InvalidNextToken: The token 'forged' is invalid.")
	wantError(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{VpcIds: []string{vpc}, MaxResults: aws.Int32(5)},
		"InvalidParameterCombination: The parameter vpcIds cannot be used with the parameter maxResults")
}
