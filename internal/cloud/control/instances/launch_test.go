//go:build linux

package instances_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestLaunchBootsMachineOfItsType(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.want("i-1", store.Running)
		const want = "i-1 running ip-10-0-1-5 2 vCPU 1024 MiB on /base-debian-12\n"
		if got := f.machines.String(); got != want || f.machines.Described("i-1").DiskGiB != 8 {
			t.Errorf("machines:\n%swant:\n%s", got, want)
		}
		if i := f.instance("i-1"); !i.Reachable || i.UIDBase == 0 || f.synced == 0 {
			t.Errorf("instance %+v, %d network syncs", i, f.synced)
		}
		f.launch("i-2", nil)
		if f.instance("i-1").UIDBase == f.instance("i-2").UIDBase {
			t.Error("i-1 and i-2 have the same user ids")
		}
	})
}

func TestMachineHasTheNameAndTheProcessorsThatItsLaunchAskedFor(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", func(i *store.Instance) {
			i.ResourceNames.Hostname, i.CPUCores, i.CPUThreads = true, 1, 1
		})
		f.want("i-1", store.Running)
		if got, want := f.machines.String(), "i-1 running i-1 1 vCPU 1024 MiB on /base-debian-12\n"; got != want {
			t.Errorf("machines:\n%swant:\n%s", got, want)
		}
	})
}

func TestFailedLaunchRetriesThenGivesUpWithReason(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.machines.Fail("Boot i-1", errors.New("one"), errors.New("two"))
		f.launch("i-1", nil)
		time.Sleep(time.Minute)
		f.want("i-1", store.Running)

		f.machines.Fail("Boot i-2", errors.New("one"), errors.New("two"), errors.New("no room on the disk"))
		f.launch("i-2", nil)
		time.Sleep(time.Minute)
		f.want("i-2", store.Terminated) // it never ran
		if i := f.instance("i-2"); i.StateReasonCode != "Server.InternalError" ||
			!strings.Contains(i.StateReason, "no room on the disk") {
			t.Errorf("state reason %q: %q, want the error of the last launch", i.StateReasonCode, i.StateReason)
		}

		f.stop("i-1")
		f.want("i-1", store.Stopped)
		f.machines.Fail("Prepare i-1", errors.New("a"), errors.New("b"), errors.New("c"))
		f.start("i-1")
		time.Sleep(time.Minute)
		f.want("i-1", store.Stopped) // it ran before, so it keeps its disk
		if _, ok := store.Volumes.Get(f.store.View(), "vol-i-1"); !ok {
			t.Error("the stopped instance lost its disk")
		}
	})
}

func TestLaunchOnAFullDiskGivesUpAtOnce(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.machines.Fail("Prepare i-1", machine.ErrNoRoom)
		f.launch("i-1", nil)
		f.want("i-1", store.Terminated)
		if i := f.instance("i-1"); i.StateReasonCode != "Server.InsufficientInstanceCapacity" ||
			!strings.Contains(i.StateReason, "no space left on device") {
			t.Errorf("state reason %q: %q", i.StateReasonCode, i.StateReason)
		}
	})
}

func TestMachineGetsItsUserDataAsAProgram(t *testing.T) {
	withLoop(t, func(f *fixture) {
		data := base64.StdEncoding.EncodeToString([]byte("#cloud-config\nfinal_message: done\n"))
		f.launch("i-1", func(i *store.Instance) { i.UserData = data })
		f.launch("i-2", func(i *store.Instance) { i.UserData, i.MetadataEndpoint = data, "disabled" })
		f.launch("i-3", nil)
		for id, want := range map[string]bool{"i-1": true, "i-2": false, "i-3": false} {
			program := f.machines.Described(id).UserData
			if got := strings.Contains(program, "say 'done'"); got != want || !want && program != "" {
				t.Errorf("%s: %q", id, program)
			}
		}
	})
}

func TestMachineGetsTheNameServersOfItsDHCPOptions(t *testing.T) {
	withLoop(t, func(f *fixture) {
		if err := f.store.Update(func(tx *store.Tx) error {
			store.DHCPOptionSets.Put(tx, &store.DHCPOptions{
				ID: "dopt-1", Region: "r", DomainName: "corp.test",
				DomainNameServers: []string{"10.0.0.7", "AmazonProvidedDNS"},
			})
			store.VPCs.Put(tx, &store.VPC{
				ID: "vpc-9", Region: "r", CIDR: netip.MustParsePrefix("10.0.0.0/16"), DNSSupport: true,
				DHCPOptionsID: "dopt-1",
			})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		f.launch("i-1", func(i *store.Instance) { i.VPCID = "vpc-9" })
		m := f.machines.Described("i-1")
		if m.SearchDomain != "corp.test" || len(m.Nameservers) != 2 ||
			m.Nameservers[0].String() != "10.0.0.7" || m.Nameservers[1].String() != "10.0.0.2" {
			t.Errorf("domain %q, name servers %v", m.SearchDomain, m.Nameservers)
		}
	})
}

func TestLaunchWaitsForTheBaseImage(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", func(i *store.Instance) { i.Layers = nil })
		f.want("i-1", store.Pending)
		if n := f.machines.Calls("Prepare"); n != 0 {
			t.Errorf("%d machines were prepared before their image was built", n)
		}
		f.edit("i-1", func(i *store.Instance) { i.Layers = []string{"base-debian-13"} })
		f.want("i-1", store.Running)
		f.launch("i-2", func(i *store.Instance) { i.Layers = nil })
		f.terminate("i-2")
		f.want("i-2", store.Terminated)
	})
}

func TestRebootKeepsInstanceRunning(t *testing.T) {
	withLoop(t, func(f *fixture) {
		f.launch("i-1", nil)
		f.edit("i-1", func(i *store.Instance) { i.Reboots++ })
		f.want("i-1", store.Running)
		if i := f.instance("i-1"); f.machines.Calls("Reboot") != 1 || i.RebootsDone != 1 || !i.Reachable {
			t.Errorf("%d calls of Reboot, instance %+v", f.machines.Calls("Reboot"), i)
		}
	})
}

func TestWorkGrowsLinearlyWithMachines(t *testing.T) {
	calls := func(n int) (boots, syncs int) {
		withLoop(t, func(f *fixture) {
			for i := range n {
				f.launch(fmt.Sprintf("i-%03d", i), nil)
			}
			f.want(fmt.Sprintf("i-%03d", n-1), store.Running)
			boots, syncs = f.machines.Calls("Boot"), f.synced
		})
		return boots, syncs
	}
	fewBoots, fewSyncs := calls(30)
	boots, syncs := calls(300)
	if fewBoots != 30 || boots != 300 || syncs > 10*fewSyncs {
		t.Errorf("30 machines: %d boots, %d network syncs; 300 machines: %d, %d", fewBoots, fewSyncs, boots, syncs)
	}
}
