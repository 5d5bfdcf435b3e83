package ec2

import (
	"cmp"
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
)

const (
	maxUserData = 16 << 10 // bytes before base64 encoding (Amazon EC2 User Guide, user data)
	maxLaunched = 100      // instances in one request
)

// RunInstances launches instances with one configuration, which may come from a launch
// template.
func (a *API) RunInstances(ctx context.Context, in *ec2.RunInstancesInput) (*ec2.RunInstancesOutput, error) {
	var out *ec2.RunInstancesOutput
	err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		ids, err := a.launchOnce(ctx, tx, region, launchRequest{in: in, identity: in, seen: a.Store.Read(ctx)})
		if err != nil {
			return err
		}
		out = &ec2.RunInstancesOutput{OwnerId: aws.String(region.Account()), Groups: []types.GroupIdentifier{}}
		for _, id := range ids {
			row, _ := store.Instances.Get(tx, id)
			out.ReservationId = aws.String(row.ReservationID)
			out.Instances = append(out.Instances, instanceItem(tx)(row))
		}
		return nil
	})
	return out, err
}

// launchRequest is a request to launch instances, from a user or from another
// service.
type launchRequest struct {
	in       *ec2.RunInstancesInput
	subnetID string // if set, replaces the launch template's subnet
	// seen holds the subnets' attributes that the launch knows, which may be those of
	// a moment ago; nil: the present.
	seen     store.Reader
	identity any        // requests with the same client token must have equal identities
	reserved store.Tags // tags of instances that users may not set
	fleetID  string     // of the EC2 Fleet that launches; "": none
}

// launchOnce launches the requested instances and returns their ids. If the
// request's client token was used before, it returns the ids of that launch.
func (a *API) launchOnce(ctx context.Context, tx *store.Tx, region identity.Region, q launchRequest) ([]string, error) {
	token := tokenRequest{"RunInstances", q.in.ClientToken, q.identity, rowExists(tx, store.Instances)}
	return a.oncePerToken(tx, region, token, func() ([]string, error) {
		l, err := a.resolveLaunch(tx, region, q.in, q.subnetID)
		if err != nil {
			return nil, err
		}
		if err := a.passProfile(ctx, tx, l.profile); err != nil {
			return nil, err
		}
		if err := a.place(tx, l); err != nil {
			return nil, err
		}
		l.fleetID = q.fleetID
		if err := cmp.Or(
			l.checkPlacement(tx),
			a.limitLaunchInterfaces(l),
			a.limitVCPUs(tx, region, instanceTypeName(l.in), int(aws.ToInt32(l.in.MaxCount))),
		); err != nil {
			return nil, err
		}
		l.resolvePublicAddress(q.seen)
		l.setTags(types.ResourceTypeInstance, l.tags[types.ResourceTypeInstance], q.reserved)
		return a.createInstances(tx, l)
	})
}

// createInstances stores the instances of a launch, each with its network interfaces and its
// volumes, and returns their ids. It stores fewer than MaxCount if a subnet has no
// more free addresses.
func (a *API) createInstances(tx *store.Tx, l *launch) ([]string, error) {
	reservation, now := a.ids.ID("r-"), a.Now()
	if _, known := store.Images.Get(tx, l.image.ID); !known {
		store.Images.Put(tx, l.image)
	}
	var ids []string
	var err error
	for index := range l.most() {
		row := a.newInstance(l, reservation, index)
		row.Partition, row.Tenancy = l.nextPartition(tx), l.tenancy(tx)
		row.InterfaceIDs, row.SourceDestCheck, err = a.launchInterfaces(tx, l, row.ID)
		if errors.Is(err, addressing.ErrSubnetFull) && index >= aws.ToInt32(l.in.MinCount) {
			return ids, nil
		}
		if err != nil {
			return nil, launchAddressError(err, l)
		}
		volume := &store.Volume{
			ID:                  a.ids.ID("vol-"),
			Region:              row.Region,
			Zone:                row.Zone,
			SnapshotID:          l.snapshot.ID,
			Encrypted:           l.root.encrypted,
			KeyARN:              l.root.keyARN,
			InstanceID:          row.ID,
			Device:              l.image.RootDevice,
			DeleteOnTermination: !l.root.keep,
			Created:             now,
			AttachedAt:          now,
			Tags:                l.tags[types.ResourceTypeVolume],
			State:               "in-use",
		}
		setShape(volume, l.root.shape)
		store.Volumes.Put(tx, volume)
		row.RootVolumeID = volume.ID
		if err := a.launchVolumes(tx, l, row); err != nil {
			return nil, err
		}
		row.SettledAt = a.settles(row.ID, manners.StartInstance)
		if isSpot(l.in) {
			if err := a.addSpotRequest(tx, l, row); err != nil {
				return nil, err
			}
		}
		store.Instances.Put(tx, row)
		ids = append(ids, row.ID)
	}
	return ids, nil
}

// newInstance returns the row of an instance that is pending.
func (a *API) newInstance(l *launch, reservation string, index int32) *store.Instance {
	in := l.in
	t, _ := instancetype.ByName(instanceTypeName(in))
	row := &store.Instance{
		ID:                    a.ids.ID("i-"),
		Region:                l.subnet.Region,
		VPCID:                 l.subnet.VPCID,
		SubnetID:              l.subnet.ID,
		Zone:                  l.subnet.Zone,
		ReservationID:         reservation,
		ImageID:               l.image.ID,
		Type:                  instanceTypeName(in),
		KeyName:               aws.ToString(in.KeyName),
		UserData:              aws.ToString(in.UserData),
		ClientToken:           aws.ToString(in.ClientToken),
		LaunchIndex:           index,
		LaunchTime:            a.Now(),
		EBSOptimized:          aws.ToBool(in.EbsOptimized),
		DisableAPITermination: aws.ToBool(in.DisableApiTermination),
		DisableAPIStop:        aws.ToBool(in.DisableApiStop),
		ShutdownBehavior:      "stop",
		MetadataTokens:        "optional",
		MetadataEndpoint:      "enabled",
		MetadataHopLimit:      1,
		MetadataTags:          "disabled",
		CPUCredits:            defaultCredits(l.setting, t),
		Traits:                l.image.Traits,
		Layers:                l.layers,
		Tags:                  l.tags[types.ResourceTypeInstance],
		Desired:               store.Running,
		State:                 store.Pending,
	}
	if l.profile != nil {
		a.setProfile(row, l.profile)
	}
	if l.group != nil {
		row.PlacementGroupID = l.group.ID
	}
	row.FleetID = l.fleetID
	row.ResourceNames = resourceNames(l.subnet, in.PrivateDnsNameOptions)
	if o := in.CpuOptions; o != nil {
		row.CPUCores, row.CPUThreads = aws.ToInt32(o.CoreCount), aws.ToInt32(o.ThreadsPerCore)
	}
	if o := in.MaintenanceOptions; o != nil {
		row.AutoRecovery = string(o.AutoRecovery)
	}
	row.ReservationPreference = preferenceOf(in.CapacityReservationSpecification)
	if in.InstanceInitiatedShutdownBehavior != "" {
		row.ShutdownBehavior = string(in.InstanceInitiatedShutdownBehavior)
	}
	if in.Monitoring != nil {
		row.Monitoring = aws.ToBool(in.Monitoring.Enabled)
	}
	if in.CreditSpecification != nil {
		setIfGiven(&row.CPUCredits, aws.ToString(in.CreditSpecification.CpuCredits))
	}
	setMetadataOptions(row, imageMetadata(l.image.Traits))
	setMetadataOptions(row, metadataDefaults(l.setting.Metadata))
	setMetadataOptions(row, in.MetadataOptions)
	return row
}

// setIfGiven sets a field unless value is empty.
func setIfGiven(field *string, value string) {
	if value != "" {
		*field = value
	}
}
