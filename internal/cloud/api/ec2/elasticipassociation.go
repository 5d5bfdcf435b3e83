package ec2

import (
	"context"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// AssociateAddress makes an Elastic IP address that of an instance or a network
// interface. The public address that was assigned to it automatically is released.
//
// Without AllowReassociation, an address or interface that has another association is
// refused: that is what clients report of requests that leave the parameter out
// (ansible/ansible, issue 27385; NixOS/nixops-aws, pull request 143).
func (a *API) AssociateAddress(
	ctx context.Context, in *ec2.AssociateAddressInput,
) (*ec2.AssociateAddressOutput, error) {
	if err := checkAssociateAddress(in); err != nil {
		return nil, err
	}
	out := &ec2.AssociateAddressOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		address, err := namedElasticIP(tx, region, in.AllocationId, in.PublicIp)
		if err != nil {
			return err
		}
		eni, err := associatedInterface(tx, region, in)
		if err != nil {
			return err
		}
		private, err := associatedAddress(eni, in.PrivateIpAddress)
		if err != nil {
			return err
		}
		if len(store.InternetGatewaysByVPC.List(tx, eni.VPCID)) == 0 {
			return wire.Errorf("Gateway.NotAttached", "Network %s is not attached to any internet gateway", eni.VPCID)
		}
		if address.InterfaceID == eni.ID && addressing.MappedTo(address, eni) == private {
			out.AssociationId = aws.String(address.AssociationID)
			return nil
		}
		if err := checkReassociation(tx, address, eni, private, aws.ToBool(in.AllowReassociation)); err != nil {
			return err
		}
		before := address.InterfaceID
		out.AssociationId = aws.String(addressing.Associate(tx, a.ids, address, eni, private))
		return a.restoreAutomatic(tx, before)
	})
}

func checkAssociateAddress(in *ec2.AssociateAddressInput) error {
	instance, eni := aws.ToString(in.InstanceId), aws.ToString(in.NetworkInterfaceId)
	allocation, public := aws.ToString(in.AllocationId), aws.ToString(in.PublicIp)
	switch {
	case allocation != "" && public != "":
		return errBothAddresses()
	case allocation == "" && public == "":
		return wire.Errorf("MissingParameter", "Either public IP or allocation id must be specified")
	case instance == "" && eni == "":
		return wire.Errorf("MissingParameter", "Either instance ID or network interface id must be specified")
	}
	return nil
}

// namedElasticIP returns the Elastic IP address that a request names in one of two
// ways.
func namedElasticIP(r store.Reader, region identity.Region, allocation, public *string) (*store.ElasticIP, error) {
	if aws.ToString(allocation) != "" {
		return elasticIPs.get(r, region, *allocation)
	}
	return elasticIPByAddress(r, region, *public)
}

// associatedInterface returns the network interface that a request names itself or by
// its instance. The instance decides if there are both: Terraform's provider moves an address to
// another instance with the interface of the one before (terraform-provider-aws, resource aws_eip;
// terraform-provider-aws#6476, #26718).
func associatedInterface(r store.Reader, region identity.Region, in *ec2.AssociateAddressInput) (nic, error) {
	if id := aws.ToString(in.NetworkInterfaceId); aws.ToString(in.InstanceId) == "" {
		found, err := networkInterfaces.get(r, region, id)
		if err != nil {
			return nil, err
		}
		if err := checkNotManaged(r, id); err != nil {
			return nil, err
		}
		if owner, ok := store.Instances.Get(r, found.InstanceID); ok && !canHaveAddress(owner) {
			return nil, wire.Errorf(
				"IncorrectInstanceState",
				"The %s instance to which '%s' is attached is not in a valid state for this operation",
				owner.State, id,
			)
		}
		return found, nil
	}
	instance, err := instances.get(r, region, *in.InstanceId)
	if err != nil {
		return nil, err
	}
	if !canHaveAddress(instance) {
		return nil, wire.Errorf(
			"InvalidInstanceID", "The %s instance '%s' is not in a valid state for this operation.",
			instance.State, instance.ID,
		)
	}
	return soleInterface(r, instance)
}

// soleInterface returns the network interface of an instance that has one. EC2 refuses to
// choose among several.
func soleInterface(r store.Reader, row vm) (nic, error) {
	attached := store.NetworkInterfacesByInstance.List(r, row.ID)
	switch len(attached) {
	case 0:
		return nil, wire.Errorf("InvalidInstanceID", "There is no interface attached to instance '%s'.", row.ID)
	case 1:
		return attached[0], nil
	}
	return nil, wire.Errorf("InvalidInstanceID", "There are multiple interfaces attached to instance '%s'. "+
		"Please specify an interface ID for the operation instead.", row.ID)
}

// associatedAddress returns the private address of an interface that a request names: by
// default the primary one.
func associatedAddress(eni nic, text *string) (netip.Addr, error) {
	switch {
	case !eni.PrivateIP.IsValid():
		return netip.Addr{}, errNoIPv4(eni.SubnetID)
	case aws.ToString(text) == "":
		return eni.PrivateIP, nil
	}
	private, err := netip.ParseAddr(*text)
	if err != nil || !eni.Has(private) {
		return private, wire.Errorf("InvalidParameterValue", "%s is not mapped to the interface %s", *text, eni.ID)
	}
	return private, nil
}

// canHaveAddress reports whether an Elastic IP address can be associated with an
// instance in its present state.
func canHaveAddress(row vm) bool {
	return slices.Contains([]string{store.Running, store.Stopping, store.Stopped}, row.State)
}

// checkReassociation refuses an address or an interface that has an association which
// the request does not allow to end.
func checkReassociation(
	r store.Reader, address *store.ElasticIP, eni nic, private netip.Addr, allowed bool,
) error {
	if err := checkNotManaged(r, address.InterfaceID); err != nil {
		return err
	}
	if allowed {
		return nil
	}
	if address.AssociationID != "" {
		return wire.Errorf(
			"Resource.AlreadyAssociated",
			"resource %s is already associated with associate-id %s", address.ID, address.AssociationID,
		)
	}
	if other := addressing.ElasticIPOf(r, eni, private); other != nil {
		return wire.Errorf(
			"Resource.AlreadyAssociated", "resource %s and %s is already associated with public address %s",
			eni.ID, private, other.PublicIP,
		)
	}
	return nil
}

// restoreAutomatic assigns a public address to an interface that lost its Elastic IP
// address, if its instance was launched with one and runs (Amazon EC2 User Guide,
// Elastic IP addresses).
func (a *API) restoreAutomatic(tx *store.Tx, interfaceID string) error {
	eni, ok := store.NetworkInterfaces.Get(tx, interfaceID)
	if !ok || !eni.PublicOnStart || eni.PublicIP.IsValid() {
		return nil
	}
	if owner, ok := store.Instances.Get(tx, eni.InstanceID); !ok || owner.State != store.Running {
		return nil
	}
	return a.assignPublicAddress(tx, interfaceID)
}

// DisassociateAddress ends the association of an Elastic IP address.
func (a *API) DisassociateAddress(
	ctx context.Context, in *ec2.DisassociateAddressInput,
) (*ec2.DisassociateAddressOutput, error) {
	association := aws.ToString(in.AssociationId)
	switch {
	case association == "" && aws.ToString(in.PublicIp) != "":
		return nil, wire.Errorf(
			"InvalidParameterValue",
			"You must specify an association id when unmapping an address from a VPC instance",
		)
	case association == "":
		return nil, missingParameter("AssociationId")
	case aws.ToString(in.PublicIp) != "":
		return nil, wire.Errorf(
			"InvalidParameterCombination",
			"You may specify public IP or association id, but not both in the same call",
		)
	}
	return &ec2.DisassociateAddressOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		rows := store.ElasticIPs.InRegion(tx, region)
		i := slices.IndexFunc(rows, func(row *store.ElasticIP) bool { return row.AssociationID == association })
		if i < 0 {
			return wire.Errorf(
				"InvalidAssociationID.NotFound", "The association ID '%s' does not exist", association,
			)
		}
		if err := checkNotManaged(tx, rows[i].InterfaceID); err != nil {
			return err
		}
		addressing.Disassociate(tx, rows[i])
		return a.restoreAutomatic(tx, rows[i].InterfaceID)
	})
}
