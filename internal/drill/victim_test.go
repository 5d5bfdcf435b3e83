package drill

import (
	"strings"
	"testing"

	"aloft.dev/aloft/internal/apply"
)

var servers = []apply.Machine{
	{Name: "server-1", InstanceID: "i-1", Zone: "us-east-1a", State: "running", PrivateIP: "10.0.1.10"},
	{Name: "server-2", InstanceID: "i-2", Zone: "us-east-1b", State: "running", PrivateIP: "10.0.2.10"},
	{Name: "server-3", InstanceID: "i-3", Zone: "us-east-1c", State: "stopped", PrivateIP: "10.0.3.10"},
	{Name: "server-4", InstanceID: "i-4", Zone: "us-east-1a", State: "running", PrivateIP: "10.0.1.11"},
}

// describe returns a victim as "name: servers".
func (v victim) describe() string {
	names := make([]string, len(v.machines))
	for i, m := range v.machines {
		names[i] = m.Name
	}
	return v.name + ": " + strings.Join(names, " ")
}

func TestChooseVictim(t *testing.T) {
	for _, test := range []struct {
		experiment Experiment
		at, want   string
	}{
		{App, "", "server-4: server-4"},
		{App, "server-2", "server-2: server-2"},
		{Freeze, "i-2", "server-2: server-2"},
		{Instance, "us-east-1b", "server-2: server-2"},
		{Zone, "", "us-east-1a: server-1 server-4"},
		{Zone, "us-east-1b", "us-east-1b: server-2"},
		{Zone, "server-1", "us-east-1a: server-1 server-4"},
		{Overload, "", "the deployment: "},
	} {
		v, err := chooseVictim(test.experiment, test.at, servers)
		if err != nil || v.describe() != test.want {
			t.Errorf("%s at %q: got %q, %v; want %q", test.experiment, test.at, v.describe(), err, test.want)
		}
	}
}

func TestChooseVictimRejectsWhatDoesNotRun(t *testing.T) {
	for _, at := range []string{"server-3", "us-east-1c", "server-9"} {
		_, err := chooseVictim(Zone, at, servers)
		if err == nil || !strings.Contains(err.Error(), at+": no such server") {
			t.Errorf("%s: got %v", at, err)
		}
	}
	if _, err := chooseVictim(App, "", servers[2:3]); err == nil {
		t.Error("a victim was chosen although no server runs")
	}
}

func TestLastHealthyServerIsSpared(t *testing.T) {
	zone := victim{"us-east-1a", []apply.Machine{servers[0], servers[3]}}
	if err := zone.leavesHealthyServers(map[string]bool{"i-1": true, "i-2": true, "i-4": true}); err != nil {
		t.Errorf("with a healthy server in another zone: got %v", err)
	}
	if err := zone.leavesHealthyServers(map[string]bool{"i-1": true, "i-4": true}); err == nil {
		t.Error("the last two healthy servers were not spared")
	}
	ill := victim{"server-2", servers[1:2]}
	if err := ill.leavesHealthyServers(map[string]bool{"i-1": true}); err != nil {
		t.Errorf("an unhealthy server: got %v", err)
	}
}
