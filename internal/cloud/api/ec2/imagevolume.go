package ec2

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// readMappings returns the mappings for an image by device, or EC2's error. A mapping without an EBS
// volume and without a virtual name removes the device.
func readMappings(mappings []types.BlockDeviceMapping) (map[string]types.BlockDeviceMapping, error) {
	byDevice := map[string]types.BlockDeviceMapping{}
	for _, m := range mappings {
		name := aws.ToString(m.DeviceName)
		_, twice := byDevice[name]
		kinds := 0
		for _, is := range []bool{m.Ebs != nil, m.VirtualName != nil, m.NoDevice != nil} {
			if is {
				kinds++
			}
		}
		switch {
		case name == "":
			return nil, wire.Errorf("InvalidBlockDeviceMapping", "Missing device name")
		case twice:
			return nil, wire.Errorf("InvalidBlockDeviceMapping",
				"The device '%s' is used in more than one block-device mapping", name)
		case kinds != 1:
			return nil, wire.Errorf("InvalidBlockDeviceMapping",
				"Exactly one of Ebs, NoDevice and VirtualName must be provided for: %s", name)
		case m.VirtualName != nil && !instanceStore.MatchString(*m.VirtualName):
			return nil, wire.Errorf("InvalidBlockDeviceMapping", "Invalid virtual name '%s'", *m.VirtualName)
		case m.Ebs != nil && m.Ebs.VolumeType != "" &&
			!slices.Contains(m.Ebs.VolumeType.Values(), m.Ebs.VolumeType):
			return nil, wire.Errorf("InvalidParameterValue", "Invalid value '%s' for VolumeType.", m.Ebs.VolumeType)
		}
		byDevice[name] = m
	}
	return byDevice, nil
}

// addGivenVolumes adds the volumes that a request describes, by device, to an image.
func (a *API) addGivenVolumes(r store.Reader, image *store.Image, given map[string]types.BlockDeviceMapping) error {
	for _, device := range slices.Sorted(maps.Keys(given)) {
		m := given[device]
		if m.NoDevice != nil {
			continue // there is no such device
		}
		v := imageVolume(m)
		if m.Ebs != nil {
			if v.SnapshotID == "" && v.Shape.SizeGiB == 0 {
				return noContent(device)
			}
			snapshot, err := checkImageSnapshot(r, image.Region, m.Ebs)
			if err != nil {
				return err
			}
			if snapshot != nil {
				if !snapshot.InFile && !a.Simulated {
					return unsupported(map[string]bool{
						"blockDeviceMapping.ebs.snapshotId of a root volume, but for the root device": true,
					})
				}
				v.Shape.SizeGiB = cmp.Or(v.Shape.SizeGiB, snapshot.SizeGiB)
			}
		}
		image.Volumes = append(image.Volumes, v)
	}
	return nil
}

// imageVolume returns what a mapping gives an image. Without a type, volumes are of gp2 (Amazon EC2
// API Reference, CreateVolume).
func imageVolume(m types.BlockDeviceMapping) store.ImageVolume {
	v := store.ImageVolume{Device: *m.DeviceName, VirtualName: aws.ToString(m.VirtualName)}
	if ebs := m.Ebs; ebs != nil {
		v.SnapshotID, v.Encrypted = aws.ToString(ebs.SnapshotId), aws.ToBool(ebs.Encrypted)
		v.DeleteOnTermination = ebs.DeleteOnTermination == nil || *ebs.DeleteOnTermination
		v.Shape = store.VolumeShape{
			Type: string(cmp.Or(ebs.VolumeType, types.VolumeTypeGp2)), SizeGiB: aws.ToInt32(ebs.VolumeSize),
			IOPS: aws.ToInt32(ebs.Iops), Throughput: aws.ToInt32(ebs.Throughput),
		}
	}
	return v
}

// noContent returns EC2's error for a volume that has neither a snapshot nor a size.
func noContent(device string) error {
	return wire.Errorf("InvalidBlockDeviceMapping",
		"Either snapshot ID or volume size must be provided for: %s", device)
}

// checkImageSnapshot returns the snapshot that a mapping for an image names, or nil if it names none,
// or EC2's error. An account can make images only of its own snapshots.
func checkImageSnapshot(r store.Reader, region identity.Region, ebs *types.EbsBlockDevice) (snap, error) {
	id := aws.ToString(ebs.SnapshotId)
	if id == "" {
		return nil, nil //nolint:nilnil // there is no snapshot, and no error
	}
	if ebs.Encrypted != nil {
		return nil, wire.Errorf("InvalidParameter", "Parameter encrypted is invalid. You cannot specify the encrypted "+
			"flag if specifying a snapshot id in a block device mapping.")
	}
	row, err := snapshots.get(r, region, id)
	if err != nil {
		return nil, err
	}
	switch size := aws.ToInt32(ebs.VolumeSize); {
	case row.Owner != region.Account():
		return nil, wire.Errorf(snapshots.notFoundCode, "The snapshot '%s' does not exist.", row.ID)
	case row.State != string(types.SnapshotStateCompleted):
		return nil, wire.Errorf("IncorrectState", "Snapshot is in invalid state - %s", row.State)
	case size != 0 && size < row.SizeGiB:
		return nil, wire.Errorf(
			"InvalidBlockDeviceMapping", "Volume of size %dGB is smaller than snapshot '%s', expect size >= %dGB",
			size, row.ID, row.SizeGiB,
		)
	}
	return row, nil
}

// snapshotsOf returns the ids of an image's snapshots, that of the root volume first.
func snapshotsOf(image *store.Image) []string {
	ids := []string{image.SnapshotID}
	for _, v := range image.Volumes {
		if v.SnapshotID != "" {
			ids = append(ids, v.SnapshotID)
		}
	}
	return ids
}

// mappedField returns a filter by a property of each of an image's volumes.
func mappedField(text func(*types.EbsBlockDevice) string) func(store.Reader, ami) []string {
	return func(r store.Reader, row ami) []string {
		var values []string
		for _, m := range imageMappings(r, row) {
			if m.Ebs == nil {
				continue
			}
			if value := text(m.Ebs); value != "" {
				values = append(values, value)
			}
		}
		return values
	}
}

// imageMappings returns the block device mappings of an image, that of its root volume first.
func imageMappings(r store.Reader, image *store.Image) []types.BlockDeviceMapping {
	var mappings []types.BlockDeviceMapping
	if snapshot, ok := store.Snapshots.Get(r, image.SnapshotID); ok {
		mappings = append(mappings, volumeMapping(r, store.ImageVolume{
			Device: image.RootDevice, SnapshotID: image.SnapshotID, DeleteOnTermination: !image.KeepRoot,
			Shape: store.VolumeShape{
				Type: image.RootVolumeType, SizeGiB: cmp.Or(image.RootSizeGiB, snapshot.SizeGiB),
				IOPS: image.RootIOPS, Throughput: image.RootThroughput,
			},
		}))
	}
	return append(mappings, volumeMappings(r, image)...)
}

// volumeMappings returns the block device mappings of an image, but for that of its root volume.
func volumeMappings(r store.Reader, image *store.Image) []types.BlockDeviceMapping {
	return list(image.Volumes, func(v store.ImageVolume) types.BlockDeviceMapping { return volumeMapping(r, v) })
}

// volumeMapping returns the block device mapping of a volume of an image.
func volumeMapping(r store.Reader, v store.ImageVolume) types.BlockDeviceMapping {
	if v.VirtualName != "" {
		return types.BlockDeviceMapping{DeviceName: aws.String(v.Device), VirtualName: aws.String(v.VirtualName)}
	}
	ebs := &types.EbsBlockDevice{
		SnapshotId: optionalString(v.SnapshotID), VolumeSize: aws.Int32(v.Shape.SizeGiB),
		VolumeType: types.VolumeType(v.Shape.Type), DeleteOnTermination: aws.Bool(v.DeleteOnTermination),
		Encrypted: aws.Bool(v.Encrypted), Throughput: optionalNumber(v.Shape.Throughput),
	}
	ebs.Iops = requestedIOPS(ebs.VolumeType, v.Shape.IOPS)
	if snapshot, ok := store.Snapshots.Get(r, v.SnapshotID); ok {
		ebs.Encrypted = aws.Bool(snapshot.Encrypted)
	}
	return types.BlockDeviceMapping{DeviceName: aws.String(v.Device), Ebs: ebs}
}

// requestedIOPS returns the IOPS of a volume in an image as a launch requests them: nil if its size
// decides, as for gp2.
func requestedIOPS(kind types.VolumeType, iops int32) *int32 {
	if volumeTypes[kind].maxIOPS == 0 {
		return nil
	}
	return optionalNumber(iops)
}

// withImageVolumes adds the volumes of an image to the mappings of a launch, unless those have the
// device: then what the launch leaves out is the image's.
func withImageVolumes(r store.Reader, image *store.Image, given []types.BlockDeviceMapping) []types.BlockDeviceMapping {
	merged := slices.Clone(given)
	for _, own := range volumeMappings(r, image) {
		if own.Ebs != nil && own.Ebs.SnapshotId != nil {
			own.Ebs.Encrypted = nil // the snapshot decides
		}
		at := slices.IndexFunc(merged, func(m types.BlockDeviceMapping) bool {
			return aws.ToString(m.DeviceName) == aws.ToString(own.DeviceName)
		})
		if at < 0 {
			merged = append(merged, own)
			continue
		}
		if own.Ebs != nil && merged[at].Ebs != nil && aws.ToString(merged[at].Ebs.SnapshotId) == "" {
			overlay(own.Ebs, merged[at].Ebs)
			merged[at].Ebs = own.Ebs
		}
	}
	return merged
}

// newSnapshot returns the row of a snapshot of a volume whose content is a file.
func (a *API) newSnapshot(volume *store.Volume, description string, completes time.Time) *store.Snapshot {
	return &store.Snapshot{
		ID: a.ids.ID(snapshots.prefix), Region: volume.Region, VolumeID: volume.ID, Owner: volume.Region.Account(),
		Description: description, SizeGiB: volume.SizeGiB, Started: a.Now().UTC(), CompletesAt: completes,
		Encrypted: volume.Encrypted, KeyARN: volume.KeyARN, InFile: true,
		State: string(types.SnapshotStatePending), Progress: "0%",
	}
}
