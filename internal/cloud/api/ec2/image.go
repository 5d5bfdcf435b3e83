package ec2

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

type ami = *store.Image

var images = resourceType[store.Image]{
	table: store.Images, kind: types.ResourceTypeImage, prefix: "ami-",
	notFoundCode: "InvalidAMIID.NotFound", notFoundText: "The image id", malformedCode: "InvalidAMIID.Malformed",
	malformedText: "Invalid id: \"%s\" (expecting \"ami-...\")",
	key:           func(row ami) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row ami) *store.Tags { return &row.Tags },
	shared:        imageShared,
	filters: withTagFilters(func(row ami) store.Tags { return row.Tags }, filters[ami]{
		"image-id":            field(func(row ami) string { return row.ID }),
		"name":                field(func(row ami) string { return row.Name }),
		"description":         field(func(row ami) string { return row.Description }),
		"state":               field(imageState),
		"owner-id":            field(func(row ami) string { return row.Owner }),
		"owner-alias":         optionalField(func(row ami) string { return row.OwnerAlias }),
		"is-public":           booleanField(func(row ami) bool { return row.Public }),
		"architecture":        field(func(row ami) string { return row.Architecture }),
		"creation-date":       field(func(row ami) string { return row.Created.UTC().Format(timeFormat) }),
		"image-type":          constant[ami]("machine"),
		"root-device-type":    constant[ami]("ebs"),
		"virtualization-type": field(func(row ami) string { return string(virtualizationOf(row.Traits)) }),
		"hypervisor":          constant[ami]("xen"),
		"root-device-name":    field(func(row ami) string { return row.RootDevice }),
		"source-instance-id":  optionalField(func(row ami) string { return row.SourceInstanceID }),
		"ena-support":         booleanField(func(row ami) bool { return !row.Traits.NoENA }),
		"platform":            noValue[ami],
		"product-code":        noValue[ami],
		"product-code.type":   noValue[ami],
		"kernel-id":           noValue[ami],
		"ramdisk-id":          noValue[ami],
		"sriov-net-support":   optionalField(func(row ami) string { return row.Traits.SRIOV }),
		"source-image-id":     optionalField(func(row ami) string { return row.SourceImageID }),
		"source-image-region": optionalField(func(row ami) string { return row.SourceRegion }),
		"free-tier-eligible":  noValue[ami],
		"image-allowed":       constant[ami]("true"),
		"manifest-location":   field(imageLocation),
		"state-reason-code": optionalField(func(row ami) string {
			if row.StateReason == "" {
				return ""
			}
			return row.State
		}),
		"state-reason-message": optionalField(func(row ami) string { return row.StateReason }),
		"block-device-mapping.snapshot-id": mappedField(func(ebs *types.EbsBlockDevice) string {
			return aws.ToString(ebs.SnapshotId)
		}),
		"block-device-mapping.device-name": func(r store.Reader, row ami) []string {
			return list(imageMappings(r, row), func(m types.BlockDeviceMapping) string { return *m.DeviceName })
		},
		"block-device-mapping.volume-type": mappedField(func(ebs *types.EbsBlockDevice) string {
			return string(ebs.VolumeType)
		}),
		"block-device-mapping.volume-size": mappedField(func(ebs *types.EbsBlockDevice) string {
			return strconv.Itoa(int(aws.ToInt32(ebs.VolumeSize)))
		}),
		"block-device-mapping.delete-on-termination": mappedField(func(ebs *types.EbsBlockDevice) string {
			return strconv.FormatBool(*ebs.DeleteOnTermination)
		}),
		"block-device-mapping.encrypted": mappedField(func(ebs *types.EbsBlockDevice) string {
			return strconv.FormatBool(*ebs.Encrypted)
		}),
	}),
}

// imageLocation returns an image's location, which EC2 derives from its owner and its name.
func imageLocation(row ami) string { return cmp.Or(row.OwnerAlias, row.Owner) + "/" + row.Name }

// imagesNotFound returns the error for unknown image ids. The brackets are EC2's.
func imagesNotFound(ids []string) error {
	if len(ids) == 1 {
		return wire.Errorf("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", ids[0])
	}
	return wire.Errorf("InvalidAMIID.NotFound", "The image ids '[%s]' do not exist", strings.Join(ids, ", "))
}

// findImage returns the image with the id, or EC2's error.
func findImage(r store.Reader, region identity.Region, id string) (ami, error) {
	if err := images.checkID(id); err != nil {
		return nil, err
	}
	row, ok := store.Images.Get(r, id)
	if !ok || !images.visible(row, region) {
		return nil, imagesNotFound([]string{id})
	}
	return images.seen(r, row, region), nil
}

// findOwnImage returns the image with the id, or EC2's error for one that does not exist or
// belongs to another account.
func findOwnImage(r store.Reader, region identity.Region, id string) (ami, error) {
	row, err := findImage(r, region, id)
	if err == nil && row.Owner != region.Account() {
		return nil, wire.Errorf("AuthFailure", "Not authorized for images: [%s]", row.ID)
	}
	return row, err
}

// imageShared reports whether an image of another account can be used in a region.
func imageShared(row ami, region identity.Region) bool {
	return row.Region.Name() == region.Name() && (row.Public || slices.Contains(row.Users, region.Account()))
}

// DescribeImages lists the account's images and the public images.
func (a *API) DescribeImages(ctx context.Context, in *ec2.DescribeImagesInput) (*ec2.DescribeImagesOutput, error) {
	if err := a.addAnyImages(wire.RegionFrom(ctx), in.ImageIds); err != nil {
		return nil, err
	}
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	known := slices.DeleteFunc(slices.Clone(in.ImageIds), func(id string) bool {
		return a.deregistered.has(region.Key(id), a.Now())
	})
	if len(in.ImageIds) > 0 && len(known) == 0 {
		return &ec2.DescribeImagesOutput{}, nil
	}
	var unknown []string
	for _, id := range known {
		if err := images.checkID(id); err != nil {
			return nil, err
		}
		if row, ok := store.Images.Get(view, id); !ok || !images.visible(row, region) {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) > 0 {
		return nil, imagesNotFound(unknown)
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("imageIds", len(in.ImageIds) > 0); err != nil {
		return nil, err
	}
	all, _, err := images.describe(view, region, describeQuery{
		ids: known, idParameter: "imageIds", filters: in.Filters,
	})
	if err != nil {
		return nil, err
	}
	rows := slices.DeleteFunc(
		all,
		func(row ami) bool {
			return !ownedBy(row, region, in.Owners) || !executableBy(row, region, in.ExecutableUsers) ||
				!listed(row, region, in, a.Now())
		},
	)
	rows, next, err := paginate(pages, rows, images.id)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeImagesOutput{Images: list(rows, a.imageItem(view)), NextToken: next}, nil
}

// amazonAlias is the alias of the owners of images that AWS has verified, Debian and Canonical
// among them, and begins the location of their images.
const amazonAlias = "amazon"

func ownedBy(row ami, region identity.Region, owners []string) bool {
	return len(owners) == 0 || slices.ContainsFunc(owners, func(owner string) bool {
		return owner == row.Owner || owner == "self" && row.Owner == region.Account() ||
			owner != "" && owner == row.OwnerAlias
	})
}

// executableBy reports whether one of the users has an explicit permission to launch an image:
// "all" stands for everyone, "self" for the account (Amazon EC2 API Reference, DescribeImages).
func executableBy(row ami, region identity.Region, users []string) bool {
	return len(users) == 0 || sharing{row.Public, row.Users}.names(users, region, row.Owner)
}

func (a *API) imageItem(r store.Reader) func(ami) types.Image {
	return func(row ami) types.Image {
		item := types.Image{
			ImageId:            aws.String(row.ID),
			Name:               aws.String(row.Name),
			Description:        optionalString(row.Description),
			OwnerId:            aws.String(row.Owner),
			ImageOwnerAlias:    optionalString(row.OwnerAlias),
			ImageLocation:      aws.String(imageLocation(row)),
			ImageType:          types.ImageTypeValuesMachine,
			Public:             aws.Bool(row.Public),
			State:              types.ImageState(imageState(row)),
			Architecture:       types.ArchitectureValues(row.Architecture),
			CreationDate:       aws.String(row.Created.UTC().Format(timeFormat)),
			Hypervisor:         types.HypervisorTypeXen,
			VirtualizationType: virtualizationOf(row.Traits),
			RootDeviceName:     aws.String(row.RootDevice),
			RootDeviceType:     types.DeviceTypeEbs,
			EnaSupport:         aws.Bool(!row.Traits.NoENA),
			SriovNetSupport:    optionalString(row.Traits.SRIOV),
			BootMode:           types.BootModeValues(row.Traits.BootMode),
			TpmSupport:         types.TpmSupportValues(row.Traits.TPM),
			ImdsSupport:        types.ImdsSupportValues(row.Traits.IMDS),
			SourceImageId:      optionalString(row.SourceImageID),
			SourceImageRegion:  optionalString(row.SourceRegion),
			PlatformDetails:    aws.String(platformDetails),
			UsageOperation:     aws.String(usageOperation),
			SourceInstanceId:   optionalString(row.SourceInstanceID),
			Tags:               tagSet(row.Tags),
		}
		if !row.DeprecateAt.IsZero() {
			item.DeprecationTime = aws.String(row.DeprecateAt.UTC().Format(timeFormat))
		}
		if row.Owner == row.Region.Account() {
			item.DeregistrationProtection = aws.String(a.protection(row))
		}
		if row.StateReason != "" {
			item.StateReason = &types.StateReason{Code: aws.String(row.State), Message: aws.String(row.StateReason)}
		}
		item.BlockDeviceMappings = imageMappings(r, row)
		return item
	}
}

func validImageName(name string) bool {
	return len(name) >= 3 && len(name) <= 128 && strings.IndexFunc(name, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			strings.ContainsRune("()[] ./-'@_", c))
	}) < 0
}

// checkImageName returns EC2's error for a name that no image can have.
func checkImageName(name string) error {
	if validImageName(name) {
		return nil
	}
	return wire.Errorf(
		"InvalidAMIName.Malformed",
		"AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', "+
			"'-', '/' and '_'",
	)
}

// checkImageNameUnused returns EC2's error for the name of an image that the account has
// in the region.
func checkImageNameUnused(r store.Reader, region identity.Region, name string) error {
	for _, other := range store.ImagesByName.List(r, region.Key(name)) {
		if other.Owner == region.Account() {
			return wire.Errorf("InvalidAMIName.Duplicate", "AMI name %s is already in use by AMI %s", name, other.ID)
		}
	}
	return nil
}

// DeregisterImage deletes an image. Instances launched from it keep running.
func (a *API) DeregisterImage(ctx context.Context, in *ec2.DeregisterImageInput) (*ec2.DeregisterImageOutput, error) {
	if err := required(parameter{"imageId", in.ImageId}); err != nil {
		return nil, err
	}
	out := &ec2.DeregisterImageOutput{Return: aws.Bool(true)}
	if err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := findOwnImage(tx, region, *in.ImageId)
		if err != nil {
			return err
		}
		if a.protection(row) != protectionDisabled {
			return wire.Errorf("OperationNotPermitted",
				"The AMI %s is protected from deregistration. Disable its deregistration protection first.", row.ID)
		}
		store.Images.Delete(tx, row.ID)
		if aws.ToBool(in.DeleteAssociatedSnapshots) {
			for _, id := range snapshotsOf(row) {
				store.Snapshots.Delete(tx, id)
				out.DeleteSnapshotResults = append(out.DeleteSnapshotResults, types.DeleteSnapshotReturnCode{
					SnapshotId: aws.String(id), ReturnCode: types.SnapshotReturnCodesSuccess,
				})
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	a.deregistered.add(wire.RegionFrom(ctx).Key(*in.ImageId), a.Now())
	return out, nil
}
