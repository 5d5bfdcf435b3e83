//go:build linux

package machine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/disk"
)

// Problem is a reason why machines cannot run on this host, and its remedy.
type Problem struct{ What, Remedy string }

// hostRemedy is the remedy for a container or host that withholds privileges.
const hostRemedy = "Run it on the machine itself or in a virtual machine, or give the container all privileges " +
	"(docker run --privileged --cgroupns=host)."

// Preflight returns every reason why machines with disks in dir cannot run on this host. dir
// need not exist yet. Preflight changes nothing on the host.
func Preflight(dir string) []Problem {
	if os.Geteuid() != 0 {
		return []Problem{{
			"Machines need root, because they use user namespaces, mounts and cgroups.",
			"Run it with sudo.",
		}}
	}
	checks := []func(dir string) *Problem{
		checkCapabilities, checkKernel, checkUserNamespaces, checkCgroups, checkProc, checkTerminals,
		checkExecutable, checkMmdebstrap, checkDisks, checkOverlay,
		checkIDMapping,
	}
	var problems []Problem
	for _, check := range checks {
		if problem := check(dir); problem != nil {
			problems = append(problems, *problem)
		}
	}
	return problems
}

// neededCapabilities are the capabilities that machines need of the host's root.
func neededCapabilities() map[string]uint {
	return map[string]uint{
		"CAP_CHOWN":        unix.CAP_CHOWN,
		"CAP_DAC_OVERRIDE": unix.CAP_DAC_OVERRIDE,
		"CAP_FOWNER":       unix.CAP_FOWNER,
		"CAP_KILL":         unix.CAP_KILL,
		"CAP_MKNOD":        unix.CAP_MKNOD,
		"CAP_NET_ADMIN":    unix.CAP_NET_ADMIN,
		"CAP_SETGID":       unix.CAP_SETGID,
		"CAP_SETUID":       unix.CAP_SETUID,
		"CAP_SYS_ADMIN":    unix.CAP_SYS_ADMIN,
		"CAP_SYS_CHROOT":   unix.CAP_SYS_CHROOT,
		"CAP_SYS_PTRACE":   unix.CAP_SYS_PTRACE,
	}
}

func checkCapabilities(string) *Problem {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return &Problem{"/proc cannot be read: " + err.Error(), hostRemedy}
	}
	_, after, _ := strings.Cut(string(data), "CapEff:")
	effective, err := strconv.ParseUint(strings.Fields(after + " ?")[0], 16, 64)
	if err != nil {
		return &Problem{"The capabilities of this process cannot be read.", hostRemedy}
	}
	var missing []string
	for name, bit := range neededCapabilities() {
		if effective&(1<<bit) == 0 {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return &Problem{"Root lacks " + strings.Join(missing, ", ") + " here.", hostRemedy}
}

// checkKernel requires Linux 5.19, the first version in which overlayfs works on ID-mapped
// layers.
func checkKernel(string) *Problem {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return &Problem{"The version of the kernel cannot be read: " + err.Error(), hostRemedy}
	}
	release := unix.ByteSliceToString(name.Release[:])
	var major, minor int
	_, err := fmt.Sscanf(release, "%d.%d", &major, &minor)
	if err == nil && (major > 5 || major == 5 && minor >= 19) {
		return nil
	}
	return &Problem{
		"The kernel is Linux " + release + "; machines need 5.19 or later.",
		"Use a newer system, such as Debian 12 or Ubuntu 24.04.",
	}
}

func checkUserNamespaces(string) *Problem {
	data, err := os.ReadFile("/proc/sys/user/max_user_namespaces")
	if err == nil && strings.TrimSpace(string(data)) != "0" {
		return nil
	}
	return &Problem{"User namespaces are disabled.", "sysctl -w user.max_user_namespaces=10000"}
}

func checkCgroups(string) *Problem {
	h, err := findHierarchies()
	if err != nil {
		return &Problem{
			"No cgroup version 2 hierarchy is mounted.",
			"mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified, or boot with systemd.unified_cgroup_hierarchy=1.",
		}
	}
	v2Controllers, err := os.ReadFile(filepath.Join(h.v2, "cgroup.controllers"))
	if err != nil {
		return &Problem{"The cgroups cannot be read: " + err.Error(), hostRemedy}
	}
	for _, controller := range controllers {
		if h.v1[controller] == "" && !slices.Contains(strings.Fields(string(v2Controllers)), controller) {
			return &Problem{"There is no " + controller + " cgroup controller.", hostRemedy}
		}
	}
	if err := unix.Access(h.v2, unix.W_OK); err != nil {
		return &Problem{"The cgroups are read-only: " + err.Error(), hostRemedy}
	}
	return nil
}

func checkTerminals(string) *Problem {
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return &Problem{
			"No terminal can be opened: " + err.Error(),
			"mount -t devpts devpts /dev/pts, and check that everyone may use /dev/ptmx (mode 666).",
		}
	}
	_ = f.Close()
	return nil
}

// checkExecutable requires that everyone may execute this program, because launchers execute
// it as nobody.
func checkExecutable(string) *Problem {
	info, err := os.Stat("/proc/self/exe")
	if err == nil && info.Mode()&0o001 != 0 {
		return nil
	}
	path, _ := os.Readlink("/proc/self/exe") // for the message only
	return &Problem{"Only its owner may execute " + path + ".", "chmod 755 " + path}
}

func checkMmdebstrap(string) *Problem {
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		return &Problem{
			"mmdebstrap, which builds the machines' Debian, is not installed.",
			"apt-get install mmdebstrap debian-archive-keyring",
		}
	}
	return nil
}

// checkDisks requires what creates and mounts the files that are machines' disks.
func checkDisks(string) *Problem {
	if _, err := exec.LookPath(disk.Command); err != nil {
		return &Problem{
			disk.Command + ", which formats machines' disks, is not installed.",
			"apt-get install e2fsprogs",
		}
	}
	f, err := os.OpenFile(disk.LoopControl, os.O_RDWR, 0)
	if err != nil {
		return &Problem{
			"Files cannot be mounted as disks: " + err.Error(),
			"modprobe loop; in a container, " + strings.ToLower(hostRemedy[:1]) + hostRemedy[1:],
		}
	}
	_ = f.Close()
	return nil
}
