package ec2

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// AttachNetworkInterface attaches a network interface to a running or stopped instance.
func (a *API) AttachNetworkInterface(
	ctx context.Context, in *ec2.AttachNetworkInterfaceInput,
) (*ec2.AttachNetworkInterfaceOutput, error) {
	if err := required(
		parameter{"networkInterfaceId", in.NetworkInterfaceId}, parameter{"instanceId", in.InstanceId},
	); err != nil {
		return nil, err
	}
	if in.DeviceIndex == nil {
		return nil, missingParameter("deviceIndex")
	}
	// Zero, the network card that every type has, counts as not set.
	if err := supportOnly(in, "DryRun", "NetworkInterfaceId", "InstanceId", "DeviceIndex"); err != nil {
		return nil, err
	}
	out := &ec2.AttachNetworkInterfaceOutput{NetworkCardIndex: aws.Int32(0)}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		eni, err := networkInterfaces.get(tx, region, *in.NetworkInterfaceId)
		if err != nil {
			return err
		}
		instance, err := instances.get(tx, region, *in.InstanceId)
		if err != nil {
			return err
		}
		if err := checkInterfaceAttachment(tx, eni, instance, *in.DeviceIndex); err != nil {
			return err
		}
		out.AttachmentId = aws.String(addressing.Attach(tx, a.ids, eni.ID, addressing.Attachment{
			InstanceID: instance.ID, DeviceIndex: *in.DeviceIndex, At: a.Now().UTC(),
		}))
		return nil
	})
}

// checkInterfaceAttachment refuses to attach a network interface that is attached, and what
// an instance cannot have. The messages about the limits and the device index are those
// that clients report.
func checkInterfaceAttachment(r store.Reader, eni nic, instance vm, index int32) error {
	attached := store.NetworkInterfacesByInstance.List(r, instance.ID)
	switch {
	case eni.RequesterManaged:
		return attachmentNotPermitted()
	case eni.AttachmentID != "":
		return interfaceInUse(eni)
	case instance.State != store.Running && instance.State != store.Stopped:
		return wire.Errorf("IncorrectState", "Instance '%s' is not 'running' or 'stopped'.", instance.ID)
	case eni.Zone != instance.Zone:
		return errInterfaceZone()
	case eni.VPCID != instance.VPCID:
		return unsupported(map[string]bool{"networkInterfaceId of another VPC than that of the instance": true})
	case index < 0:
		return wire.Errorf("InvalidParameterValue", "Invalid value '%d' for deviceIndex.", index)
	case slices.ContainsFunc(attached, func(other nic) bool { return other.DeviceIndex == index }):
		return wire.Errorf("InvalidParameterValue",
			"Instance '%s' already has an interface attached at device index '%d'.", instance.ID, index)
	}
	return checkInterfaceCounts(instance.Type, len(attached)+1, eni.ID, len(eni.Addresses()))
}

// checkInterfaceCounts refuses more network interfaces than an instance of a type can have,
// and more private addresses than one of its interfaces can have. interfaceID is empty for
// an interface that does not exist yet.
func checkInterfaceCounts(instanceType string, interfaces int, interfaceID string, addresses int) error {
	t, ok := instancetype.ByName(instanceType)
	switch {
	case !ok:
		return nil // the instance is of a type that the catalogue lost
	case interfaces > t.Interfaces:
		return wire.Errorf(
			"AttachmentLimitExceeded", "Interface count %d exceeds the limit for %s", interfaces, instanceType,
		)
	case addresses > t.AddressesEach && interfaceID == "":
		return errAddressLimit()
	case addresses > t.AddressesEach:
		return wire.Errorf(
			"InvalidInterface.IpAddressLimitExceeded", "Address count %d on interface%s exceeds the limit for %s",
			addresses, strings.TrimPrefix(interfaceID, "eni"), instanceType, // as in cilium/cilium, issue 9730
		)
	}
	return nil
}

func errInterfaceZone() error {
	return wire.Errorf("InvalidParameterCombination", "You may not attach a network interface to an instance if "+
		"they are not in the same availability zone")
}

func interfaceInUse(eni nic) error {
	return wire.Errorf("InvalidNetworkInterface.InUse", "Interface: [%s] in use.", eni.ID)
}

// attachmentNotPermitted refuses to change what a service has attached.
func attachmentNotPermitted() error {
	return wire.Errorf("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.")
}

// DetachNetworkInterface detaches a network interface from its instance, which keeps its
// primary one.
func (a *API) DetachNetworkInterface(
	ctx context.Context, in *ec2.DetachNetworkInterfaceInput,
) (*ec2.DetachNetworkInterfaceOutput, error) {
	if err := required(parameter{"attachmentId", in.AttachmentId}); err != nil {
		return nil, err
	}
	// Force skips the operating system, which does not take part in a detachment here.
	if err := supportOnly(in, "DryRun", "AttachmentId", "Force"); err != nil {
		return nil, err
	}
	out := &ec2.DetachNetworkInterfaceOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		rows := store.NetworkInterfaces.InRegion(tx, region)
		i := slices.IndexFunc(rows, func(row nic) bool { return row.AttachmentID == *in.AttachmentId })
		switch {
		case i < 0:
			return wire.Errorf("InvalidAttachmentID.NotFound",
				"The interface attachment '%s' does not exist.", *in.AttachmentId)
		case rows[i].RequesterManaged:
			return attachmentNotPermitted()
		case rows[i].DeviceIndex == 0:
			return wire.Errorf("OperationNotPermitted",
				"The network interface at device index 0 and networkCard index 0 cannot be detached.")
		}
		addressing.Detach(tx, rows[i])
		return nil
	})
}
