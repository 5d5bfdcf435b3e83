package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"time"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/importedimage"
	"aloft.dev/aloft/internal/view"
)

// registerTimeout bounds what an interrupt does not: the calls that make an image of files
// that are there.
const registerTimeout = time.Minute

// importResult is the output of aloft local image import --json.
type importResult struct {
	importedimage.Image

	Bytes int64    `json:"bytes"`
	Notes []string `json:"notes"`
}

func runLocalImageImport(ctx context.Context, o *localImageImportOptions) error {
	images, err := o.importedImages(ctx)
	if err != nil {
		return err
	}
	if err := images.CheckName(ctx, o.name); err != nil {
		return o.importProblem(err)
	}
	layout, err := o.layout()
	if err != nil {
		return err
	}
	if layout.Simulated {
		return diag.List{{
			Where:   "local cloud",
			Summary: "is simulated: no machine starts from an imported image",
			Hint:    "leave --state-dir out to import into a local cloud with machines",
		}}
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
	result, err := o.register(ctx, images, layout, imported)
	if err := errors.Join(err, imported.Close()); err != nil {
		return err
	}
	return o.printImport(result)
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
	ctx context.Context, images importedimage.Images, layout host.Layout, imported *image.Import,
) (*importResult, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), registerTimeout)
	defer cancel()
	running, err := findDaemon(ctx, layout)
	if err != nil {
		return nil, notRunning(err, "sudo aloft local start"+o.cloudFlags())
	}
	snapshot, err := running.Import(ctx, layout, host.ImportRequest{
		Import: imported.ID(), Region: images.Region, Description: imported.System,
		SizeGiB: volumeSize(imported.Bytes),
	})
	if err != nil {
		return nil, err
	}
	made, err := images.Register(ctx, importedimage.Image{
		Name: o.name, System: imported.System, User: imported.User, Archive: filepath.Base(o.archive),
		Snapshot: snapshot.SnapshotID,
	}, runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	return &importResult{Image: made, Bytes: imported.Bytes, Notes: append([]string{}, imported.Notes...)}, nil
}

// volumeSize returns the size in GiB of volumes of a root filesystem: that of the public
// images, or with a GiB to spare.
func volumeSize(bytes int64) int32 {
	const minimum, gib = 8, 1 << 30
	return int32(max(minimum, (bytes+gib-1)/gib+1))
}

func (o *localImageImportOptions) printImport(result *importResult) error {
	style := o.style(o.Err)
	_, _ = fmt.Fprintf(o.Err, "%s %s is %s, with the login user %s.\n",
		style.Good("✓"), result.ID, diag.Printable(result.System), diag.Printable(result.User))
	for _, note := range result.Notes {
		_, _ = fmt.Fprintln(o.Err, "  "+note)
	}
	if o.json {
		return view.JSON(o.Out, result)
	}
	_, _ = fmt.Fprintf(o.Err, "  Next: %s in aloft.yaml.\n", style.Name("machines: {image: "+result.ID+"}"))
	return nil
}

// importProblem explains why an archive cannot be imported under a name.
func (o *localImageImportOptions) importProblem(err error) error {
	if errors.Is(err, importedimage.ErrName) {
		return diag.List{{
			Where: o.name, Summary: importedimage.ErrName.Error(), Detail: err.Error(), Cause: err,
			Hint: "choose another name; " + o.nextCommand("aloft local image list", ".") + " shows those in use",
		}}
	}
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
