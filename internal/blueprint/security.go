package blueprint

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func (r *reader) securityGroups(ctx context.Context) (err error) {
	r.SecurityGroups, err = each(r, stack.KindSecurityGroup,
		func(f plan.Found) (types.SecurityGroup, map[string]string, error) {
			g, err := only(func(o *ec2.DescribeSecurityGroupsOutput) []types.SecurityGroup { return o.SecurityGroups })(
				r.source.Client.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{
					GroupIds: []string{f.ID},
				}))
			return g, EC2Tags(g.Tags), err
		})
	return err
}

// keyPairs reads the key pair. Its public key stays where it is.
func (r *reader) keyPairs(ctx context.Context) (err error) {
	r.KeyPairs, err = each(r, stack.KindKeyPair, func(f plan.Found) (types.KeyPairInfo, map[string]string, error) {
		k, err := only(func(o *ec2.DescribeKeyPairsOutput) []types.KeyPairInfo { return o.KeyPairs })(
			r.source.Client.EC2.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{KeyNames: []string{f.ID}}))
		return k, EC2Tags(k.Tags), err
	})
	return err
}

// connectEndpoints reads the application's EC2 Instance Connect Endpoint.
func (r *reader) connectEndpoints(ctx context.Context) (err error) {
	r.ConnectEndpoints, err = each(r, stack.KindConnectEndpoint,
		func(f plan.Found) (types.Ec2InstanceConnectEndpoint, map[string]string, error) {
			e, err := only(func(o *ec2.DescribeInstanceConnectEndpointsOutput) []types.Ec2InstanceConnectEndpoint {
				return o.InstanceConnectEndpoints
			})(r.source.Client.EC2.DescribeInstanceConnectEndpoints(ctx, &ec2.DescribeInstanceConnectEndpointsInput{
				InstanceConnectEndpointIds: []string{f.ID},
			}))
			return e, EC2Tags(e.Tags), err
		})
	return err
}
