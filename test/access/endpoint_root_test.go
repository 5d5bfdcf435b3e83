//go:build linux && root

package access

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/test/program"
)

// callEndpoint is a script for machines: it prints where the name of STS leads, and who STS says the
// machine is. curl trusts what all programs of the machine trust.
const callEndpoint = `set -eu
imds=http://169.254.169.254/latest
token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $imds/api/token)
key=$(curl -sf -H "X-aws-ec2-metadata-token: $token" $imds/meta-data/iam/security-credentials/managed)
field() { printf %s "$key" | jq -r ".$1"; }
getent ahostsv4 sts.us-east-1.amazonaws.com | cut -d' ' -f1 | sort -u
curl -sS -m 5 --noproxy '*' --aws-sigv4 aws:amz:us-east-1:sts -H "X-Amz-Security-Token: $(field Token)" \
	--user "$(field AccessKeyId):$(field SecretAccessKey)" \
	-d 'Action=GetCallerIdentity&Version=2011-06-15' https://sts.us-east-1.amazonaws.com/ 2>&1 || true
`

// A machine without a way to the internet calls AWS by an interface endpoint, under the service's own
// name, as far as the endpoint's security group lets it.
func (f *fleet) testInterfaceEndpoint(t *testing.T, instance string) {
	api := f.API.EC2
	in := &ec2.DescribeInstancesInput{InstanceIds: []string{instance}}
	machine := call(t, api.DescribeInstances, in).Reservations[0].Instances[0]
	call(t, api.ModifyVpcAttribute, &ec2.ModifyVpcAttributeInput{
		VpcId: machine.VpcId, EnableDnsHostnames: &types.AttributeBooleanValue{Value: aws.Bool(true)},
	})
	endpoint := call(t, api.CreateVpcEndpoint, &ec2.CreateVpcEndpointInput{
		VpcId: machine.VpcId, ServiceName: aws.String("com.amazonaws.us-east-1.sts"),
		VpcEndpointType: types.VpcEndpointTypeInterface, SubnetIds: []string{f.subnet},
	}).VpcEndpoint
	waiting := &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: []string{*endpoint.VpcEndpointId}}
	program.Eventually(t, program.Patience, "the endpoint is available", func() bool {
		return call(t, api.DescribeVpcEndpoints, waiting).VpcEndpoints[0].State == "available"
	})
	address := *call(t, api.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		NetworkInterfaceIds: endpoint.NetworkInterfaceIds,
	}).NetworkInterfaces[0].PrivateIpAddress
	ask := func() string {
		t.Helper()
		encoded := base64.StdEncoding.EncodeToString([]byte(callEndpoint))
		return f.output(instance, f.send(instance, "echo "+encoded+" | base64 -d | bash"))
	}
	role := ":assumed-role/managed/" + instance
	if got := ask(); !strings.HasPrefix(got, address+"\n") || !strings.Contains(got, role) {
		t.Errorf("by the endpoint at %s: %q", address, got)
	}
	group := *endpoint.Groups[0].GroupId
	call(t, api.RevokeSecurityGroupIngress, &ec2.RevokeSecurityGroupIngressInput{
		GroupId: &group, IpPermissions: []types.IpPermission{{
			IpProtocol: aws.String("-1"), UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &group}},
		}},
	})
	if got := ask(); !strings.HasPrefix(got, address+"\n") || !strings.Contains(got, "timed out") {
		t.Errorf("without a rule that admits it: %q", got)
	}
	call(t, api.DeleteVpcEndpoints, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{*endpoint.VpcEndpointId}})
	program.Eventually(t, program.Patience, "the name leads elsewhere", func() bool {
		return !strings.HasPrefix(ask(), address)
	})
}
