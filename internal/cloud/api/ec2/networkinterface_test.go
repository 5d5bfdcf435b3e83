package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestNetworkInterfacesAreFoundByAttachmentAndOwner(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	subnet, group := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.group(vpc, "web")
	machine := c.nic(
		addressing.InterfaceSpec{PublicFrom: c.PublicRange, GroupIDs: []string{group}},
		subnet,
	)
	if err := c.Store.Update(func(tx *store.Tx) error {
		addressing.Attach(tx, c.ids, machine.ID, addressing.Attachment{InstanceID: "i-0123456789abcdef0", At: noon})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	balancer := c.nic(
		addressing.InterfaceSpec{LoadBalancerARN: "arn:lb", Description: "ELB app/web/1", AttachedAt: noon},
		subnet,
	)
	for _, test := range []struct{ name, value, want string }{
		{"attachment.instance-id", "i-0123456789abcdef0", machine.ID},
		{"group-id", group, machine.ID}, {"group-name", "web", machine.ID},
		{"association.public-ip", machine.PublicIP.String(), machine.ID},
		{"private-ip-address", balancer.PrivateIP.String(), balancer.ID},
		{"attachment.instance-owner-id", "amazon-elb", balancer.ID},
		{"requester-id", "amazon-elb", balancer.ID}, {"description", "ELB app/*", balancer.ID},
		{"attachment.instance-owner-id", "000000000000", machine.ID},
	} {
		found := do(c, c.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
			Filters: []types.Filter{filter("vpc-id", vpc), filter(test.name, test.value)},
		}).NetworkInterfaces
		if len(found) != 1 || *found[0].NetworkInterfaceId != test.want {
			t.Errorf("%s=%s: %d found", test.name, test.value, len(found))
		}
	}
	wantError(c, c.DeleteSecurityGroup, &ec2.DeleteSecurityGroupInput{GroupId: &group},
		"DependencyViolation: resource "+group+" has a dependent object")
	wantError(c, c.DeleteNetworkInterface, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &machine.ID},
		"InvalidParameterValue: Network interface '"+machine.ID+"' is currently in use.")
	if _, err := c.DeleteNetworkInterface(c.ctx, &ec2.DeleteNetworkInterfaceInput{
		NetworkInterfaceId: &balancer.ID,
	}); code(err) != "OperationNotPermitted" {
		t.Errorf("deletion of a load balancer's interface: got %v", err)
	}
	shown := do(c, c.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		NetworkInterfaceIds: []string{machine.ID},
	}).NetworkInterfaces[0]
	if *shown.PrivateDnsName != dnsname.Private(home, machine.PrivateIP) || *shown.Association.IpOwnerId != "amazon" ||
		*shown.Attachment.InstanceOwnerId != "000000000000" {
		t.Errorf("described as %+v", shown)
	}
}

// interfaceValues returns the values of a described interface for all filters.
func (r *remote) interfaceValues(eni types.NetworkInterface) map[string]string {
	return map[string]string{
		"network-interface-id": *eni.NetworkInterfaceId, "vpc-id": *eni.VpcId, "subnet-id": *eni.SubnetId,
		"availability-zone":    *eni.AvailabilityZone,
		"availability-zone-id": *eni.AvailabilityZoneId, "group-id": *eni.Groups[0].GroupId, "group-name": "default",
		"description": "front", "requester-id": "",
		"requester-managed": "false", "interface-type": "interface", "status": "in-use", "owner-id": identity.Account,
		"mac-address":       *eni.MacAddress,
		"source-dest-check": "true", "private-ip-address": *eni.PrivateIpAddress,
		"private-dns-name":             *eni.PrivateDnsName,
		"addresses.private-ip-address": *eni.PrivateIpAddress, "addresses.primary": "true",
		"addresses.association.public-ip": *eni.Association.PublicIp,
		"addresses.association.owner-id":  "amazon", "association.public-ip": *eni.Association.PublicIp,
		"association.ip-owner-id":     "amazon",
		"association.public-dns-name": *eni.Association.PublicDnsName, "association.allocation-id": "",
		"association.association-id": "",
		"attachment.attachment-id":   *eni.Attachment.AttachmentId, "attachment.attach-time": "2026-11-23T12:00:00Z",
		"attachment.delete-on-termination": "true",
		"attachment.device-index":          "0", "attachment.instance-id": *eni.Attachment.InstanceId,
		"attachment.instance-owner-id": identity.Account,
		"attachment.status":            "attached", "attachment.nat-gateway-id": "", "ipv6-addresses.ipv6-address": "",
		"operator.managed": "false", "operator.principal": "", "association.carrier-ip": "",
		"addresses.private-dns-name":            *eni.PrivateDnsName,
		"addresses.association.ip-owner-id":     "amazon",
		"addresses.association.public-dns-name": *eni.Association.PublicDnsName,
		"addresses.association.allocation-id":   "",
		"addresses.association.association-id":  "",
	}
}

func TestInterfacesAreFoundByEveryFilter(t *testing.T) {
	r := newRemote(t)
	_, eni := r.launchWeb()
	wantFilters(
		r,
		networkInterfaces.filters,
		r.interfaceValues(eni),
		*eni.NetworkInterfaceId,
		func(f types.Filter) []string {
			out := doRemote(r, r.DescribeNetworkInterfaces,
				&ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{f}})
			return list(out.NetworkInterfaces, func(i types.NetworkInterface) string { return *i.NetworkInterfaceId })
		},
	)
	wantRemoteError(r, r.DescribeNetworkInterfaces,
		&ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{"eni-0123456789abcdef0"}},
		"InvalidNetworkInterfaceID.NotFound: The networkInterface ID 'eni-0123456789abcdef0' does not exist")
	wantRemoteError(r, r.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{DryRun: aws.Bool(true)}, dryRun)
	wantRemoteError(r, r.DeleteNetworkInterface, &ec2.DeleteNetworkInterfaceInput{},
		"MissingParameter: The request must contain the parameter networkInterfaceId")
	wantRemoteError(r, r.DeleteNetworkInterface,
		&ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: eni.NetworkInterfaceId},
		"InvalidParameterValue: Network interface '"+*eni.NetworkInterfaceId+"' is currently in use.")
	r.edit(func(tx *store.Tx) {
		store.NetworkInterfaces.Edit(tx, *eni.NetworkInterfaceId, func(row *store.NetworkInterface) {
			row.InstanceID, row.AttachmentID, row.State = "", "", "available"
		})
	})
	wantRemoteError(r, r.DeleteNetworkInterface,
		&ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: eni.NetworkInterfaceId, DryRun: aws.Bool(true)},
		dryRun)
	doRemote(r, r.DeleteNetworkInterface, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: eni.NetworkInterfaceId})
	wantRemoteError(r, r.DeleteNetworkInterface,
		&ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: eni.NetworkInterfaceId},
		"InvalidNetworkInterfaceID.NotFound: The networkInterface ID '"+*eni.NetworkInterfaceId+"' does not exist")
	r.launch(6)
	wantPages(r, []int{5, 1}, func(token *string) ([]string, *string) {
		out := doRemote(r, r.DescribeNetworkInterfaces,
			&ec2.DescribeNetworkInterfacesInput{MaxResults: five(), NextToken: token})
		return list(
			out.NetworkInterfaces,
			func(i types.NetworkInterface) string { return *i.NetworkInterfaceId },
		), out.NextToken
	})
}
