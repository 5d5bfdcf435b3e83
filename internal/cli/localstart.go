package cli

import (
	"context"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aloft.dev/aloft/internal/diag"
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
	simulated      bool   // no machine runs and no traffic is carried
	anyImage       bool   // simulated: accept ids of images that do not exist
	manners        mannersChange

	mirrors []string // NAME=URL: archives to build base images from
	reach   reachFlags

	bandwidth bandwidthFlags
}

// bandwidthFlags are the flags that limit what machines use of the host; empty: as before.
type bandwidthFlags struct{ network, disk string }

// reachFlags are the flags that say what machines reach beside the internet.
type reachFlags struct {
	private []string // ranges
	proxy   bool     // on loopback

	givenPrivate, givenProxy bool // on the command line
}

// Names of flags that the command repeats to the daemon.
const (
	allowPrivateFlag = "allow-private"
	allowProxyFlag   = "allow-proxy"
	networkRateFlag  = "network-rate"
	diskRateFlag     = "disk-rate"
	anyImageFlag     = "any-image"
)

// register adds the flags. The local cloud remembers their values.
func (r *reachFlags) register(flags *pflag.FlagSet) {
	flags.StringSliceVar(&r.private, allowPrivateFlag, nil,
		"let machines reach the private `RANGES` 10.1.0.0/16,… on this computer's networks; remembered; \"\" for none")
	flags.BoolVar(&r.proxy, allowProxyFlag, false,
		"let machines use a proxy on this computer's loopback, through which they may reach all of its services; "+
			"remembered")
}

// register adds the flags. The local cloud remembers their values.
func (b *bandwidthFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&b.network, networkRateFlag, "",
		"limit each machine's network, in each direction, to that of its instance \"type\" (the default), "+
			"to a `RATE` such as 64Mbps, or leave it \"unlimited\"; remembered")
	flags.StringVar(&b.disk, diskRateFlag, "",
		"limit each machine's disk, likewise: \"type\" (the default), a `RATE` such as 50MB/s, or "+
			"\"unlimited\"; remembered; holds from a machine's next start")
}

// note notes which of the flags the command line has.
func (r *reachFlags) note(flags *pflag.FlagSet) {
	r.givenPrivate, r.givenProxy = flags.Changed(allowPrivateFlag), flags.Changed(allowProxyFlag)
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
these flags it keeps the manners it had; see aloft local manners.

With --simulated it serves the same APIs for tests of AWS clients, and needs no root:
instances are running at once, but no machine runs and no traffic is carried. It keeps its
state in memory. Its folder is a separate one, ~/.local/share/aloft/simulated by default;
give it to the other commands with --state-dir.`,
		Example: `  sudo aloft local start
  sudo aloft local start --manners aws --seed 7 --time-scale 0.1
  sudo aloft local start --state-dir /tmp/other --address 127.0.0.1:4600
  sudo aloft local start --mirror ubuntu=http://mirror.example/ubuntu
  sudo aloft local start --allow-private 10.1.0.0/16,192.168.7.20/32
  sudo aloft local start --network-rate unlimited
  aloft local start --simulated --address 127.0.0.1:4600`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if o.start.manners, err = manners.change(list, c.Flags()); err != nil {
				return err
			}
			o.start.reach.note(c.Flags())
			if o.start.simulated && !c.Flags().Changed("state-dir") {
				if o.stateDir, err = simulatedDir(); err != nil {
					return err
				}
			}
			return run(c.Context(), o)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.start.address, "address", defaultAddress, "the loopback address and port to serve on")
	flags.BoolVar(&o.foreground, "foreground", false, "stay in the foreground and log to standard error")
	flags.BoolVar(&o.start.anyCredentials, "accept-any-credentials", false,
		"DANGEROUS: accept requests with any signature; for test suites only")
	flags.BoolVar(&o.start.simulated, "simulated", false,
		"serve the APIs without machines and traffic, for tests of AWS clients; needs no root")
	flags.BoolVar(&o.start.anyImage, anyImageFlag, false,
		"with --simulated: accept the ids of images that do not exist, as if they were Debian's")
	flags.StringVar(&list, "manners", "", "how AWS behaves beside a kind cloud: aws, kind or a list of manners")
	manners.register(flags)
	addMirrorFlag(flags, &o.start)
	o.start.reach.register(flags)
	o.start.bandwidth.register(flags)
	return c
}

// simulatedDir returns the default state folder of a simulated cloud.
func simulatedDir() (string, error) {
	data, err := dataDir(runtime.GOOS, os.Getenv)
	if err != nil {
		return "", diag.List{{
			Where: "state of the simulated local cloud", Summary: "there is no folder for it", Detail: err.Error(),
			Hint: "choose one: --state-dir FOLDER", Cause: err,
		}}
	}
	return filepath.Join(data, "aloft", "simulated"), nil
}

// addMirrorFlag adds the flag --mirror, whose values the local cloud remembers.
func addMirrorFlag(flags *pflag.FlagSet, o *startOptions) {
	flags.StringArrayVar(&o.mirrors, "mirror", nil,
		"build base images from the archive `NAME=URL`, which their machines use too; NAME is debian, "+
			"debian-security or ubuntu; remembered; may be repeated")
}
