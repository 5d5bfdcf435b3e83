package ec2

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxNatAddresses is how many addresses a NAT gateway has, with the primary one (Amazon VPC User
// Guide, NAT gateway basics).
const maxNatAddresses = 8

// Seconds for which the flows of an address that leaves a NAT gateway go on (Amazon EC2 API
// Reference, DisassociateNatGatewayAddress).
const (
	usualDrain = 350
	maxDrain   = 4000
)

// secondaryRequest is the part of a request about secondary addresses of a NAT gateway.
type secondaryRequest struct {
	isPublic    bool
	allocations []string // of a public gateway
	addresses   []string
	count       *int32 // of a private gateway
}

// check refuses requests that are invalid whatever the account contains.
func (q secondaryRequest) check() error {
	if err := cmp.Or(distinct("allocationId", q.allocations), distinct("privateIpAddress", q.addresses)); err != nil {
		return err
	}
	switch count := len(q.addresses); {
	case q.isPublic && q.count != nil, q.count != nil && count > 0:
		return wire.Errorf("InvalidParameterCombination",
			"The number of secondary private IP addresses is for NAT gateways with private connectivity, "+
				"and excludes a list of addresses.")
	case q.isPublic && count > 0 && count != len(q.allocations):
		return wire.Errorf("InvalidParameterCombination",
			"The number of secondary private IP addresses must be that of the allocation IDs.")
	case !q.isPublic && len(q.allocations) > 0:
		return wire.Errorf(
			"InvalidParameterCombination", "A NAT gateway with private connectivity cannot have an allocation ID.",
		)
	case q.count != nil && *q.count < 1:
		return invalidValue("privateIpAddressCount", fmt.Sprint(*q.count), "It must be at least 1.")
	}
	return nil
}

// rows returns the secondary addresses that a request asks for.
func (q secondaryRequest) rows() ([]store.NatAddress, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	given, err := parsePrivateAddresses(q.addresses)
	if err != nil {
		return nil, err
	}
	count := max(len(given), len(q.allocations), int(aws.ToInt32(q.count)))
	if count >= maxNatAddresses {
		return nil, errNatAddresses()
	}
	var rows []store.NatAddress
	for n := range count {
		row := store.NatAddress{State: store.NatAddressAssigning}
		if q.isPublic {
			row.State, row.AllocationID = store.NatAddressAssociating, q.allocations[n]
		}
		if n < len(given) {
			row.PrivateIP = given[n]
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// distinct refuses a text that a list has more than once.
func distinct(parameter string, texts []string) error {
	for n, text := range texts {
		if slices.Contains(texts[:n], text) {
			return invalidValue(parameter, text, "It is specified more than once.")
		}
	}
	return nil
}

func errNatAddresses() error {
	return wire.Errorf("PrivateIpAddressLimitExceeded", "A NAT gateway has at most %d addresses.", maxNatAddresses)
}

// checkNatAddresses refuses secondary addresses of a new NAT gateway that do not exist, or that
// others have.
func checkNatAddresses(r store.Reader, region identity.Region, subnet *store.Subnet, all []store.NatAddress) error {
	for _, address := range all {
		if address.AllocationID != "" {
			if err := checkElasticIPOfGateway(r, region, address.AllocationID); err != nil {
				return err
			}
		}
		if address.PrivateIP.IsValid() {
			if err := checkNatAddress(r, subnet, "secondaryPrivateIpAddress", address.PrivateIP); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkNatAddress refuses a private address that a NAT gateway cannot have.
func checkNatAddress(r store.Reader, subnet *store.Subnet, parameter string, address netip.Addr) error {
	switch err := addressing.CheckPrivate(r, subnet, address); {
	case errors.Is(err, addressing.ErrInUse):
		return wire.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", address)
	case err != nil:
		return invalidValue(parameter, address.String(), "It is not in the subnet, or reserved in it.")
	}
	return nil
}

// AssociateNatGatewayAddress gives a public NAT gateway secondary addresses with Elastic IP
// addresses, which new flows have as their sources too.
func (a *API) AssociateNatGatewayAddress(
	ctx context.Context, in *ec2.AssociateNatGatewayAddressInput,
) (*ec2.AssociateNatGatewayAddressOutput, error) {
	if err := supportOnly(in, "DryRun", "NatGatewayId", "AllocationIds", "PrivateIpAddresses"); err != nil {
		return nil, err
	}
	if err := required(parameter{"natGatewayId", in.NatGatewayId}); err != nil {
		return nil, err
	}
	if len(in.AllocationIds) == 0 {
		return nil, missingParameter("allocationId")
	}
	rows, err := secondaryRequest{
		isPublic: true, allocations: in.AllocationIds, addresses: in.PrivateIpAddresses,
	}.rows()
	if err != nil {
		return nil, err
	}
	out := &ec2.AssociateNatGatewayAddressOutput{NatGatewayId: in.NatGatewayId}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) (err error) {
		out.NatGatewayAddresses, err = a.addNatAddresses(tx, region, *in.NatGatewayId, "public", rows)
		return err
	})
}

// AssignPrivateNatGatewayAddress gives a private NAT gateway secondary addresses, which new flows
// have as their sources too.
func (a *API) AssignPrivateNatGatewayAddress(
	ctx context.Context, in *ec2.AssignPrivateNatGatewayAddressInput,
) (*ec2.AssignPrivateNatGatewayAddressOutput, error) {
	if err := required(parameter{"natGatewayId", in.NatGatewayId}); err != nil {
		return nil, err
	}
	if in.PrivateIpAddressCount == nil && len(in.PrivateIpAddresses) == 0 {
		return nil, missingParameter("privateIpAddressCount")
	}
	rows, err := secondaryRequest{addresses: in.PrivateIpAddresses, count: in.PrivateIpAddressCount}.rows()
	if err != nil {
		return nil, err
	}
	out := &ec2.AssignPrivateNatGatewayAddressOutput{NatGatewayId: in.NatGatewayId}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) (err error) {
		out.NatGatewayAddresses, err = a.addNatAddresses(tx, region, *in.NatGatewayId, "private", rows)
		return err
	})
}

// natGatewayToEdit returns a NAT gateway whose secondary addresses can change. While some leave, no
// others come or go (Amazon EC2 API Reference, DisassociateNatGatewayAddress).
func natGatewayToEdit(
	tx *store.Tx, region identity.Region, id, connectivity string,
) (*store.NatGateway, *store.NetworkInterface, error) {
	row, err := natGateways.get(tx, region, id)
	if err != nil {
		return nil, nil, err
	}
	eni, ok := store.NetworkInterfaces.Get(tx, row.InterfaceID)
	switch {
	case row.Connectivity != connectivity:
		return nil, nil, wire.Errorf("InvalidParameter", "The operation is for NAT gateways with %s connectivity. "+
			"That of %s is %s.", connectivity, id, row.Connectivity)
	case !ok || row.State != store.NatAvailable:
		return nil, nil, wire.Errorf("IncorrectState", "NatGateway %s is not available: it is %s.", id, row.State)
	case slices.ContainsFunc(row.Secondary, store.NatAddress.Drains):
		return nil, nil, wire.Errorf(
			"IncorrectState", "Connections of addresses of NatGateway %s are being drained.", id,
		)
	}
	return row, eni, nil
}

// addNatAddresses adds secondary addresses to a NAT gateway and returns them.
func (a *API) addNatAddresses(
	tx *store.Tx, region identity.Region, id, connectivity string, added []store.NatAddress,
) ([]types.NatGatewayAddress, error) {
	row, eni, err := natGatewayToEdit(tx, region, id, connectivity)
	if err != nil {
		return nil, err
	}
	subnet, err := subnets.get(tx, region, row.SubnetID)
	if err != nil {
		return nil, err
	}
	if len(row.Secondary)+len(added) >= maxNatAddresses {
		return nil, errNatAddresses()
	}
	if err := checkNatAddresses(tx, region, subnet, added); err != nil {
		return nil, err
	}
	for n := range added {
		if added[n], err = a.addNatAddress(tx, eni, subnet, added[n]); err != nil {
			return nil, err
		}
	}
	store.NatGateways.Edit(tx, row.ID, func(row *store.NatGateway) {
		row.Secondary = append(slices.Clone(row.Secondary), added...)
	})
	return natAddressItems(row.InterfaceID, added), nil
}

// addNatAddress adds an address to the network interface of a NAT gateway.
func (a *API) addNatAddress(
	tx *store.Tx, eni *store.NetworkInterface, subnet *store.Subnet, address store.NatAddress,
) (store.NatAddress, error) {
	given, free := []netip.Addr{address.PrivateIP}, 0
	if !address.PrivateIP.IsValid() {
		given, free = nil, 1
	}
	got, err := addressing.AddSecondary(tx, a.ids, eni, subnet, given, free)
	if err != nil {
		return address, addressError(err, subnet)
	}
	address.PrivateIP = append(given, got...)[0]
	elastic, ok := store.ElasticIPs.Get(tx, address.AllocationID)
	if !ok {
		return address, nil
	}
	if elastic.AssociationID != "" {
		return address, wire.Errorf(
			"Resource.AlreadyAssociated", "Elastic IP address %s is already associated", elastic.ID,
		)
	}
	address.AssociationID = addressing.Associate(tx, a.ids, elastic, eni, address.PrivateIP)
	address.PublicIP = elastic.PublicIP
	return address, nil
}

// DisassociateNatGatewayAddress takes secondary addresses with their Elastic IP addresses from a
// public NAT gateway, after a time in which they take no new flows.
func (a *API) DisassociateNatGatewayAddress(
	ctx context.Context, in *ec2.DisassociateNatGatewayAddressInput,
) (*ec2.DisassociateNatGatewayAddressOutput, error) {
	if err := required(parameter{"natGatewayId", in.NatGatewayId}); err != nil {
		return nil, err
	}
	if len(in.AssociationIds) == 0 {
		return nil, missingParameter("associationId")
	}
	out := &ec2.DisassociateNatGatewayAddressOutput{NatGatewayId: in.NatGatewayId}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) (err error) {
		out.NatGatewayAddresses, err = a.drainNatAddresses(tx, region, drainRequest{
			*in.NatGatewayId, "public", in.AssociationIds, in.MaxDrainDurationSeconds,
			func(address store.NatAddress) string { return address.AssociationID },
			func(row *store.NatGateway) string { return row.AssociationID },
		}, store.NatAddressDisassociating)
		return err
	})
}

// UnassignPrivateNatGatewayAddress takes secondary addresses from a private NAT gateway, after a
// time in which they take no new flows.
func (a *API) UnassignPrivateNatGatewayAddress(
	ctx context.Context, in *ec2.UnassignPrivateNatGatewayAddressInput,
) (*ec2.UnassignPrivateNatGatewayAddressOutput, error) {
	if err := required(parameter{"natGatewayId", in.NatGatewayId}); err != nil {
		return nil, err
	}
	if len(in.PrivateIpAddresses) == 0 {
		return nil, missingParameter("privateIpAddress")
	}
	out := &ec2.UnassignPrivateNatGatewayAddressOutput{NatGatewayId: in.NatGatewayId}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) (err error) {
		out.NatGatewayAddresses, err = a.drainNatAddresses(tx, region, drainRequest{
			*in.NatGatewayId, "private", in.PrivateIpAddresses, in.MaxDrainDurationSeconds,
			func(address store.NatAddress) string { return address.PrivateIP.String() },
			func(row *store.NatGateway) string { return row.PrivateIP.String() },
		}, store.NatAddressUnassigning)
		return err
	})
}

// drainRequest names addresses that leave a NAT gateway, by what name returns of a secondary one and
// primary of the primary one.
type drainRequest struct {
	gatewayID, connectivity string
	names                   []string
	seconds                 *int32
	name                    func(store.NatAddress) string
	primary                 func(*store.NatGateway) string
}

// drainNatAddresses gives secondary addresses of a NAT gateway a state in which they take no new
// flows, and returns them.
func (a *API) drainNatAddresses(
	tx *store.Tx, region identity.Region, q drainRequest, state string,
) ([]types.NatGatewayAddress, error) {
	seconds := int32(usualDrain)
	if q.seconds != nil {
		if seconds = *q.seconds; seconds < 1 || seconds > maxDrain {
			return nil, invalidValue("maxDrainDurationSeconds", fmt.Sprint(seconds), "It must be from 1 to 4000.")
		}
	}
	row, _, err := natGatewayToEdit(tx, region, q.gatewayID, q.connectivity)
	if err != nil {
		return nil, err
	}
	rows := slices.Clone(row.Secondary)
	var drained []store.NatAddress
	for _, name := range q.names {
		n := slices.IndexFunc(rows, func(address store.NatAddress) bool { return q.name(address) == name })
		switch {
		case name == q.primary(row):
			return nil, wire.Errorf(
				"InvalidParameter", "The primary address of NatGateway %s cannot be removed: %s.", row.ID, name,
			)
		case n < 0:
			return nil, wire.Errorf("InvalidParameter", "NatGateway %s has no secondary address %s.", row.ID, name)
		}
		rows[n].State, rows[n].SettledAt = state, a.Now().UTC().Add(time.Duration(seconds)*time.Second)
		drained = append(drained, rows[n])
	}
	store.NatGateways.Edit(tx, row.ID, func(row *store.NatGateway) { row.Secondary = rows })
	return natAddressItems(row.InterfaceID, drained), nil
}

// natAddressItems describes secondary addresses of the NAT gateway with a network interface.
func natAddressItems(interfaceID string, all []store.NatAddress) []types.NatGatewayAddress {
	return list(all, func(address store.NatAddress) types.NatGatewayAddress {
		item := types.NatGatewayAddress{
			AllocationId: optionalString(address.AllocationID), AssociationId: optionalString(address.AssociationID),
			NetworkInterfaceId: optionalString(interfaceID), IsPrimary: aws.Bool(false),
			Status: types.NatGatewayAddressStatus(address.State),
		}
		if address.PrivateIP.IsValid() {
			item.PrivateIp = aws.String(address.PrivateIP.String())
		}
		if address.PublicIP.IsValid() {
			item.PublicIp = aws.String(address.PublicIP.String())
		}
		return item
	})
}
