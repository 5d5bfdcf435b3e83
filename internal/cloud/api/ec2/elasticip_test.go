package ec2

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
)

// allocate allocates an Elastic IP address and returns its id and itself.
func (r *remote) allocate(tags ...string) (id, address string) {
	r.t.Helper()
	in := &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc}
	if len(tags) > 0 {
		in.TagSpecifications = specification(types.ResourceTypeElasticIp, tags...)
	}
	out := doRemote(r, r.AllocateAddress, in)
	return *out.AllocationId, *out.PublicIp
}

// running launches an instance that runs at once.
func (r *remote) running() types.Instance {
	r.t.Helper()
	instance := r.launch(1)[0]
	r.setState(*instance.InstanceId, store.Running)
	return instance
}

func (r *remote) setState(id, state string) {
	r.t.Helper()
	r.edit(func(tx *store.Tx) {
		store.Instances.Edit(tx, id, func(row *store.Instance) { row.State = state })
	})
}

func (r *remote) instance(id string) types.Instance {
	r.t.Helper()
	in := &ec2.DescribeInstancesInput{InstanceIds: []string{id}}
	return doRemote(r, r.DescribeInstances, in).Reservations[0].Instances[0]
}

func TestElasticIPReplacesTheAutomaticAddressOfAnInstance(t *testing.T) {
	r := newRemote(t)
	id, public := r.allocate("Name", "web")
	instance := r.running()
	automatic := r.instance(*instance.InstanceId).PublicIpAddress
	if automatic == nil || *automatic == public {
		t.Fatalf("the instance has the address %v", automatic)
	}
	associate := &ec2.AssociateAddressInput{AllocationId: &id, InstanceId: instance.InstanceId}
	association := doRemote(r, r.AssociateAddress, associate).AssociationId
	if again := doRemote(r, r.AssociateAddress, associate).AssociationId; *again != *association {
		t.Errorf("a repeated request made another association: %s", *again)
	}
	seen := r.instance(*instance.InstanceId)
	nic := seen.NetworkInterfaces[0]
	if *seen.PublicIpAddress != public || *nic.Association.IpOwnerId != identity.Account {
		t.Errorf("the instance has %s of %s", *seen.PublicIpAddress, *nic.Association.IpOwnerId)
	}
	shown := doRemote(r, r.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		NetworkInterfaceIds: []string{*nic.NetworkInterfaceId},
	}).NetworkInterfaces[0].Association
	if *shown.AllocationId != id || *shown.AssociationId != *association || *shown.PublicIp != public {
		t.Errorf("the interface has the association %+v", shown)
	}
	address := doRemote(r, r.DescribeAddresses, &ec2.DescribeAddressesInput{PublicIps: []string{public}}).Addresses[0]
	if *address.InstanceId != *instance.InstanceId || *address.PrivateIpAddress != *nic.PrivateIpAddress ||
		*address.NetworkInterfaceId != *nic.NetworkInterfaceId || *address.AssociationId != *association {
		t.Errorf("described as %+v", address)
	}
	wantRemoteError(r, r.ReleaseAddress, &ec2.ReleaseAddressInput{AllocationId: &id},
		"InvalidIPAddress.InUse: Address "+public+" is in use.")

	// The address survives a stop; the automatic one would not.
	r.edit(func(tx *store.Tx) { addressing.ReleaseAutomatic(tx, *nic.NetworkInterfaceId) })
	r.setState(*instance.InstanceId, store.Stopped)
	doRemote(r, r.StartInstances, &ec2.StartInstancesInput{InstanceIds: []string{*instance.InstanceId}})
	if seen := r.instance(*instance.InstanceId); aws.ToString(seen.PublicIpAddress) != public {
		t.Errorf("after a stop and a start the address is %v", seen.PublicIpAddress)
	}

	// A running instance gets an automatic address again.
	r.setState(*instance.InstanceId, store.Running)
	end := &ec2.DisassociateAddressInput{AssociationId: association}
	doRemote(r, r.DisassociateAddress, end)
	if seen := r.instance(*instance.InstanceId); aws.ToString(seen.PublicIpAddress) == "" ||
		*seen.PublicIpAddress == public {
		t.Errorf("after the association the address is %v", seen.PublicIpAddress)
	}
	wantRemoteError(r, r.DisassociateAddress, end,
		"InvalidAssociationID.NotFound: The association ID '"+*association+"' does not exist")

	// Termination ends the association, and the account keeps the address.
	doRemote(r, r.AssociateAddress, associate)
	doRemote(r, r.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: []string{*instance.InstanceId}})
	left := doRemote(r, r.DescribeAddresses, &ec2.DescribeAddressesInput{AllocationIds: []string{id}}).Addresses[0]
	if left.AssociationId != nil || left.NetworkInterfaceId != nil || *left.PublicIp != public {
		t.Errorf("after the termination: %+v", left)
	}
	doRemote(r, r.ReleaseAddress, &ec2.ReleaseAddressInput{AllocationId: &id})
	wantRemoteError(r, r.ReleaseAddress, &ec2.ReleaseAddressInput{AllocationId: &id},
		"InvalidAllocationID.NotFound: The allocation ID '"+id+"' does not exist")
}

func TestElasticIPMovesOnlyIfTheRequestAllowsIt(t *testing.T) {
	r := newRemote(t)
	id, public := r.allocate()
	other, otherPublic := r.allocate()
	a, b := r.running(), r.running()
	first := doRemote(r, r.AssociateAddress, &ec2.AssociateAddressInput{
		AllocationId: &id, InstanceId: a.InstanceId,
	}).AssociationId
	move := &ec2.AssociateAddressInput{PublicIp: &public, NetworkInterfaceId: b.NetworkInterfaces[0].NetworkInterfaceId}
	wantRemoteError(r, r.AssociateAddress, move,
		"Resource.AlreadyAssociated: resource "+id+" is already associated with associate-id "+*first)
	move.AllowReassociation = aws.Bool(true)
	doRemote(r, r.AssociateAddress, move)
	if seen := r.instance(*a.InstanceId); aws.ToString(seen.PublicIpAddress) == public || seen.PublicIpAddress == nil {
		t.Errorf("the first instance has %v", seen.PublicIpAddress)
	}
	// The instance decides, not the interface of another one.
	second := &ec2.AssociateAddressInput{
		AllocationId: &other, InstanceId: b.InstanceId, NetworkInterfaceId: a.NetworkInterfaces[0].NetworkInterfaceId,
	}
	wantRemoteError(r, r.AssociateAddress, second, "Resource.AlreadyAssociated: resource "+
		*b.NetworkInterfaces[0].NetworkInterfaceId+" and "+*b.PrivateIpAddress+
		" is already associated with public address "+public)
	second.AllowReassociation = aws.Bool(true)
	doRemote(r, r.AssociateAddress, second)
	if seen := r.instance(*b.InstanceId); *seen.PublicIpAddress != otherPublic {
		t.Errorf("the second instance has %s", *seen.PublicIpAddress)
	}
}

func TestAssociateAddressRefusesWhatCannotHaveOne(t *testing.T) {
	r := newRemote(t)
	id, _ := r.allocate()
	pending := r.launch(1)[0]
	eni := pending.NetworkInterfaces[0].NetworkInterfaceId
	vpc := r.cloud.vpc("10.1.0.0/16")
	island := r.cloud.nic(addressing.InterfaceSpec{}, r.cloud.subnet(vpc, "10.1.0.0/24", "us-east-1a")).ID
	for _, c := range []struct {
		in   *ec2.AssociateAddressInput
		want string
	}{
		{&ec2.AssociateAddressInput{InstanceId: pending.InstanceId}, "MissingParameter:"},
		{&ec2.AssociateAddressInput{AllocationId: &id}, "MissingParameter:"},
		{
			&ec2.AssociateAddressInput{
				AllocationId: &id, PublicIp: aws.String("1.2.3.4"), InstanceId: pending.InstanceId,
			},
			"InvalidParameterCombination:",
		},
		{
			&ec2.AssociateAddressInput{PublicIp: aws.String("1.2.3.4"), InstanceId: pending.InstanceId},
			"InvalidAddress.NotFound: Address '1.2.3.4' not found.",
		},
		{
			&ec2.AssociateAddressInput{AllocationId: &id, InstanceId: pending.InstanceId},
			"InvalidInstanceID: The pending instance '" + *pending.InstanceId +
				"' is not in a valid state for this operation.",
		},
		{
			&ec2.AssociateAddressInput{AllocationId: &id, NetworkInterfaceId: eni},
			"IncorrectInstanceState: The pending instance to which '" + *eni +
				"' is attached is not in a valid state for this operation",
		},
		{
			&ec2.AssociateAddressInput{AllocationId: &id, NetworkInterfaceId: &island},
			"Gateway.NotAttached: Network " + vpc + " is not attached to any internet gateway",
		},
		{
			&ec2.AssociateAddressInput{
				AllocationId: &id, NetworkInterfaceId: &island, PrivateIpAddress: aws.String("10.1.0.99"),
			},
			"InvalidParameterValue: 10.1.0.99 is not mapped to the interface " + island,
		},
		{
			&ec2.AssociateAddressInput{AllocationId: aws.String("eipalloc-00000000"), InstanceId: pending.InstanceId},
			"InvalidAllocationID.NotFound: The allocation ID 'eipalloc-00000000' does not exist",
		},
	} {
		wantRemoteError(r, r.AssociateAddress, c.in, c.want)
	}
	wantRemoteError(r, r.ReleaseAddress, &ec2.ReleaseAddressInput{PublicIp: aws.String("1.2.3.4")},
		"InvalidParameterValue: You must specify an allocation id when releasing a VPC elastic IP address")
	wantRemoteError(r, r.DisassociateAddress, &ec2.DisassociateAddressInput{PublicIp: aws.String("1.2.3.4")},
		"InvalidParameterValue: You must specify an association id when unmapping an address from a VPC instance")
	wantRemoteError(r, r.AllocateAddress, &ec2.AllocateAddressInput{Address: aws.String("1.2.3.4")},
		"UnsupportedOperation: aloft's local cloud does not support the parameter address")
	wantRemoteError(r, r.AllocateAddress, &ec2.AllocateAddressInput{DryRun: aws.Bool(true)}, dryRun)
}

func TestElasticIPsAreLimitedAndFoundByTheirProperties(t *testing.T) {
	r := newRemote(t)
	r.cloud.Manners = &manners.Set{}
	r.cloud.Manners.Use(manners.Settings{Manners: []manners.Manner{manners.Limits}, Seed: 1, TimeScale: 1})
	id, public := r.allocate("Name", "web")
	instance := r.running()
	association := doRemote(r, r.AssociateAddress, &ec2.AssociateAddressInput{
		AllocationId: &id, InstanceId: instance.InstanceId,
	}).AssociationId
	for range 4 {
		r.allocate()
	}
	wantRemoteError(r, r.AllocateAddress, &ec2.AllocateAddressInput{},
		"AddressLimitExceeded: The maximum number of addresses has been reached.")
	nic := instance.NetworkInterfaces[0]
	wantFilters(r, elasticIPs.filters, map[string]string{
		"allocation-id": id, "association-id": *association, "domain": "vpc", "network-border-group": home,
		"network-interface-id": *nic.NetworkInterfaceId, "public-ip": public, "instance-id": *instance.InstanceId,
		"private-ip-address": *nic.PrivateIpAddress, "network-interface-owner-id": identity.Account,
	}, id, func(f types.Filter) []string {
		in := &ec2.DescribeAddressesInput{Filters: []types.Filter{f}}
		return list(doRemote(r, r.DescribeAddresses, in).Addresses, func(a types.Address) string {
			return *a.AllocationId
		})
	})
	attributes := doRemote(r, r.DescribeAddressesAttribute, &ec2.DescribeAddressesAttributeInput{
		AllocationIds: []string{id},
	}).Addresses
	if len(attributes) != 1 || *attributes[0].PublicIp != public || attributes[0].PtrRecord != nil {
		t.Errorf("attributes %+v", attributes)
	}
	wantPages(r, []int{5}, func(token *string) ([]string, *string) {
		out := doRemote(r, r.DescribeAddressesAttribute, &ec2.DescribeAddressesAttributeInput{
			MaxResults: five(), NextToken: token,
		})
		return list(out.Addresses, func(a types.AddressAttribute) string { return *a.AllocationId }), out.NextToken
	})
}

// An Elastic IP address is nobody else's automatic address while it is not associated.
func TestPublicAddressesAreUniqueAcrossElasticIPs(t *testing.T) {
	r := newRemote(t)
	r.cloud.PublicRange = netip.MustParsePrefix("198.18.0.0/22") // 512 addresses are free
	taken := make([]string, 0, 512)
	for range 512 {
		_, public := r.allocate()
		taken = append(taken, public)
	}
	slices.Sort(taken)
	if len(slices.Compact(taken)) != 512 {
		t.Error("an address was allocated twice")
	}
	wantRemoteError(r, r.AllocateAddress, &ec2.AllocateAddressInput{}, "InsufficientAddressCapacity:")
}
