package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ModifyNetworkInterfaceAttribute changes one attribute of a network interface.
func (a *API) ModifyNetworkInterfaceAttribute(
	ctx context.Context, in *ec2.ModifyNetworkInterfaceAttributeInput,
) (*ec2.ModifyNetworkInterfaceAttributeOutput, error) {
	if err := required(parameter{"networkInterfaceId", in.NetworkInterfaceId}); err != nil {
		return nil, err
	}
	if err := supportOnly(
		in, "DryRun", "NetworkInterfaceId", "Attachment.AttachmentId", "Attachment.DeleteOnTermination", "Description",
		"Groups", "SourceDestCheck", "EnablePrimaryIpv6",
	); err != nil {
		return nil, err
	}
	if err := requireOne(map[string]bool{
		"attachment":        in.Attachment != nil,
		"description":       in.Description != nil,
		"groupSet":          len(in.Groups) > 0,
		"sourceDestCheck":   in.SourceDestCheck != nil,
		"enablePrimaryIpv6": in.EnablePrimaryIpv6 != nil,
	}); err != nil {
		return nil, err
	}
	out := &ec2.ModifyNetworkInterfaceAttributeOutput{}
	return out, a.changeInterface(ctx, in.DryRun, *in.NetworkInterfaceId, func(tx *store.Tx, eni nic) error {
		switch {
		case in.Attachment != nil:
			return modifyAttachment(tx, eni, in.Attachment)
		case in.SourceDestCheck != nil:
			setSourceDestCheck(tx, eni, isTrue(in.SourceDestCheck))
			return nil
		case in.EnablePrimaryIpv6 != nil:
			return setPrimaryIPv6(tx, eni, *in.EnablePrimaryIpv6)
		case len(in.Groups) > 0:
			subnet, err := subnets.get(tx, eni.Region, eni.SubnetID)
			if err != nil {
				return err
			}
			return a.replaceInterfaceGroups(tx, eni.Region, eni, subnet, in.Groups)
		}
		store.NetworkInterfaces.Edit(tx, eni.ID, func(row *store.NetworkInterface) {
			row.Description = aws.ToString(in.Description.Value)
		})
		return nil
	})
}

// changeInterface changes a network interface that is not a service's.
func (a *API) changeInterface(
	ctx context.Context, dryRun *bool, id string, change func(tx *store.Tx, eni nic) error,
) error {
	return a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		eni, err := networkInterfaces.get(tx, region, id)
		if err != nil {
			return err
		}
		if err := checkNotManaged(tx, id); err != nil {
			return err
		}
		return change(tx, eni)
	})
}

// modifyAttachment sets whether the network interface is deleted when its instance
// terminates.
func modifyAttachment(tx *store.Tx, eni nic, to *types.NetworkInterfaceAttachmentChanges) error {
	switch {
	case aws.ToString(to.AttachmentId) == "":
		return missingParameter("attachment.attachmentId")
	case *to.AttachmentId != eni.AttachmentID:
		return wire.Errorf("InvalidAttachmentID.NotFound",
			"The interface attachment '%s' does not exist.", *to.AttachmentId)
	case to.DeleteOnTermination == nil:
		return missingParameter("attachment.deleteOnTermination")
	}
	store.NetworkInterfaces.Edit(tx, eni.ID, func(row *store.NetworkInterface) {
		row.DeleteOnTermination = *to.DeleteOnTermination
	})
	return nil
}

// setSourceDestCheck sets whether an interface drops packets that are neither from nor to
// it. That of the primary interface is its instance's.
func setSourceDestCheck(tx *store.Tx, eni nic, check bool) {
	store.NetworkInterfaces.Edit(tx, eni.ID, func(row *store.NetworkInterface) { row.SourceDestCheck = check })
	if eni.DeviceIndex == 0 {
		store.Instances.Edit(tx, eni.InstanceID, func(row *store.Instance) { row.SourceDestCheck = check })
	}
}

// ResetNetworkInterfaceAttribute sets the source/destination check of a network interface,
// the only attribute that can be reset, to true.
func (a *API) ResetNetworkInterfaceAttribute(
	ctx context.Context, in *ec2.ResetNetworkInterfaceAttributeInput,
) (*ec2.ResetNetworkInterfaceAttributeOutput, error) {
	if err := required(parameter{"networkInterfaceId", in.NetworkInterfaceId}); err != nil {
		return nil, err
	}
	if in.SourceDestCheck == nil {
		return nil, missingParameter("sourceDestCheck")
	}
	out := &ec2.ResetNetworkInterfaceAttributeOutput{}
	return out, a.changeInterface(ctx, in.DryRun, *in.NetworkInterfaceId, func(tx *store.Tx, eni nic) error {
		setSourceDestCheck(tx, eni, true)
		return nil
	})
}
