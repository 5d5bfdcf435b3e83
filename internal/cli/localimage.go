package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type localImageImportOptions struct {
	*global
	name    string // of the AMI
	archive string // path
}

type localImageListOptions struct{ *global }

type localImageRemoveOptions struct {
	*global
	image string // name or id
}

// localImageRuns are the functions that run the commands about imported images.
type localImageRuns struct {
	imports func(context.Context, *localImageImportOptions) error
	list    func(context.Context, *localImageListOptions) error
	remove  func(context.Context, *localImageRemoveOptions) error
}

// newLocalImageCommand returns the command that holds those about imported images.
func newLocalImageCommand(g *global, run localImageRuns) *cobra.Command {
	c := &cobra.Command{
		Use:   "image",
		Short: "Import, list and remove images of your own on the running local cloud",
		Long: `Machines of the local cloud run any Linux system that boots with systemd. Import makes an
AMI of its root filesystem.`,
		Example: `  sudo aloft local image import mine rootfs.tar.zst
  sudo aloft local image list
  sudo aloft local image remove mine`,
	}
	c.AddCommand(
		newLocalImageImportCommand(g, run.imports),
		newLocalImageListCommand(g, run.list),
		newLocalImageRemoveCommand(g, run.remove),
	)
	return c
}

func newLocalImageImportCommand(
	g *global, run func(context.Context, *localImageImportOptions) error,
) *cobra.Command {
	o := &localImageImportOptions{global: g}
	return &cobra.Command{
		Use:   "import NAME ARCHIVE",
		Short: "Make an AMI of the root filesystem in a tar archive",
		Long: `ARCHIVE is a tar archive of a root filesystem with systemd for this computer's processor,
plain or compressed with gzip, zstd or xz. The image is for one region, and
machines.image in aloft.yaml accepts its ID.

The login user is the one with the user ID 1000 if the image has sudo, and root if it has
not. Its machines need an SSH server, and curl or bash to learn their SSH key. Devices in
the archive are left out, and so are the system's own ways to configure the network:
machines have their network before they boot.`,
		Example: `  sudo mmdebstrap --include=systemd-sysv,openssh-server,dbus trixie rootfs.tar
  sudo aloft local image import mine rootfs.tar
  sudo aloft local image import mine rootfs.tar.xz --json | jq -r .image_id`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			o.name, o.archive = args[0], args[1]
			return run(c.Context(), o)
		},
	}
}

func newLocalImageListCommand(g *global, run func(context.Context, *localImageListOptions) error) *cobra.Command {
	o := &localImageListOptions{global: g}
	return &cobra.Command{
		Use:     "list",
		Short:   "List the imported images of a region",
		Long:    `Lists what aloft local image import made, with the login users of their machines.`,
		Example: "  sudo aloft local image list\n  sudo aloft local image list --json | jq -r '.images[].image_id'",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
}

func newLocalImageRemoveCommand(
	g *global, run func(context.Context, *localImageRemoveOptions) error,
) *cobra.Command {
	o := &localImageRemoveOptions{global: g}
	return &cobra.Command{
		Use:   "remove NAME|ID",
		Short: "Delete an imported image and its files",
		Long: `Deletes an image that aloft local image import made, unless instances run on it. Images of
releases that were built on it keep the files that they need.`,
		Example: "  sudo aloft local image remove mine\n  sudo aloft local image remove ami-0123456789abcdef0 --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.image = args[0]
			return run(c.Context(), o)
		},
	}
}
