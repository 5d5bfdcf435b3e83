//go:build linux

package host

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/network"
)

func TestPreflightReportsEachProblemWithItsRemedy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	noBuilder := func(string) []machine.Problem {
		return []machine.Problem{{What: "mmdebstrap is not installed.", Remedy: "apt-get install mmdebstrap"}}
	}
	noRoute := func(network.PlaneConfig) []network.Problem {
		return []network.Problem{{What: "This host has no default route.", Remedy: "Connect it to a network."}}
	}
	for name, test := range map[string]struct {
		change func(*environment)
		want   []string // for each problem: a part of its text, "|", a part of its remedy
	}{
		"a host that has everything": {change: func(*environment) {}},
		"another system": {
			func(env *environment) { env.system, env.root = "darwin", false },
			[]string{"this host: runs darwin: machines and networks need Linux|Linux virtual machine"},
		},
		"a user that is not root": {
			func(env *environment) { env.root = false },
			[]string{"this user: is not root|with sudo"},
		},
		"no mmdebstrap": {
			func(env *environment) { env.machines = noBuilder },
			[]string{"this host: mmdebstrap is not installed|apt-get install mmdebstrap"},
		},
		"no default route": {
			func(env *environment) { env.networks = noRoute },
			[]string{"this host: This host has no default route|Connect it to a network"},
		},
		"another local cloud that runs": {
			func(env *environment) {
				env.others = func(Layout) []OtherCloud {
					return []OtherCloud{{Layout{StateDir: "/srv/dead"}, false}, {Layout{StateDir: "/srv/other"}, true}}
				}
				env.networks = func(network.PlaneConfig) []network.Problem {
					return []network.Problem{{What: "The range is in use.", Remedy: "Look for it.", RangeInUse: true}}
				}
			},
			[]string{"another local cloud, with its state in /srv/other|local stop --state-dir /srv/other"},
		},
		"a port in use": {
			func(env *environment) { env.listen = tryListen },
			[]string{"port " + taken.Addr().String() + ": another program listens there|ss -ltnp"},
		},
		"all at once": {
			func(env *environment) { env.machines, env.networks, env.listen = noBuilder, noRoute, tryListen },
			[]string{"mmdebstrap|apt-get", "default route|Connect", "another program|--address"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			state := filepath.Join(t.TempDir(), "state")
			env := environment{
				system: "linux", root: true, listen: func(string) error { return nil },
				machines: func(dir string) []machine.Problem {
					if dir != filepath.Dir(state) {
						t.Errorf("checked %s, want the nearest parent of %s", dir, state)
					}
					return nil
				},
				networks: func(network.PlaneConfig) []network.Problem { return nil },
				others:   func(Layout) []OtherCloud { return nil },
			}
			test.change(&env)
			got := preflight(Layout{StateDir: state}, taken.Addr().String(), env)
			if len(got) != len(test.want) {
				t.Fatalf("got %v, want %v", got, test.want)
			}
			for i, want := range test.want {
				what, remedy, _ := strings.Cut(want, "|")
				if !strings.Contains(got[i].Error(), what) || !strings.Contains(got[i].Hint, remedy) {
					t.Errorf("got %q with hint %q, want %s", got[i].Error(), got[i].Hint, want)
				}
			}
			if _, err := os.Stat(state); !os.IsNotExist(err) {
				t.Errorf("the check created %s", state)
			}
		})
	}
}
