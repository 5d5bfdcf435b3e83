package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
)

// network is a VPC with an internet gateway, one subnet and one route table.
type natNetwork struct{ vpc, subnet, table string }

func (r *remote) natNetwork() natNetwork {
	r.t.Helper()
	c := r.cloud
	n := natNetwork{vpc: c.vpc("10.0.0.0/16")}
	n.subnet = c.subnet(n.vpc, "10.0.1.0/24", "us-east-1a")
	gateway := do(c, c.CreateInternetGateway, &ec2.CreateInternetGatewayInput{}).InternetGateway.InternetGatewayId
	do(c, c.AttachInternetGateway, &ec2.AttachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &n.vpc})
	n.table = *do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &n.vpc}).RouteTable.RouteTableId
	return n
}

// provision makes a NAT gateway available, in place of its control loop.
func (r *remote) provision(id string) *store.NetworkInterface {
	r.t.Helper()
	row, _ := store.NatGateways.Get(r.cloud.Store.View(), id)
	eni := r.cloud.nic(addressing.InterfaceSpec{NatGatewayID: id, AttachedAt: noon}, row.SubnetID)
	r.edit(func(tx *store.Tx) {
		changed := *row
		changed.InterfaceID, changed.PrivateIP, changed.State = eni.ID, eni.PrivateIP, store.NatAvailable
		if address, ok := store.ElasticIPs.Get(tx, row.AllocationID); ok {
			changed.AssociationID = addressing.Associate(tx, r.cloud.ids, address, eni, eni.PrivateIP)
			changed.PublicIP = address.PublicIP
		}
		store.NatGateways.Put(tx, &changed)
	})
	return eni
}

func (r *remote) natGateway(id string) types.NatGateway {
	r.t.Helper()
	in := &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{id}}
	return doRemote(r, r.DescribeNatGateways, in).NatGateways[0]
}

func TestNatGatewayOwnsItsInterfaceAndAddress(t *testing.T) {
	r := newRemote(t)
	n := r.natNetwork()
	allocation, public := r.allocate()
	in := &ec2.CreateNatGatewayInput{
		SubnetId: &n.subnet, AllocationId: &allocation, ClientToken: aws.String("once"),
		TagSpecifications: specification(types.ResourceTypeNatgateway, "Name", "web"),
	}
	created := doRemote(r, r.CreateNatGateway, in).NatGateway
	id := *created.NatGatewayId
	if created.State != types.NatGatewayStatePending || *created.VpcId != n.vpc ||
		created.ConnectivityType != types.ConnectivityTypePublic {
		t.Errorf("created %+v", created)
	}
	if again := doRemote(r, r.CreateNatGateway, in).NatGateway; *again.NatGatewayId != id {
		t.Error("a repeated request created another gateway")
	}
	eni := r.provision(id)
	seen := r.natGateway(id)
	address := seen.NatGatewayAddresses[0]
	if seen.State != types.NatGatewayStateAvailable || *address.PublicIp != public ||
		*address.PrivateIp != eni.PrivateIP.String() || *address.NetworkInterfaceId != eni.ID ||
		*address.AllocationId != allocation {
		t.Errorf("described as %+v", seen)
	}
	nic := doRemote(r, r.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		Filters: []types.Filter{filter("attachment.nat-gateway-id", id), filter("interface-type", "nat_gateway")},
	}).NetworkInterfaces[0]
	if !*nic.RequesterManaged || *nic.SourceDestCheck || nic.InterfaceType != "nat_gateway" ||
		*nic.Association.AllocationId != allocation || *nic.Attachment.InstanceOwnerId != "amazon-aws" {
		t.Errorf("its interface is %+v", nic)
	}
	denied := "AuthFailure: You do not have permission to access the specified resource."
	other, _ := r.allocate()
	wantRemoteError(r, r.DeleteNetworkInterface, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &eni.ID},
		"OperationNotPermitted:")
	wantRemoteError(r, r.ReleaseAddress, &ec2.ReleaseAddressInput{AllocationId: &allocation}, denied)
	wantRemoteError(r, r.DisassociateAddress,
		&ec2.DisassociateAddressInput{AssociationId: address.AssociationId}, denied)
	wantRemoteError(r, r.AssociateAddress,
		&ec2.AssociateAddressInput{AllocationId: &other, NetworkInterfaceId: &eni.ID}, denied)
	wantRemoteError(r, r.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &n.subnet}, "DependencyViolation:")
	doRemote(r, r.CreateTags, &ec2.CreateTagsInput{
		Resources: []string{id, allocation}, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	})
	wantFilters(r, natGateways.filters, map[string]string{
		"nat-gateway-id": id, "state": "available", "subnet-id": n.subnet, "vpc-id": n.vpc,
	}, id, func(f types.Filter) []string {
		in := &ec2.DescribeNatGatewaysInput{Filter: []types.Filter{f}}
		return list(doRemote(r, r.DescribeNatGateways, in).NatGateways, func(g types.NatGateway) string {
			return *g.NatGatewayId
		})
	})
	deletion := &ec2.DeleteNatGatewayInput{NatGatewayId: &id}
	doRemote(r, r.DeleteNatGateway, deletion)
	doRemote(r, r.DeleteNatGateway, deletion) // again
	if state := r.natGateway(id).State; state != types.NatGatewayStateDeleting {
		t.Errorf("after the deletion: %s", state)
	}
	missing := "nat-00000000000000000"
	wantRemoteError(r, r.DeleteNatGateway, &ec2.DeleteNatGatewayInput{NatGatewayId: &missing},
		"NatGatewayNotFound: NatGateway "+missing+" was not found")
}

func TestCreateNatGatewayRefusesWhatItCannotDo(t *testing.T) {
	r := newRemote(t)
	r.cloud.Manners = &manners.Set{}
	r.cloud.Manners.Use(manners.Settings{Manners: []manners.Manner{manners.Limits}, Seed: 1, TimeScale: 1})
	n := r.natNetwork()
	allocation, _ := r.allocate()
	with := func(change func(*ec2.CreateNatGatewayInput)) *ec2.CreateNatGatewayInput {
		in := &ec2.CreateNatGatewayInput{SubnetId: &n.subnet, AllocationId: &allocation}
		change(in)
		return in
	}
	for _, c := range []struct {
		change func(*ec2.CreateNatGatewayInput)
		want   string
	}{
		{func(in *ec2.CreateNatGatewayInput) { in.SubnetId = nil }, "MissingParameter:"},
		{func(in *ec2.CreateNatGatewayInput) { in.AllocationId = nil }, "MissingParameter:"},
		{
			func(in *ec2.CreateNatGatewayInput) { in.AllocationId = aws.String("eipalloc-00000000") },
			"InvalidElasticIpID.NotFound: The elastic IP ID 'eipalloc-00000000' does not exist",
		},
		{func(in *ec2.CreateNatGatewayInput) { in.AllocationId = aws.String("x") }, "InvalidElasticIpID.Malformed:"},
		{
			func(in *ec2.CreateNatGatewayInput) { in.SubnetId = aws.String("subnet-00000000") },
			"InvalidSubnetID.NotFound:",
		},
		{
			func(in *ec2.CreateNatGatewayInput) { in.ConnectivityType = types.ConnectivityTypePrivate },
			"InvalidParameterCombination:",
		},
		{func(in *ec2.CreateNatGatewayInput) { in.ConnectivityType = "other" }, "InvalidParameterValue:"},
		{
			func(in *ec2.CreateNatGatewayInput) { in.PrivateIpAddress = aws.String("10.0.2.9") },
			"InvalidParameterValue:",
		},
		{
			func(in *ec2.CreateNatGatewayInput) { in.SecondaryAllocationIds = []string{"eipalloc-00000000"} },
			"InvalidElasticIpID.NotFound: The elastic IP ID 'eipalloc-00000000' does not exist",
		},
		{
			func(in *ec2.CreateNatGatewayInput) { in.SecondaryAllocationIds = []string{allocation} },
			"InvalidParameterValue: Value (" + allocation + ") for parameter allocationId is invalid. It is " +
				"specified more than once.",
		},
		{
			func(in *ec2.CreateNatGatewayInput) { in.SecondaryPrivateIpAddresses = []string{"10.0.1.9"} },
			"InvalidParameterCombination:",
		},
		{
			func(in *ec2.CreateNatGatewayInput) { in.SecondaryPrivateIpAddressCount = aws.Int32(1) },
			"InvalidParameterCombination:",
		},
		{
			func(in *ec2.CreateNatGatewayInput) {
				in.AllocationId, in.ConnectivityType = nil, types.ConnectivityTypePrivate
				in.SecondaryPrivateIpAddressCount = aws.Int32(8)
			},
			"PrivateIpAddressLimitExceeded:",
		},
		{
			func(in *ec2.CreateNatGatewayInput) {
				in.AllocationId, in.ConnectivityType = nil, types.ConnectivityTypePrivate
				in.SecondaryPrivateIpAddresses = []string{"10.0.2.9"}
			},
			"InvalidParameterValue: Value (10.0.2.9) for parameter secondaryPrivateIpAddress is invalid. It is not " +
				"in the subnet, or reserved in it.",
		},
		{
			func(in *ec2.CreateNatGatewayInput) { in.AvailabilityMode = types.AvailabilityModeRegional },
			"UnsupportedOperation: aloft's local cloud does not support the parameter availabilityMode",
		},
		{func(in *ec2.CreateNatGatewayInput) { in.DryRun = aws.Bool(true) }, dryRun},
	} {
		wantRemoteError(r, r.CreateNatGateway, with(c.change), c.want)
	}
	private := func() {
		doRemote(r, r.CreateNatGateway, with(func(in *ec2.CreateNatGatewayInput) {
			in.AllocationId, in.ConnectivityType = nil, types.ConnectivityTypePrivate
		}))
	}
	for range 5 {
		private()
	}
	wantRemoteError(r, r.CreateNatGateway, with(func(*ec2.CreateNatGatewayInput) {}), "NatGatewayLimitExceeded:")
	r.cloud.Manners = nil
	private()
	wantPages(r, []int{5, 1}, func(token *string) ([]string, *string) {
		out := doRemote(r, r.DescribeNatGateways, &ec2.DescribeNatGatewaysInput{MaxResults: five(), NextToken: token})
		return list(out.NatGateways, func(g types.NatGateway) string { return *g.NatGatewayId }), out.NextToken
	})
}

func TestRoutesToANatGatewayAreBlackHolesWhenItIsGone(t *testing.T) {
	r := newRemote(t)
	n := r.natNetwork()
	allocation, _ := r.allocate()
	id := *doRemote(r, r.CreateNatGateway, &ec2.CreateNatGatewayInput{
		SubnetId: &n.subnet, AllocationId: &allocation,
	}).NatGateway.NatGatewayId
	everywhere := aws.String("0.0.0.0/0")
	create := &ec2.CreateRouteInput{RouteTableId: &n.table, DestinationCidrBlock: everywhere, NatGatewayId: &id}
	doRemote(r, r.CreateRoute, create)
	doRemote(r, r.CreateRoute, create) // again
	route := func() types.Route {
		tables := doRemote(r, r.DescribeRouteTables, &ec2.DescribeRouteTablesInput{
			Filters: []types.Filter{filter("route.nat-gateway-id", id)},
		}).RouteTables
		if len(tables) != 1 {
			t.Fatalf("%d route tables have the route", len(tables))
		}
		return tables[0].Routes[1]
	}
	if got := route(); *got.NatGatewayId != id || got.GatewayId != nil || got.State != types.RouteStateActive {
		t.Errorf("described as %+v", got)
	}
	gateways := do(r.cloud, r.cloud.DescribeInternetGateways, &ec2.DescribeInternetGatewaysInput{
		Filters: []types.Filter{filter("attachment.vpc-id", n.vpc)},
	}).InternetGateways
	internet := gateways[0].InternetGatewayId
	wantRemoteError(r, r.CreateRoute, &ec2.CreateRouteInput{
		RouteTableId: &n.table, DestinationCidrBlock: everywhere, GatewayId: internet,
	}, "RouteAlreadyExists: The route identified by 0.0.0.0/0 already exists.")
	wantRemoteError(r, r.CreateRoute, &ec2.CreateRouteInput{
		RouteTableId: &n.table, DestinationCidrBlock: everywhere, GatewayId: internet, NatGatewayId: &id,
	}, "InvalidParameterCombination:")
	doRemote(r, r.ReplaceRoute, &ec2.ReplaceRouteInput{
		RouteTableId: &n.table, DestinationCidrBlock: everywhere, GatewayId: internet,
	})
	// EC2 accepts the id of a NAT gateway as that of a gateway.
	doRemote(r, r.ReplaceRoute, &ec2.ReplaceRouteInput{
		RouteTableId: &n.table, DestinationCidrBlock: everywhere, GatewayId: &id,
	})
	doRemote(r, r.DeleteNatGateway, &ec2.DeleteNatGatewayInput{NatGatewayId: &id})
	if got := route(); got.State != types.RouteStateBlackhole {
		t.Errorf("after the deletion: %+v", got)
	}
	other := aws.String("198.51.100.0/24")
	wantRemoteError(r, r.CreateRoute, &ec2.CreateRouteInput{
		RouteTableId: &n.table, DestinationCidrBlock: other, NatGatewayId: &id,
	}, "InvalidNatGatewayID.NotFound: The natGateway ID '"+id+"' does not exist")
}
