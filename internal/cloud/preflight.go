package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/diag"
)

// host is what Preflight asks about the machine that it runs on.
type host struct {
	system   string // GOOS
	root     bool
	machines func(dir string) []machine.Problem
	networks func(network.PlaneConfig) []network.Problem
	listen   func(address string) error
	others   func(Place) []Other
}

// thisHost is the machine that this program runs on.
func thisHost() host {
	return host{
		system:   runtime.GOOS,
		root:     os.Geteuid() == 0,
		machines: machine.Preflight,
		networks: network.Preflight,
		listen:   tryListening,
		others: func(place Place) []Other {
			others, _ := Others(context.Background(), place) // who they are only makes a refusal clearer
			return others
		},
	}
}

// Preflight looks for all that keeps this host from running the local cloud. It
// changes nothing.
func Preflight(config Config) diag.List { return preflight(config, thisHost()) }

func preflight(config Config, h host) diag.List {
	var problems diag.List
	if h.system != "linux" {
		problems.Add(
			"this host",
			"run Aloft in a Linux virtual machine",
			"runs %s: machines and networks need Linux",
			h.system,
		)
		return problems
	}
	if !h.root {
		problems.Add("this user", "run it with sudo", "is not root: machines, networks and firewalls need root")
		return problems
	}
	for _, p := range h.machines(nearestFolder(config.Place.State)) {
		problems.Add("this host", p.Remedy, "%s", p.What)
	}
	var running bool
	for _, other := range h.others(config.Place) {
		if other.Alive {
			running = true
			problems.Add(
				"this host",
				"sudo aloft local stop --state-dir "+other.State,
				"runs another local cloud, with its state in %s: one at a time can have the range of public addresses",
				other.State,
			)
		}
	}
	for _, p := range h.networks(network.PlaneConfig{RunDir: filepath.Join(config.Place.Run, "network"), Name: config.Place.Name}) {
		if running && p.RangeInUse {
			continue // told above, with its name
		}
		problems.Add("this host", p.Remedy, "%s", p.What)
	}
	if err := h.listen(config.Address); err != nil {
		problems = append(problems, portTaken(config.Address, err))
	}
	return problems
}

func tryListening(address string) error {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener.Close()
}

// nearestFolder is the folder itself or the nearest one above that exists.
func nearestFolder(dir string) string {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || dir == "/" {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func portTaken(address string, err error) *diag.Diagnostic {
	d := &diag.Diagnostic{Where: "port " + address, Summary: fmt.Sprintf("cannot be listened on: %v", err), Cause: err}
	if errors.Is(err, syscall.EADDRINUSE) {
		d.Summary = "another program listens there"
		d.Hint = "stop it (ss -ltnp tells which), or choose another port: aloft local start --address 127.0.0.1:4600"
	}
	return d
}
