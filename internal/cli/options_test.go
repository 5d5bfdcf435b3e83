package cli

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/release"
)

// parse returns the options that a command passes to its run function for a
// command line.
func parse[O any](
	t *testing.T, newCommand func(*global, func(context.Context, *O) error) *cobra.Command, line string,
) O {
	t.Helper()
	var parsed *O
	g := newGlobal("v0", Stdio{In: &bytes.Buffer{}, Out: &bytes.Buffer{}, Err: &bytes.Buffer{}})
	c := newCommand(g, func(_ context.Context, o *O) error { parsed = o; return nil })
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(strings.Fields(line))
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%s %s: %v", c.Name(), line, err)
	}
	if parsed == nil {
		t.Fatalf("%s %s did not run", c.Name(), line)
	}
	return *parsed
}

// equal compares options by all fields except the ones that every command sets.
func equal[O any](t *testing.T, got, want O) {
	t.Helper()
	constant := func(path cmp.Path) bool {
		return slices.Contains([]string{".global", ".lookPath", ".runClient", ".read"}, path.Last().String())
	}
	exported := cmp.Exporter(func(reflect.Type) bool { return true })
	if diff := cmp.Diff(want, got, exported, cmp.FilterPath(constant, cmp.Ignore())); diff != "" {
		t.Errorf("%T (-want +got):\n%s", got, diff)
	}
}

func TestCommandLinesBecomeOptions(t *testing.T) {
	equal(t, parse(t, newInitCommand, "--schema shop"), initOptions{dir: "shop", schema: true})
	equal(t, parse(t, newPlanCommand, ""), planOptions{dir: "."})
	equal(t, parse(t, newAdoptCommand, "shop"), adoptOptions{dir: "shop"})
	equal(t, parse(t, newPlanCommand, "shop --ref v1"), planOptions{dir: "shop", ref: "v1"})
	equal(t, parse(t, newUpCommand, "--ref v2"), upOptions{dir: ".", ref: "v2"})
	equal(t, parse(t, newReleasesCommand, "shop"), releasesOptions{dir: "shop"})
	equal(t, parse(t, newRollbackCommand, "3 shop"), rollbackOptions{dir: "shop", release: "3"})
	equal(t, parse(t, newStatusCommand, "shop"), statusOptions{dir: "shop"})
	equal(t, parse(t, newScaleCommand, "6 shop"), scaleOptions{dir: "shop", servers: 6})
	equal(t, parse(t, newDownCommand, "--app shop --images"), downOptions{dir: ".", app: "shop", images: true})
	load := loadFlags{rate: 50, calm: 10 * time.Second}
	equal(t, parse(t, newVerifyCommand, "shop --zones"), verifyOptions{dir: "shop", zones: true, load: load})
	equal(t, parse(t, newDrillCommand, "zone shop --at us-east-1b --svg x.svg --force"), drillOptions{
		dir: "shop", experiment: drill.Zone, at: "us-east-1b", svg: "x.svg", load: load, force: true,
	})
	equal(t, parse(t, newDrillCommand, "--restore shop"), drillOptions{dir: "shop", load: load, restore: true})

	equal(t, parse(t, newSSHCommand, "shop server-1 -- uptime -p"),
		sshOptions{dir: "shop", server: "server-1", command: []string{"uptime", "-p"}})
	equal(t, parse(t, newLogsCommand, "server-2 -n 5 -f"),
		logsOptions{dir: ".", server: "server-2", linesGiven: true, log: release.LogOptions{Lines: 5, Follow: true}})

	equal(t, parse(t, newLocalStartCommand, "--foreground --address 127.0.0.1:1"),
		localStartOptions{foreground: true, start: startOptions{address: "127.0.0.1:1"}})
	equal(t, parse(t, newLocalImageImportCommand, "mine rootfs.tar"),
		localImageImportOptions{name: "mine", archive: "rootfs.tar"})
	equal(t, parse(t, newLocalImageRemoveCommand, "ami-1"), localImageRemoveOptions{image: "ami-1"})
	equal(t, parse(t, newLocalImageListCommand, ""), localImageListOptions{})
	seed, scale := uint64(7), 0.1
	change := mannersChange{manners: []manners.Manner{manners.Times, manners.Load}, seed: &seed, timeScale: &scale}
	equal(t, parse(t, newLocalStartCommand, "--manners times,load --seed 7 --time-scale 0.1"),
		localStartOptions{start: startOptions{address: defaultAddress, manners: change}})
	equal(t, parse(t, newLocalMannersCommand, "times,load --seed 7 --time-scale 0.1"),
		localMannersOptions{change: change})
	equal(t, parse(t, newLocalMannersCommand, ""), localMannersOptions{})
	equal(t, parse(t, newLocalStopCommand, "--timeout 30s"), localStopOptions{timeout: 30 * time.Second})
	equal(t, parse(t, newLocalRestartCommand, ""), localRestartOptions{})
	equal(t, parse(t, newLocalResetCommand, "--images"), localResetOptions{images: true})
	equal(t, parse(t, newLocalStatusCommand, ""), localStatusOptions{})
	equal(t, parse(t, newLocalEnvCommand, ""), localEnvOptions{})
	equal(t, parse(t, newLocalLogsCommand, "--follow"), localLogsOptions{follow: true})
}
