package machine

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestProxiesReachEveryProcessAndNeverTheMetadata(t *testing.T) {
	env := machineEnvironment(
		map[string]string{
			"https_proxy":   "http://proxy:3128",
			"no_proxy":      "example.com",
			"SSL_CERT_FILE": "/on/the/host",
		},
		true,
	)
	for name, want := range map[string]string{
		"https_proxy": "http://proxy:3128", "no_proxy": "example.com,169.254.169.254", "NO_PROXY": "169.254.169.254",
		"SSL_CERT_FILE": authoritiesFile, "NODE_EXTRA_CA_CERTS": authoritiesFile,
	} {
		if env[name] != want {
			t.Errorf("%s=%q, want %q", name, env[name], want)
		}
	}
	if bare := machineEnvironment(nil, false); len(bare) != 0 {
		t.Errorf("without proxies and authorities: %v", bare)
	}
}

func TestEachProgramIsToldInItsOwnFormat(t *testing.T) {
	m := Machine{Nameserver: netip.MustParseAddr("10.0.0.2"), SearchDomain: "ec2.internal"}
	files := bootFiles(
		m,
		map[string]string{"https_proxy": "http://u:50%25@proxy:3128", "SSL_CERT_FILE": authoritiesFile, "odd": "a\"b"},
		[]string{`Acquire::Check-Date "false";`},
	)
	want := map[string]string{
		environmentFile: "SSL_CERT_FILE=\"/run/aloft/ca-certificates.crt\"\nhttps_proxy=\"http://u:50%25@proxy:3128\"\n",
		managerFile: "[Manager]\nDefaultEnvironment=\"SSL_CERT_FILE=/run/aloft/ca-certificates.crt\" " +
			"\"https_proxy=http://u:50%%25@proxy:3128\" \n",
		aptFile: "Acquire::https::Proxy \"http://u:50%25@proxy:3128\";\nAcquire::https::CaInfo " +
			"\"/run/aloft/ca-certificates.crt\";\nAcquire::Check-Date \"false\";\n",
		resolverFile: "nameserver 10.0.0.2\nsearch ec2.internal\n",
	}
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if files[path] != want[path] {
			t.Errorf("%s\n got %q\nwant %q", path, files[path], want[path])
		}
	}
}

func TestMachinesThatCannotBeAreRefused(t *testing.T) {
	good := Machine{ID: "i-1", Layers: []string{"/layer"}, UIDBase: 1 << 20, VCPUs: 1, MemoryMiB: 64}
	if err := good.validate(); err != nil {
		t.Error(err)
	}
	for what, spoil := range map[string]func(*Machine){
		"an id that leaves its folder": func(m *Machine) { m.ID = "../i-1" },
		"no layers":                    func(m *Machine) { m.Layers = nil },
		"the host's own users":         func(m *Machine) { m.UIDBase = 0 },
		"no memory":                    func(m *Machine) { m.MemoryMiB = 0 },
		"no processor":                 func(m *Machine) { m.VCPUs = 0 },
	} {
		m := good
		spoil(&m)
		if m.validate() == nil {
			t.Errorf("a machine with %s was accepted", what)
		}
	}
}

// runFilter runs the filter as the kernel would, for the instructions that it has.
func runFilter(t *testing.T, filter []unix.SockFilter, arch, number uint32) uint32 {
	t.Helper()
	var loaded uint32
	for at := 0; at < len(filter); at++ {
		i := filter[at]
		holds := false
		switch i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			loaded = map[uint32]uint32{0: number, 4: arch}[i.K]
			continue
		case unix.BPF_RET | unix.BPF_K:
			return i.K
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			holds = loaded == i.K
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			holds = loaded >= i.K
		default:
			t.Fatalf("instruction %#x", i.Code)
		}
		if holds {
			at += int(i.Jt)
		} else {
			at += int(i.Jf)
		}
	}
	t.Fatal("the filter ends without a verdict")
	return 0
}

func TestFilterDeniesWhatReachesIntoTheHostsKernel(t *testing.T) {
	filter, err := systemCallFilter("amd64")
	if err != nil {
		t.Fatal(err)
	}
	refused, unknown := unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM), unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)
	for _, number := range deniedSystemCalls {
		if got := runFilter(t, filter, unix.AUDIT_ARCH_X86_64, number); got != refused {
			t.Errorf("call %d: %#x", number, got)
		}
	}
	for _, number := range []uint32{unix.SYS_READ, unix.SYS_MOUNT, unix.SYS_CLONE, unix.SYS_REBOOT, unix.SYS_SETNS} {
		if got := runFilter(t, filter, unix.AUDIT_ARCH_X86_64, number); got != unix.SECCOMP_RET_ALLOW {
			t.Errorf("call %d: %#x", number, got)
		}
	}
	if got := runFilter(t, filter, unix.AUDIT_ARCH_I386, 1); got != unknown {
		t.Errorf("a call of i386: %#x", got)
	}
	if got := runFilter(t, filter, unix.AUDIT_ARCH_X86_64, 0x40000000|unix.SYS_INIT_MODULE); got != unknown {
		t.Errorf("a call of x32: %#x", got)
	}
	if _, err := systemCallFilter("mips"); err == nil || !strings.Contains(err.Error(), "mips") {
		t.Errorf("an architecture without numbers: %v", err)
	}
}
