//go:build linux

package host

import (
	"context"
	"os"
	"path/filepath"
	"runtime"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/diag"
)

// environment is the host as the checks see it.
type environment struct {
	system   string // GOOS
	root     bool
	machines func(dir string) []machine.Problem
	networks func(network.PlaneConfig) []network.Problem
	listen   func(address string) error
	others   func(Layout) []OtherCloud
}

// thisHost returns the environment of this process.
func thisHost() environment {
	return environment{
		system:   runtime.GOOS,
		root:     os.Geteuid() == 0,
		machines: machine.Preflight,
		networks: network.Preflight,
		listen:   tryListen,
		others: func(layout Layout) []OtherCloud {
			// Without the list, the check of the networks still reports the conflict, less clearly.
			others, _ := otherClouds(context.Background(), layout)
			return others
		},
	}
}

// Preflight returns everything that keeps this host from running a local cloud
// that serves at address. It changes nothing.
func Preflight(layout Layout, address string) diag.List {
	return preflight(layout, address, thisHost())
}

func preflight(layout Layout, address string, env environment) diag.List {
	var problems diag.List
	if layout.Simulated {
		if err := env.listen(address); err != nil {
			problems = append(problems, ListenProblem(address, err))
		}
		return problems
	}
	if env.system != "linux" {
		problems.Add("this host", "run Aloft in a Linux virtual machine",
			"runs %s: machines and networks need Linux", env.system)
		return problems
	}
	if !env.root {
		problems.Add("this user", "run it with sudo", "is not root: machines, networks and firewalls need root")
		return problems
	}
	for _, p := range env.machines(nearestDir(layout.StateDir)) {
		problems.Add("this host", p.Remedy, "%s", p.What)
	}
	otherRuns := false
	for _, other := range env.others(layout) {
		if other.Alive {
			otherRuns = true
			problems.Add("this host", "sudo aloft local stop --state-dir "+other.StateDir,
				"runs another local cloud, with its state in %s: only one at a time can use the range of public "+
					"addresses",
				other.StateDir)
		}
	}
	for _, p := range env.networks(network.PlaneConfig{RunDir: layout.NetworkRun(), Name: layout.Prefix}) {
		if otherRuns && p.RangeInUse {
			continue // the other local cloud uses it, as reported above
		}
		problems.Add("this host", p.Remedy, "%s", p.What)
	}
	if err := env.listen(address); err != nil {
		problems = append(problems, ListenProblem(address, err))
	}
	return problems
}

// nearestDir returns dir, or its nearest parent that exists.
func nearestDir(dir string) string {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || dir == "/" {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
