package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/view"
)

const (
	// registerTimeout bounds what an interrupt does not: the calls that make an image of
	// files that are there.
	registerTimeout = time.Minute

	minVolumeGiB = 8 // as the public images have
	importedRoot = "/dev/xvda"
)

// architectures are EC2's names of architectures, by Go's.
var architectures = map[string]types.ArchitectureValues{
	"amd64": types.ArchitectureValuesX8664, "arm64": types.ArchitectureValuesArm64,
}

// importResult is what aloft local image import prints with --json.
type importResult struct {
	importedImage
	Bytes int64    `json:"bytes"`
	Notes []string `json:"notes"`
}

func runLocalImageImport(ctx context.Context, o *localImageImportOptions) error {
	api, err := o.connectToLocalCloud(ctx, o.imageRegion(), false)
	if err != nil {
		return err
	}
	if err := o.checkName(ctx, api); err != nil {
		return err
	}
	layout, err := o.layout()
	if err != nil {
		return err
	}
	layers, err := image.Open(layout.Images())
	if errors.Is(err, fs.ErrPermission) {
		return needsRoot(err, "run the same command with sudo")
	}
	if err != nil {
		return err
	}
	imported, err := o.unpack(ctx, layers)
	if err != nil {
		return o.importProblem(err)
	}
	result, err := o.register(ctx, api, layout, imported)
	if err := errors.Join(err, imported.Close()); err != nil {
		return err
	}
	return o.printImport(result)
}

// checkName fails with EC2's error for a name that the image cannot have, before the archive
// is unpacked. EC2 checks the name before the snapshot, which is not there yet.
func (o *localImageImportOptions) checkName(ctx context.Context, api *awsapi.Client) error {
	request := registerRequest(o.name, "snap-00000000000000000", nil)
	request.DryRun = aws.Bool(true)
	_, err := api.EC2.RegisterImage(ctx, request)
	hint := ""
	switch awsapi.Code(err) {
	case "InvalidSnapshot.NotFound":
		return nil
	case "InvalidAMIName.Duplicate":
		hint = "choose another name, or: " + o.nextCommand("aloft local image remove "+o.name, ".")
	case "InvalidAMIName.Malformed":
		hint = "choose another name"
	default:
		return fmt.Errorf("check the name %s: %w", o.name, err)
	}
	return diag.List{{
		Where: o.name, Summary: "an image cannot have this name", Detail: err.Error(), Hint: hint, Cause: err,
	}}
}

// unpack unpacks the archive into the image store, and shows how far it is.
func (o *localImageImportOptions) unpack(ctx context.Context, layers *image.Store) (*image.Import, error) {
	if !isTerminal(o.Err) {
		_, _ = fmt.Fprintf(o.Err, "Unpacking %s…\n", o.archive)
		return layers.Import(ctx, o.archive, func(float64) {})
	}
	show := func(fraction float64) {
		_, _ = fmt.Fprintf(o.Err, "\rUnpacking %s… %3.0f %%", o.archive, 100*fraction)
	}
	show(0)
	defer func() { _, _ = fmt.Fprintln(o.Err) }()
	return layers.Import(ctx, o.archive, show)
}

// register makes a snapshot and an image of what was unpacked. An interrupt comes before or
// after it, so that there is never a snapshot without an image.
func (o *localImageImportOptions) register(
	ctx context.Context, api *awsapi.Client, layout host.Layout, imported *image.Import,
) (*importResult, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), registerTimeout)
	defer cancel()
	running, err := findDaemon(layout)
	if err != nil {
		return nil, notRunning(err, "sudo aloft local start"+o.cloudFlags())
	}
	const gib = 1 << 30
	snapshot, err := running.Import(ctx, host.ImportRequest{
		Import: imported.ID(), Region: o.imageRegion(), Description: imported.System,
		SizeGiB: int32(max(minVolumeGiB, (imported.Bytes+gib-1)/gib+1)),
	})
	if err != nil {
		return nil, err
	}
	request := registerRequest(o.name, snapshot.SnapshotID, map[string]string{
		tagImported: filepath.Base(o.archive), resource.TagUser: imported.User,
	})
	request.Description = &imported.System
	registered, err := api.EC2.RegisterImage(ctx, request)
	if err != nil {
		_, undone := api.EC2.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &snapshot.SnapshotID})
		return nil, errors.Join(fmt.Errorf("register image %s: %w", o.name, err), undone)
	}
	return &importResult{
		importedImage: importedImage{
			ID: aws.ToString(registered.ImageId), Name: o.name, Region: o.imageRegion(), System: imported.System,
			User: imported.User, Archive: filepath.Base(o.archive), Snapshot: snapshot.SnapshotID,
			Created: time.Now().UTC().Format(time.RFC3339),
		},
		Bytes: imported.Bytes, Notes: append([]string{}, imported.Notes...),
	}, nil
}

// registerRequest returns the request that makes an image of a snapshot.
func registerRequest(name, snapshot string, tags map[string]string) *ec2.RegisterImageInput {
	in := &ec2.RegisterImageInput{
		Name: &name, Architecture: architectures[runtime.GOARCH], VirtualizationType: aws.String("hvm"),
		EnaSupport: aws.Bool(true), RootDeviceName: aws.String(importedRoot),
		BlockDeviceMappings: []types.BlockDeviceMapping{{
			DeviceName: aws.String(importedRoot),
			Ebs:        &types.EbsBlockDevice{SnapshotId: &snapshot, VolumeType: types.VolumeTypeGp3},
		}},
	}
	if len(tags) > 0 {
		set := types.TagSpecification{ResourceType: types.ResourceTypeImage}
		for key, value := range tags {
			set.Tags = append(set.Tags, types.Tag{Key: aws.String(key), Value: aws.String(value)})
		}
		in.TagSpecifications = []types.TagSpecification{set}
	}
	return in
}

func (o *localImageImportOptions) printImport(result *importResult) error {
	style := o.style(o.Err)
	_, _ = fmt.Fprintf(o.Err, "%s %s is %s, with the login user %s.\n",
		style.Good("✓"), result.ID, result.System, result.User)
	for _, note := range result.Notes {
		_, _ = fmt.Fprintln(o.Err, "  "+note)
	}
	if o.json {
		return view.JSON(o.Out, result)
	}
	_, _ = fmt.Fprintf(o.Err, "  Next: %s in aloft.yaml.\n", style.Name("machines: {image: "+result.ID+"}"))
	return nil
}

// importProblem explains why an archive cannot be imported.
func (o *localImageImportOptions) importProblem(err error) error {
	for _, known := range []struct {
		cause error
		hint  string
	}{
		{fs.ErrNotExist, "give the path of a tar archive"},
		{image.ErrNotArchive, "make one with tar, or let mmdebstrap write one: mmdebstrap trixie rootfs.tar"},
		{image.ErrTruncated, "download it or make it again"},
		{image.ErrUnsafe, "make it of a root filesystem as root: tar -C ROOT -cf rootfs.tar ."},
		{image.ErrTooLarge, "free disk space, or keep the local cloud on another disk with --state-dir"},
		{image.ErrArchitecture, "use an archive for this computer's processor"},
		{image.ErrNotRootFilesystem, "install systemd as its init, on Debian with the package systemd-sysv, and " +
			"archive all of the root filesystem"},
	} {
		if errors.Is(err, known.cause) {
			return diag.List{{
				Where: o.archive, Summary: known.cause.Error(), Detail: err.Error(), Hint: known.hint, Cause: err,
			}}
		}
	}
	return err
}
