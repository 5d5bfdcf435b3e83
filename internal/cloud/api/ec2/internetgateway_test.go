package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/addressing"
)

func TestAnInternetGatewayIsDetachedOnlyWithoutPublicAddresses(t *testing.T) {
	c := newCloud(t)
	vpc, other := c.vpc("10.0.0.0/16"), c.vpc("10.1.0.0/16")
	subnet := c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	gateway := do(c, c.CreateInternetGateway, &ec2.CreateInternetGatewayInput{}).InternetGateway.InternetGatewayId
	wantError(c, c.DetachInternetGateway, &ec2.DetachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc},
		"Gateway.NotAttached: resource "+*gateway+" is not attached to network "+vpc)
	do(c, c.AttachInternetGateway, &ec2.AttachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc})
	wantError(c, c.AttachInternetGateway, &ec2.AttachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &other},
		"Resource.AlreadyAssociated: resource "+*gateway+" is already attached to network "+vpc)
	nic := c.nic(addressing.InterfaceSpec{PublicFrom: c.PublicRange}, subnet)
	wantError(c, c.DetachInternetGateway,
		&ec2.DetachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc},
		"DependencyViolation: Network "+vpc+" has some mapped public address(es). Please unmap those public "+
			"address(es) before detaching the gateway.")
	wantError(c, c.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &subnet},
		"DependencyViolation: The subnet '"+subnet+"' has dependencies and cannot be deleted.")
	do(c, c.DeleteNetworkInterface, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &nic.ID})
	do(c, c.DetachInternetGateway, &ec2.DetachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc})
}
