package ec2

import (
	"context"
	"encoding/base64"
	"errors"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const (
	rootDevice  = "/dev/xvda"
	maxUserData = 16 << 10 // bytes before encoding (Amazon EC2 User Guide, user data)
	maxLaunched = 100
)

// launch is a RunInstances request, as far as it has been understood.
type launch struct {
	in        *ec2.RunInstancesInput // with what its launch template has
	image     *store.Image
	snapshot  *store.Snapshot
	subnet    *store.Subnet
	groups    []string
	privateIP netip.Addr
	keepNIC   bool   // when its instance is terminated
	about     string // description of the network interface
	public    bool
	tags      map[types.ResourceType]store.Tags
	own       store.Tags // of the instance: where it comes from
	sizeGiB   int32
	volume    string // type of the root volume
	keepRoot  bool   // when its instance is terminated
}

// RunInstances launches instances of one kind, from a launch template if one is
// named.
func (a *API) RunInstances(ctx context.Context, in *ec2.RunInstancesInput) (*ec2.RunInstancesOutput, error) {
	var out *ec2.RunInstancesOutput
	err := a.change(ctx, in.DryRun, func(tx *store.Tx, region string) error {
		ids, err := a.run(tx, region, in, in, nil)
		if err != nil {
			return err
		}
		out = &ec2.RunInstancesOutput{OwnerId: aws.String(identity.Account), Groups: []types.GroupIdentifier{}}
		for _, id := range ids {
			row, _ := store.Instances.Get(tx, id)
			out.ReservationId = aws.String(row.ReservationID)
			out.Instances = append(out.Instances, instanceItem(tx)(row))
		}
		return nil
	})
	return out, err
}

// run launches what a request asks for, with tags beside the user's. asked is
// what makes it the same request when its client token comes again.
func (a *API) run(
	tx *store.Tx,
	region string,
	in *ec2.RunInstancesInput,
	asked any,
	reserved store.Tags,
) ([]string, error) {
	launched := func(id string) bool { _, ok := store.Instances.Get(tx, id); return ok }
	return a.once(tx, region, "RunInstances", in.ClientToken, asked, launched, func() ([]string, error) {
		l, err := understand(tx, region, in)
		if err != nil {
			return nil, err
		}
		l.tag(types.ResourceTypeInstance, l.tags[types.ResourceTypeInstance], reserved)
		return a.launch(tx, l)
	})
}

// checkLaunch refuses what is wrong, or not offered, whatever the account holds.
func checkLaunch(in *ec2.RunInstancesInput) error {
	if err := required(parameter{"ImageId", in.ImageId}); err != nil {
		return err
	}
	least, most := aws.ToInt32(in.MinCount), aws.ToInt32(in.MaxCount)
	switch {
	case in.MinCount == nil:
		return missing("MinCount")
	case in.MaxCount == nil:
		return missing("MaxCount")
	case least < 1 || most < least:
		return wire.Errorf("InvalidParameterValue", "Invalid value for min or max count: %d, %d", least, most)
	case most > maxLaunched:
		return wire.Errorf("InstanceLimitExceeded", "At most %d instances can be launched by one request.", maxLaunched)
	}
	if err := checkInterfaces(in); err != nil {
		return err
	}
	data, err := base64.StdEncoding.DecodeString(aws.ToString(in.UserData))
	if err != nil {
		return wire.Errorf("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.")
	}
	if len(data) > maxUserData {
		return wire.Errorf("InvalidParameterValue", "User data is limited to 16384 bytes")
	}
	return checkOffered(in)
}

// checkInterfaces refuses what has its place in a network interface beside one.
func checkInterfaces(in *ec2.RunInstancesInput) error {
	for _, beside := range []struct {
		what string
		set  bool
	}{
		{
			"subnet ID", in.SubnetId != nil,
		}, {"security groups", len(in.SecurityGroupIds)+len(in.SecurityGroups) > 0}, {"private IP address", in.PrivateIpAddress != nil},
	} {
		if beside.set && len(in.NetworkInterfaces) > 0 {
			return wire.Errorf(
				"InvalidParameterCombination",
				"Network interfaces and an instance-level %s may not be specified on the same request",
				beside.what,
			)
		}
	}
	return nil
}

// resolve finds what the request names.
func (l *launch) resolve(r store.Reader, region string) error {
	id, err := imageID(r, region, *l.in.ImageId)
	if err != nil {
		return err
	}
	if l.image, err = imageOf(r, region, id); err != nil {
		return err
	}
	if l.image.State != "available" {
		return wire.Errorf(
			"InvalidAMIID.Unavailable",
			"The image ID '%s' is not available: it is %s. %s",
			l.image.ID,
			l.image.State,
			l.image.StateReason,
		)
	}
	l.snapshot, _ = store.Snapshots.Get(r, l.image.SnapshotID)
	if l.snapshot == nil {
		return wire.Errorf("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", l.image.SnapshotID)
	}
	if _, ok := instancetype.ByName(typeOf(l.in)); !ok {
		return wire.Errorf("InvalidParameterValue", "Invalid value '%s' for InstanceType.", l.in.InstanceType)
	}
	if name := aws.ToString(l.in.KeyName); name != "" && len(store.KeyPairs.By(r, "name", region+"/"+name)) == 0 {
		return wire.Errorf("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", name)
	}
	if err := l.disk(); err != nil {
		return err
	}
	return l.place(r, region)
}

func typeOf(in *ec2.RunInstancesInput) string {
	if in.InstanceType == "" {
		return "m1.small" // EC2's default, which is not offered here
	}
	return string(in.InstanceType)
}

// disk reads the wishes for the root volume.
func (l *launch) disk() error {
	l.sizeGiB, l.volume = l.snapshot.SizeGiB, "gp3"
	for _, mapping := range l.in.BlockDeviceMappings {
		if aws.ToString(mapping.DeviceName) != rootDevice || mapping.Ebs == nil {
			return unsupported(map[string]bool{"blockDeviceMapping: " + aws.ToString(mapping.DeviceName): true})
		}
		if size := aws.ToInt32(mapping.Ebs.VolumeSize); size != 0 {
			if size < l.snapshot.SizeGiB {
				return wire.Errorf(
					"InvalidBlockDeviceMapping",
					"Volume of size %dGB is smaller than snapshot '%s', expect size >= %dGB",
					size,
					l.snapshot.ID,
					l.snapshot.SizeGiB,
				)
			}
			l.sizeGiB = size
		}
		if mapping.Ebs.VolumeType != "" {
			l.volume = string(mapping.Ebs.VolumeType)
		}
		l.keepRoot = mapping.Ebs.DeleteOnTermination != nil && !*mapping.Ebs.DeleteOnTermination
	}
	return nil
}

// place finds subnet, groups and addresses.
func (l *launch) place(r store.Reader, region string) (err error) {
	subnetID, ids, address := l.in.SubnetId, l.in.SecurityGroupIds, aws.ToString(l.in.PrivateIpAddress)
	var wish *bool
	if len(l.in.NetworkInterfaces) == 1 {
		nic := l.in.NetworkInterfaces[0]
		subnetID, ids, address, wish = nic.SubnetId, nic.Groups, aws.ToString(nic.PrivateIpAddress),
			nic.AssociatePublicIpAddress
		l.about, l.keepNIC = aws.ToString(nic.Description), nic.DeleteOnTermination != nil && !*nic.DeleteOnTermination
	}
	if l.subnet, err = subnetFor(r, region, subnetID, l.in.Placement); err != nil {
		return err
	}
	l.public = l.subnet.MapPublicIPOnLaunch
	if wish != nil {
		l.public = *wish
	}
	if len(l.in.SecurityGroups) > 0 && aws.ToString(subnetID) != "" {
		return wire.Errorf(
			"InvalidParameterCombination",
			"The parameter groupName cannot be used with the parameter subnet",
		)
	}
	if address != "" {
		if l.privateIP, err = netip.ParseAddr(address); err != nil {
			return wire.Errorf("InvalidParameterValue", "Invalid value '%s' for privateIpAddress.", address)
		}
	}
	l.groups, err = groupsFor(r, region, l.subnet, ids, l.in.SecurityGroups)
	return err
}

// subnetFor is the subnet asked for, or the default one of the zone.
func subnetFor(r store.Reader, region string, id *string, placement *types.Placement) (*store.Subnet, error) {
	zone := ""
	if placement != nil {
		zone = aws.ToString(placement.AvailabilityZone)
	}
	if aws.ToString(id) != "" {
		subnet, err := subnets.get(r, region, *id)
		if err == nil && zone != "" && subnet.Zone != zone {
			return nil, wire.Errorf(
				"InvalidParameterValue", "The availability zone '%s' is not that of subnet '%s'.", zone, subnet.ID,
			)
		}
		return subnet, err
	}
	for _, subnet := range store.Subnets.By(r, "region", region) {
		if subnet.DefaultForAZ && (zone == "" || subnet.Zone == zone) {
			return subnet, nil
		}
	}
	return nil, wire.Errorf("MissingInput", "No subnets found for the default VPC. Please specify a subnet.")
}

// groupsFor are the groups asked for, or the default one of the VPC.
func groupsFor(r store.Reader, region string, subnet *store.Subnet, ids, names []string) ([]string, error) {
	var groups []string
	for _, id := range ids {
		group, err := securityGroups.get(r, region, id)
		if err != nil {
			return nil, err
		}
		if group.VPCID != subnet.VPCID {
			return nil, wire.Errorf(
				"InvalidParameter", "Security group %s and subnet %s belong to different networks.", id, subnet.ID,
			)
		}
		groups = append(groups, group.ID)
	}
	if len(names) == 0 && len(ids) == 0 {
		names = []string{"default"}
	}
	for _, name := range names {
		group, ok := groupNamed(r, subnet.VPCID, name)
		if !ok {
			return nil, wire.Errorf(
				"InvalidGroup.NotFound", "The security group '%s' does not exist in VPC '%s'", name, subnet.VPCID,
			)
		}
		groups = append(groups, group.ID)
	}
	return groups, nil
}

// launch writes the instances down, each with its interface and root volume.
func (a *API) launch(tx *store.Tx, l *launch) ([]string, error) {
	reservation, now := a.ids.ID("r-"), a.Now()
	var ids []string
	for index := range aws.ToInt32(l.in.MaxCount) {
		row := a.instanceRow(l, reservation, index)
		wish := addressing.Wish{
			Subnet: l.subnet, PrivateIP: l.privateIP, GroupIDs: l.groups, Description: l.about,
			Tags:       l.tags[types.ResourceTypeNetworkInterface],
			InstanceID: row.ID, DeleteOnTermination: !l.keepNIC, AttachedAt: now,
		}
		if l.public {
			wish.PublicFrom = a.PublicRange
		}
		eni, err := addressing.NewInterface(tx, a.ids, wish)
		switch {
		case errors.Is(err, addressing.ErrSubnetFull) && index >= aws.ToInt32(l.in.MinCount):
			return ids, nil
		case errors.Is(err, addressing.ErrSubnetFull):
			return nil, wire.Errorf(
				"InsufficientFreeAddressesInSubnet", "Not enough free addresses in subnet '%s'", l.subnet.ID,
			)
		case errors.Is(err, addressing.ErrInUse):
			return nil, wire.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", l.privateIP)
		case errors.Is(err, addressing.ErrPublicSpent):
			return nil, wire.Errorf("InsufficientFreeAddresses", "There are no free public addresses.")
		case err != nil:
			return nil, wire.Errorf(
				"InvalidParameterValue",
				"Address does not fall within the subnet's address range, or is reserved: %v",
				err,
			)
		}
		volume := &store.Volume{
			ID:     a.ids.ID("vol-"),
			Region: row.Region, Zone: row.Zone, SizeGiB: l.sizeGiB, Type: l.volume, IOPS: 3000, Throughput: 125,
			SnapshotID: l.snapshot.ID,
			InstanceID: row.ID, Device: rootDevice, DeleteOnTermination: !l.keepRoot, Created: now, AttachedAt: now,
			Tags: l.tags[types.ResourceTypeVolume], State: "in-use",
		}
		store.Volumes.Put(tx, volume)
		row.InterfaceIDs, row.RootVolumeID = []string{eni.ID}, volume.ID
		store.Instances.Put(tx, row)
		ids = append(ids, row.ID)
	}
	return ids, nil
}

func (a *API) instanceRow(l *launch, reservation string, index int32) *store.Instance {
	in := l.in
	t, _ := instancetype.ByName(typeOf(in))
	row := &store.Instance{
		ID:     a.ids.ID("i-"),
		Region: l.subnet.Region, VPCID: l.subnet.VPCID, SubnetID: l.subnet.ID, Zone: l.subnet.Zone,
		ReservationID: reservation,
		ImageID:       l.image.ID, Type: typeOf(in), KeyName: aws.ToString(in.KeyName), UserData: aws.ToString(in.UserData),
		ClientToken: aws.ToString(in.ClientToken),
		LaunchIndex: index, LaunchTime: a.Now(), EBSOptimized: aws.ToBool(in.EbsOptimized), SourceDestCheck: true,
		DisableAPITermination: aws.ToBool(in.DisableApiTermination),
		DisableAPIStop:        aws.ToBool(in.DisableApiStop), ShutdownBehavior: "stop",
		MetadataTokens: "optional", MetadataEndpoint: "enabled", MetadataHopLimit: 1, MetadataTags: "disabled",
		CPUCredits: t.CPUCredits,
		Layers:     l.snapshot.Layers, Tags: l.tags[types.ResourceTypeInstance], Wanted: store.Running,
		State: store.Pending,
	}
	if in.InstanceInitiatedShutdownBehavior != "" {
		row.ShutdownBehavior = string(in.InstanceInitiatedShutdownBehavior)
	}
	if in.Monitoring != nil {
		row.Monitoring = aws.ToBool(in.Monitoring.Enabled)
	}
	if in.CreditSpecification != nil {
		override(&row.CPUCredits, aws.ToString(in.CreditSpecification.CpuCredits))
	}
	if m := in.MetadataOptions; m != nil {
		override(&row.MetadataTokens, string(m.HttpTokens))
		override(&row.MetadataEndpoint, string(m.HttpEndpoint))
		override(&row.MetadataTags, string(m.InstanceMetadataTags))
		if m.HttpPutResponseHopLimit != nil {
			row.MetadataHopLimit = *m.HttpPutResponseHopLimit
		}
	}
	return row
}

func override(field *string, value string) {
	if value != "" {
		*field = value
	}
}
