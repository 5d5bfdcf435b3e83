package ec2

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// volumeType describes the limits of volumes of one type (Amazon EBS User Guide, Amazon EBS volume types).
type volumeType struct {
	minGiB, maxGiB   int32
	minIOPS, maxIOPS int32 // that a request can ask for; zero: none
	perGiB           int32 // most IOPS per GiB
	needsIOPS        bool
	iops             int32 // of a request that does not ask for any
	throughput       int32 // in MiB/s, of a request that does not ask for any; zero: it cannot
	maxThroughput    int32
	multiAttach      bool
}

var volumeTypes = map[types.VolumeType]volumeType{
	types.VolumeTypeGp3: {
		minGiB: 1, maxGiB: 65536, minIOPS: 3000, maxIOPS: 80000, perGiB: 500, iops: 3000,
		throughput: 125, maxThroughput: 2000,
	},
	types.VolumeTypeGp2: {minGiB: 1, maxGiB: 16384},
	types.VolumeTypeIo1: {
		minGiB: 4, maxGiB: 16384, minIOPS: 100, maxIOPS: 64000, perGiB: 50, needsIOPS: true, multiAttach: true,
	},
	types.VolumeTypeIo2: {
		minGiB: 4, maxGiB: 65536, minIOPS: 100, maxIOPS: 256000, perGiB: 1000, needsIOPS: true, multiAttach: true,
	},
	types.VolumeTypeSt1:      {minGiB: 125, maxGiB: 16384},
	types.VolumeTypeSc1:      {minGiB: 125, maxGiB: 16384},
	types.VolumeTypeStandard: {minGiB: 1, maxGiB: 1024},
}

// shape returns what a request asks for, completed with the defaults of its type, or AWS's
// error.
func shape(kind types.VolumeType, sizeGiB int32, iops, throughput *int32, multiAttach bool) (store.VolumeShape, error) {
	t, known := volumeTypes[kind]
	s := store.VolumeShape{
		Type: string(kind), SizeGiB: sizeGiB, IOPS: aws.ToInt32(iops), Throughput: aws.ToInt32(throughput),
		MultiAttach: multiAttach,
	}
	switch {
	case !known:
		return s, wire.Errorf("UnknownVolumeType", "Unsupported volume type '%s' for volume creation.", kind)
	case sizeGiB < t.minGiB || sizeGiB > t.maxGiB:
		return s, wire.Errorf("InvalidParameterValue", "Volume of %dGiB is outside of the range of %s volumes: "+
			"%d to %dGiB.", sizeGiB, kind, t.minGiB, t.maxGiB)
	case multiAttach && !t.multiAttach:
		return s, wire.Errorf("InvalidParameterCombination",
			"The parameter multiAttachEnabled is not supported for %s volumes.", kind)
	}
	if err := cmp.Or(t.checkIOPS(s), t.checkThroughput(s)); err != nil {
		return s, err
	}
	s.IOPS, s.Throughput = cmp.Or(s.IOPS, t.iops), cmp.Or(s.Throughput, t.throughput)
	if kind == types.VolumeTypeGp2 {
		s.IOPS = min(max(3*sizeGiB, 100), 16000)
	}
	if s.Throughput > 0 && s.Throughput*4 > s.IOPS {
		return s, wire.Errorf("InvalidParameterValue", "Throughput (MiBps) to iops ratio of %f is too high; maximum "+
			"is 0.250000 MiBps per iops", float64(s.Throughput)/float64(s.IOPS))
	}
	return s, nil
}

// checkIOPS refuses the IOPS of a request that volumes of the type cannot have; zero: it asks
// for none.
func (t volumeType) checkIOPS(s store.VolumeShape) error {
	switch {
	case s.IOPS == 0 && t.needsIOPS:
		return wire.Errorf("MissingParameter", "The parameter iops must be specified for %s volumes.", s.Type)
	case s.IOPS == 0:
		return nil
	case t.maxIOPS == 0:
		return wire.Errorf(
			"InvalidParameterCombination", "The parameter iops is not supported for %s volumes.", s.Type,
		)
	case s.IOPS < t.minIOPS || s.IOPS > t.maxIOPS:
		return wire.Errorf("InvalidParameterValue", "Volume iops of %d is outside of the range of %s volumes: "+
			"%d to %d.", s.IOPS, s.Type, t.minIOPS, t.maxIOPS)
	case s.IOPS > t.iops && s.IOPS > t.perGiB*s.SizeGiB:
		return wire.Errorf("InvalidParameterValue", "Iops to volume size ratio of %f is too high; maximum is %d",
			float64(s.IOPS)/float64(s.SizeGiB), t.perGiB)
	}
	return nil
}

// checkThroughput refuses the throughput of a request that volumes of the type cannot have;
// zero: it asks for none.
func (t volumeType) checkThroughput(s store.VolumeShape) error {
	switch {
	case s.Throughput == 0:
		return nil
	case t.throughput == 0:
		return wire.Errorf(
			"InvalidParameterCombination", "The parameter throughput is not supported for %s volumes.", s.Type,
		)
	case s.Throughput < t.throughput || s.Throughput > t.maxThroughput:
		return wire.Errorf("InvalidParameterValue", "Throughput of %d MiB/s is outside of the range of %s volumes: "+
			"%d to %d.", s.Throughput, s.Type, t.throughput, t.maxThroughput)
	}
	return nil
}

// CreateVolume creates a volume, which is empty or has the content of a snapshot.
func (a *API) CreateVolume(ctx context.Context, in *ec2.CreateVolumeInput) (*ec2.CreateVolumeOutput, error) {
	if err := supportOnly(in, "DryRun", "AvailabilityZone", "AvailabilityZoneId", "Size", "SnapshotId", "VolumeType",
		"Iops", "Throughput", "Encrypted", "KmsKeyId", "MultiAttachEnabled", "ClientToken",
		"TagSpecifications"); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeVolume)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateVolumeOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{operation: "CreateVolume", token: in.ClientToken, input: in}
		row, err := volumes.createOnce(a, tx, region, q, func() (*store.Volume, error) {
			row, err := a.newVolume(tx, region, in)
			if err != nil {
				return nil, err
			}
			row.Tags = tags[types.ResourceTypeVolume]
			store.Volumes.Put(tx, row)
			return row, nil
		})
		if err != nil {
			return err
		}
		item := volumeItem(row)
		*out = ec2.CreateVolumeOutput{
			VolumeId: item.VolumeId, AvailabilityZone: item.AvailabilityZone, CreateTime: item.CreateTime,
			Size: item.Size, SnapshotId: item.SnapshotId, State: types.VolumeStateCreating,
			VolumeType: item.VolumeType, Iops: item.Iops, Throughput: item.Throughput, Encrypted: item.Encrypted,
			KmsKeyId: item.KmsKeyId, MultiAttachEnabled: item.MultiAttachEnabled, Tags: item.Tags,
		}
		return nil
	})
}

// newVolume returns the row of a volume that a request asks for, without its tags.
func (a *API) newVolume(r store.Reader, region identity.Region, in *ec2.CreateVolumeInput) (*store.Volume, error) {
	zone, err := a.volumeZone(region, in)
	if err != nil {
		return nil, err
	}
	if aws.ToBool(in.MultiAttachEnabled) && !a.Simulated {
		return nil, unsupported(map[string]bool{"multiAttachEnabled": true})
	}
	row := &store.Volume{
		ID: a.ids.ID(volumes.prefix), Region: region, Zone: zone, Created: a.Now().UTC(),
		State: store.VolumeCreating,
	}
	size := aws.ToInt32(in.Size)
	snapshot := &store.Snapshot{}
	if id := aws.ToString(in.SnapshotId); id != "" {
		if snapshot, err = snapshots.get(r, region, id); err != nil {
			return nil, err
		}
		if err := a.checkContent(snapshot); err != nil {
			return nil, err
		}
		if size = cmp.Or(size, snapshot.SizeGiB); size < snapshot.SizeGiB {
			return nil, wire.Errorf("InvalidParameterValue",
				"Volume of %dGiB is smaller than the snapshot '%s', which has %dGiB.", size, id, snapshot.SizeGiB)
		}
		row.SnapshotID = id
	}
	if size == 0 {
		return nil, wire.Errorf("MissingParameter", "The request must contain the parameter size/snapshot")
	}
	s, err := shape(
		cmp.Or(in.VolumeType, types.VolumeTypeGp2), size, in.Iops, in.Throughput, aws.ToBool(in.MultiAttachEnabled),
	)
	if err != nil {
		return nil, err
	}
	setShape(row, s)
	row.Encrypted, row.KeyARN, err = encryption(store.SettingOf(r, region), snapshot, in.Encrypted, in.KmsKeyId)
	return row, err
}

// encryption returns whether a new volume is encrypted, and the ARN of its key. A volume is
// encrypted if the request, its snapshot or the account's setting says so; the key is the
// request's, the snapshot's or the account's (Amazon EBS User Guide, "Amazon EBS encryption").
func encryption(
	setting store.AccountSetting, snapshot *store.Snapshot, requested *bool, key *string,
) (encrypted bool, arn string, err error) {
	encrypted = aws.ToBool(requested) || snapshot.Encrypted || setting.EncryptVolumes
	name := aws.ToString(key)
	switch {
	case name != "" && !encrypted:
		return false, "", wire.Errorf("InvalidParameterDependency",
			"The parameter KmsKeyId requires the parameter Encrypted to be set.")
	case name != "":
		return true, keyARN(setting.Region, name), nil
	case encrypted:
		return true, cmp.Or(snapshot.KeyARN, setting.VolumeKeyARN, ebsKey(setting.Region)), nil
	}
	return false, "", nil
}

// ebsKey returns the ARN of the key aws/ebs of a region.
func ebsKey(region identity.Region) string {
	return keyARN(region, digits("aws/ebs "+string(region), 32))
}

// checkContent refuses a snapshot from which no volume can be made yet, or none at all: the content
// of a root volume is layers of files, not blocks.
func (a *API) checkContent(snapshot *store.Snapshot) error {
	switch {
	case snapshot.State != string(types.SnapshotStateCompleted):
		return wire.Errorf("IncorrectState", "Snapshot is in invalid state - %s", snapshot.State)
	case !snapshot.InFile && !a.Simulated:
		return wire.NotImplemented(
			"ec2:CreateVolume from a snapshot of a root volume (RunInstances with an image does)",
		)
	}
	return nil
}

// keyARN returns the ARN of a key that a request names by its id or its ARN. The local cloud
// has no AWS KMS: it records the key and does not use it.
func keyARN(region identity.Region, key string) string {
	if len(key) > 4 && key[:4] == "arn:" {
		return key
	}
	return identity.ARN("kms", region, "key/"+key)
}

// volumeZone returns the zone of a volume that a request names.
func (a *API) volumeZone(region identity.Region, in *ec2.CreateVolumeInput) (string, error) {
	name, id := aws.ToString(in.AvailabilityZone), aws.ToString(in.AvailabilityZoneId)
	if name == "" && id == "" {
		return "", missingParameter("AvailabilityZone")
	}
	for _, z := range a.zones(region) {
		if name == z.name || name == "" && id == z.id {
			return z.name, nil
		}
	}
	return "", wire.Errorf("InvalidZone.NotFound", "The zone '%s' does not exist.", cmp.Or(name, id))
}
