package ec2

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestAPublicNatGatewayHasSecondaryAddresses(t *testing.T) {
	r := newRemote(t)
	n := r.natNetwork()
	primary, _ := r.allocate()
	second, public := r.allocate()
	third, _ := r.allocate()
	id := *doRemote(r, r.CreateNatGateway, &ec2.CreateNatGatewayInput{
		SubnetId: &n.subnet, AllocationId: &primary,
	}).NatGateway.NatGatewayId
	associate := func(address string, allocations ...string) *ec2.AssociateNatGatewayAddressInput {
		in := &ec2.AssociateNatGatewayAddressInput{NatGatewayId: &id, AllocationIds: allocations}
		if address != "" {
			in.PrivateIpAddresses = []string{address}
		}
		return in
	}
	wantRemoteError(r, r.AssociateNatGatewayAddress, associate("", second), "IncorrectState:")
	eni := r.provision(id)
	for want, in := range map[string]*ec2.AssociateNatGatewayAddressInput{
		"MissingParameter:":              associate(""),
		"Resource.AlreadyAssociated:":    associate("", primary),
		"InvalidElasticIpID.NotFound:":   associate("", "eipalloc-00000000"),
		"InvalidIPAddress.InUse:":        associate(eni.PrivateIP.String(), second),
		"InvalidParameterCombination:":   associate("10.0.1.20", second, third),
		"PrivateIpAddressLimitExceeded:": associate("", "eipalloc-1", "2", "3", "4", "5", "6", "7", "8"),
		"InvalidParameterValue:":         associate("", second, second),
	} {
		wantRemoteError(r, r.AssociateNatGatewayAddress, in, want)
	}
	added := doRemote(r, r.AssociateNatGatewayAddress, associate("10.0.1.20", second)).NatGatewayAddresses
	if len(added) != 1 || *added[0].PrivateIp != "10.0.1.20" || *added[0].PublicIp != public ||
		*added[0].IsPrimary || added[0].Status != types.NatGatewayAddressStatusAssociating {
		t.Errorf("added %+v", added)
	}
	row, _ := store.NetworkInterfaces.Get(r.cloud.Store.View(), eni.ID)
	if got := fmt.Sprint(row.Secondary); got != "[{10.0.1.20 "+public+"}]" {
		t.Errorf("its interface has the addresses %s", got)
	}
	seen := r.natGateway(id).NatGatewayAddresses
	if len(seen) != 2 || !*seen[0].IsPrimary || *seen[1].AssociationId != *added[0].AssociationId {
		t.Fatalf("described as %+v", seen)
	}

	leave := func(association *string, seconds int32) *ec2.DisassociateNatGatewayAddressInput {
		return &ec2.DisassociateNatGatewayAddressInput{
			NatGatewayId: &id, AssociationIds: []string{*association}, MaxDrainDurationSeconds: &seconds,
		}
	}
	wantRemoteError(r, r.DisassociateNatGatewayAddress, leave(seen[0].AssociationId, 9), "InvalidParameter:")
	wantRemoteError(r, r.DisassociateNatGatewayAddress, leave(aws.String("eipassoc-0"), 9), "InvalidParameter:")
	wantRemoteError(r, r.DisassociateNatGatewayAddress, leave(seen[1].AssociationId, 4001), "InvalidParameterValue:")
	wantRemoteError(r, r.UnassignPrivateNatGatewayAddress, &ec2.UnassignPrivateNatGatewayAddressInput{
		NatGatewayId: &id, PrivateIpAddresses: []string{"10.0.1.20"},
	}, "InvalidParameter:")
	left := doRemote(r, r.DisassociateNatGatewayAddress, leave(seen[1].AssociationId, 60)).NatGatewayAddresses
	if left[0].Status != types.NatGatewayAddressStatusDisassociating {
		t.Errorf("an address that leaves is %+v", left)
	}
	gateway, _ := store.NatGateways.Get(r.cloud.Store.View(), id)
	if at := gateway.Secondary[0].SettledAt; !at.Equal(r.cloud.Now().Add(time.Minute)) {
		t.Errorf("it is released at %s", at)
	}
	wantRemoteError(r, r.AssociateNatGatewayAddress, associate("", third), "IncorrectState:")
	doRemote(r, r.DeleteNatGateway, &ec2.DeleteNatGatewayInput{NatGatewayId: &id})
}

func TestAPrivateNatGatewayHasSecondaryAddresses(t *testing.T) {
	r := newRemote(t)
	n := r.natNetwork()
	id := *doRemote(r, r.CreateNatGateway, &ec2.CreateNatGatewayInput{
		SubnetId: &n.subnet, ConnectivityType: types.ConnectivityTypePrivate,
		SecondaryPrivateIpAddressCount: aws.Int32(2),
	}).NatGateway.NatGatewayId
	if seen := r.natGateway(id).NatGatewayAddresses; len(seen) != 3 ||
		seen[1].Status != types.NatGatewayAddressStatusAssigning || seen[1].AllocationId != nil {
		t.Errorf("created with %+v", seen)
	}
	eni := r.provision(id)
	assign := &ec2.AssignPrivateNatGatewayAddressInput{NatGatewayId: &id}
	wantRemoteError(r, r.AssignPrivateNatGatewayAddress, assign, "MissingParameter:")
	assign.PrivateIpAddressCount = aws.Int32(6)
	wantRemoteError(r, r.AssignPrivateNatGatewayAddress, assign, "PrivateIpAddressLimitExceeded:")
	assign.PrivateIpAddressCount = aws.Int32(1)
	added := doRemote(r, r.AssignPrivateNatGatewayAddress, assign).NatGatewayAddresses
	row, _ := store.NetworkInterfaces.Get(r.cloud.Store.View(), eni.ID)
	if len(added) != 1 || *added[0].PrivateIp != row.Secondary[0].Private.String() || added[0].PublicIp != nil {
		t.Errorf("added %+v to %+v", added, row.Secondary)
	}
	left := doRemote(r, r.UnassignPrivateNatGatewayAddress, &ec2.UnassignPrivateNatGatewayAddressInput{
		NatGatewayId: &id, PrivateIpAddresses: []string{*added[0].PrivateIp},
	}).NatGatewayAddresses
	if left[0].Status != types.NatGatewayAddressStatusUnassigning {
		t.Errorf("an address that leaves is %+v", left)
	}
}
