//go:build linux && root

package client

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/miekg/dns"

	"aloft.dev/aloft/test/program"
)

// checkIPv6Only asserts that a machine in an IPv6-only subnet, beside a machine with an IPv6 address in a
// VPC that the internet reaches, starts, knows its name and has no IPv4 address. It finds the metadata
// service, the resolver, its neighbor and the host over IPv6.
func (c natCloud) checkIPv6Only(neighbor, neighborIPv6 string) {
	c.t.Helper()
	ctx, api := c.t.Context(), c.API.EC2
	of := netip.MustParseAddr(neighborIPv6).As16()
	clear(of[8:])
	of[7] = 0x99
	subnet := want[ec2.CreateSubnetOutput](c.t)(api.CreateSubnet(ctx, &ec2.CreateSubnetInput{
		VpcId: c.instance(neighbor).VpcId, Ipv6Native: aws.Bool(true),
		Ipv6CidrBlock: aws.String(netip.PrefixFrom(netip.AddrFrom16(of), 64).String()),
	})).Subnet.SubnetId
	want[ec2.ModifySubnetAttributeOutput](c.t)(api.ModifySubnetAttribute(ctx, &ec2.ModifySubnetAttributeInput{
		SubnetId: subnet, EnableResourceNameDnsAAAARecordOnLaunch: &types.AttributeBooleanValue{Value: aws.Bool(true)},
	}))
	beside := c.instance(neighbor)
	script := fmt.Sprintf("#!/bin/bash\nexec >/root/report.new\n"+
		"hostname\nhostname -I\ncurl -gs $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/meta-data/ipv6\necho\n"+
		"curl -gs -o /dev/null $AWS_ENDPOINT_URL && echo the APIs answer\n"+
		"getent hosts %s | grep -o '^[0-9.]*'\n"+
		"exec 3<>/dev/tcp/%s/22; head -c 4 <&3\nmv /root/report.new /root/report\n",
		*beside.PrivateDnsName, neighborIPv6)
	id := c.launch(*subnet, func(in *ec2.RunInstancesInput) {
		in.SecurityGroupIds = []string{*beside.SecurityGroups[0].GroupId}
		in.UserData = aws.String(base64.StdEncoding.EncodeToString([]byte(script)))
		in.MetadataOptions = &types.InstanceMetadataOptionsRequest{
			HttpProtocolIpv6: types.InstanceMetadataProtocolStateEnabled,
		}
	})
	own := *c.instance(id).Ipv6Address
	program.Eventually(c.t, program.Patience, "the host reaches a machine without IPv4", func() bool {
		return strings.HasPrefix(c.ask("/proc/self/ns/net", "["+own+"]:22"), "SSH-")
	})
	var report []byte
	program.Eventually(c.t, program.Patience, "the machine reports what it finds", func() (ok bool) {
		var err error
		report, err = os.ReadFile(filepath.Join(c.layout.MachineRun(), id, "root", "root", "report"))
		return err == nil
	})
	wanted := []string{id, own, own, "the APIs answer", *beside.PrivateIpAddress, "SSH-"}
	if got := strings.Fields(string(report)); !slices.Equal(got, strings.Fields(strings.Join(wanted, " "))) {
		c.t.Errorf("the machine reports %q, want %q", got, wanted)
	}
	name := id + ".ec2.internal"
	if got := c.lookUp(neighbor, name, dns.TypeAAAA); len(got) != 1 || got[0] != own {
		c.t.Errorf("%s resolves to %v, want %s", name, got, own)
	}
	c.checkRootReplacement(id, "["+own+"]:22")
}
