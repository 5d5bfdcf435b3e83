package cli

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type localStartOptions struct {
	*global
	foreground bool
	start      startOptions
}

// startOptions say how to start a daemon.
type startOptions struct {
	address        string // loopback address and port to serve on
	anyCredentials bool   // accept requests with any signature
	restart        bool   // machines keep running from the daemon before
	manners        mannersChange

	mirrors []string // NAME=URL: archives to build base images from
}

func newLocalStartCommand(g *global, run func(context.Context, *localStartOptions) error) *cobra.Command {
	o := &localStartOptions{global: g}
	var list string
	var manners mannersFlags
	c := &cobra.Command{
		Use:   "start",
		Short: "Start the local cloud, with the machines that ran when it was stopped",
		Long: `Starts the local cloud's daemon in the background and returns when it serves. If it runs
already, only its manners change, if --manners, --seed or --time-scale is given. Without
these flags it keeps the manners it had; see aloft local manners.`,
		Example: `  sudo aloft local start
  sudo aloft local start --manners aws --seed 7 --time-scale 0.1
  sudo aloft local start --state-dir /tmp/other --address 127.0.0.1:4600
  sudo aloft local start --mirror ubuntu=http://mirror.example/ubuntu`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if o.start.manners, err = manners.change(list, c.Flags()); err != nil {
				return err
			}
			return run(c.Context(), o)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.start.address, "address", defaultAddress, "the loopback address and port to serve on")
	flags.BoolVar(&o.foreground, "foreground", false, "stay in the foreground and log to standard error")
	flags.BoolVar(&o.start.anyCredentials, "accept-any-credentials", false,
		"DANGEROUS: accept requests with any signature; for test suites only")
	flags.StringVar(&list, "manners", "", "how AWS behaves beside a kind cloud: aws, kind or a list of manners")
	manners.register(flags)
	addMirrorFlag(flags, &o.start)
	return c
}

// addMirrorFlag adds the flag --mirror, whose values the local cloud remembers.
func addMirrorFlag(flags *pflag.FlagSet, o *startOptions) {
	flags.StringArrayVar(&o.mirrors, "mirror", nil,
		"build base images from the archive `NAME=URL`, which their machines use too; NAME is debian, "+
			"debian-security or ubuntu; remembered; may be repeated")
}
