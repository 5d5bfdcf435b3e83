package cli

import (
	"testing"

	"aloft.dev/aloft/internal/apply"
)

func TestFolderAndServerComeInAnyOrder(t *testing.T) {
	for _, test := range []struct {
		args        []string
		dir, server string
		fails       bool
	}{
		{nil, ".", "", false},
		{[]string{"server-2"}, ".", "server-2", false},
		{[]string{"shop", "server-2"}, "shop", "server-2", false},
		{[]string{"server-2", "shop"}, "shop", "server-2", false},
		{[]string{"builder"}, ".", "builder", false},
		{[]string{"server-1", "server-2"}, "server-2", "server-1", false}, // a folder may have a server's name
		{[]string{"shop", "other"}, "", "", true},
	} {
		dir, server, err := dirAndServer(test.args)
		if dir != test.dir || server != test.server || (err != nil) != test.fails {
			t.Errorf("%v: got %q, %q, %v", test.args, dir, server, err)
		}
	}
}

func TestUnreachableServerIsNotReportedAsUnknown(t *testing.T) {
	status := &apply.Status{App: "shop", Machines: []apply.Machine{
		{Name: "server-1", State: "running", PublicIP: "198.18.0.1"},
		{Name: "server-2", State: "stopped"},
	}}
	if all, err := reachableServers(status, ""); err != nil || len(all) != 1 || all[0].Name != "server-1" {
		t.Errorf("got %v, %v", all, err)
	}
	status.Makers = []apply.Machine{{Name: "builder", State: "running", PublicIP: "198.18.0.2"}}
	for name, want := range map[string]string{"": "server-1", "builder": "builder"} {
		if all, err := reachableServers(status, name); err != nil || len(all) != 1 || all[0].Name != want {
			t.Errorf("%q: got %v, %v", name, all, err)
		}
	}
	_, err := reachableServers(status, "server-2")
	wantProblem(t, err, "server-2: is not running", "server-2 (stopped)", "aloft up replaces")
	_, err = reachableServers(status, "server-3")
	wantProblem(t, err, "server-3: is not a server of shop", "server-1 (running)", "name one of these")
	_, err = reachableServers(&apply.Status{App: "shop", Machines: status.Machines[1:]}, "")
	wantProblem(t, err, "shop: none of its servers is running")
	_, err = reachableServers(&apply.Status{App: "shop"}, "")
	wantProblem(t, err, "shop: has no servers yet", "aloft up creates them")
}
