//go:build root

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"aloft.dev/aloft/internal/awsapi"
)

// statusDocument is the document of aloft status --json.
type statusDocument struct {
	URL      string `json:"url"`
	DNSName  string `json:"dns_name"`
	VPC      string `json:"vpc_id"`
	ImageID  string `json:"image_id"`
	Machines []struct {
		Name       string `json:"name"`
		InstanceID string `json:"instance_id"`
		Zone       string `json:"zone"`
		PrivateIP  string `json:"private_ip"`
		PublicIP   string `json:"public_ip"`
		State      string `json:"state"`
		Health     string `json:"health"`
	} `json:"machines"`
}

// program is the built aloft, run as a user would, with a state folder and a home
// of its own.
type program struct {
	binary, home, state string
}

// localAddress is where the tests' local cloud serves its APIs.
const localAddress = "127.0.0.1:4599"

// patience is how long any command may take.
const patience = 3 * time.Minute

func newProgram(t *testing.T) program {
	t.Helper()
	binary, err := filepath.Abs("../bin/aloft")
	if err != nil {
		t.Fatal(err)
	}
	return program{binary: binary, home: t.TempDir(), state: filepath.Join(smallDisk(t), "state")}
}

// smallDisk is a folder on a disk of 6 GB of its own, which a test can fill.
func smallDisk(t *testing.T) string {
	t.Helper()
	room := t.TempDir()
	disk, dir := filepath.Join(room, "disk"), filepath.Join(room, "mounted")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "truncate", "-s", "6G", disk)
	run(t, "mkfs.ext4", "-q", "-m", "0", disk)
	run(t, "mount", "-o", "loop,noatime", disk, dir)
	t.Cleanup(func() { run(t, "umount", dir) })
	return dir
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (p program) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.binary, append(args, "--state-dir", p.state)...)
	cmd.Env = append(os.Environ(), "HOME="+p.home, "XDG_DATA_HOME=", "SUDO_USER=")
	return cmd
}

// run gives what a command prints and its exit code.
func (p program) run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return p.runWith(ctx, t, args...)
}

func (p program) runWith(ctx context.Context, t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := p.command(ctx, args...)
	var out, story bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &story
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("aloft %s: %v", strings.Join(args, " "), err)
	}
	t.Logf(
		"aloft %s: exit %d, %.2f s",
		strings.Join(args, " "),
		cmd.ProcessState.ExitCode(),
		time.Since(began).Seconds(),
	)
	return out.String(), story.String(), cmd.ProcessState.ExitCode()
}

// must runs a command that succeeds.
func (p program) must(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	out, story, code := p.runWith(ctx, t, args...)
	if code != 0 {
		t.Fatalf(
			"aloft %s: exit %d\n%s\n%s\nlog of the local cloud:\n%s",
			strings.Join(args, " "),
			code,
			out,
			story,
			p.log(),
		)
	}
	return out
}

// log is the end of the daemon's log, without requests.
func (p program) log() string {
	data, err := os.ReadFile(filepath.Join(p.state, "aloft.log"))
	if err != nil {
		return err.Error()
	}
	lines := slices.DeleteFunc(
		strings.Split(string(data), "\n"),
		func(line string) bool { return strings.Contains(line, "msg=request ") },
	)
	return strings.Join(lines[max(0, len(lines)-60):], "\n")
}

// refused runs a command that fails, and asks for all of the words in what it says.
func (p program) refused(t *testing.T, args, words []string) {
	t.Helper()
	out, story, code := p.run(t, args...)
	said := out + story
	if code != 1 {
		t.Errorf("aloft %s: exit %d, want 1\n%s", strings.Join(args, " "), code, said)
	}
	for _, word := range words {
		if !strings.Contains(said, word) {
			t.Errorf("aloft %s does not say %q:\n%s", strings.Join(args, " "), word, said)
		}
	}
}

func (p program) status(t *testing.T, dir string) statusDocument {
	t.Helper()
	out, story, code := p.run(t, "status", dir, "--json")
	var d statusDocument
	if err := json.Unmarshal([]byte(out), &d); code != 0 || err != nil {
		t.Fatalf("aloft status %s: exit %d, %v\n%s\n%s", dir, code, err, out, story)
	}
	return d
}

// client speaks to the local cloud with what aloft local env gives to any AWS client.
func (p program) client(t *testing.T) *awsapi.Client {
	t.Helper()
	var env map[string]string
	if err := json.Unmarshal([]byte(p.must(t, "local", "env", "--json")), &env); err != nil {
		t.Fatal(err)
	}
	client, err := awsapi.New(t.Context(), awsapi.Options{Region: region, Endpoint: env["AWS_ENDPOINT_URL"],
		Credentials: credentials.NewStaticCredentialsProvider(
			env["AWS_ACCESS_KEY_ID"],
			env["AWS_SECRET_ACCESS_KEY"],
			"",
		)})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// opensshArgs are for the system's own ssh, with the key pair that aloft made.
func (p program) opensshArgs(app, address string, command ...string) []string {
	return append([]string{
		"-i", filepath.Join(p.home, ".local/share/aloft/local/keys", app+"-"+region+".pem"), "-F", "/dev/null", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes",
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=5", "admin@" + address,
	}, command...)
}

// openssh runs a command on a machine.
func (p program) openssh(t *testing.T, app, address, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, "ssh", p.opensshArgs(app, address, command)...)
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ssh admin@%s %s: %v\n%s%s", address, command, err, out, complaints.String())
	}
	return strings.TrimSpace(string(out))
}

// eventually waits for a condition that the rest of the test relies on.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	began := time.Now()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for !ok() {
		if time.Since(began) > within {
			t.Fatalf("not within %s: %s", within, what)
		}
		<-retry.C
	}
	t.Logf("%s: %.2f s", what, time.Since(began).Seconds())
}

// lendImages gives the state folder the base image that earlier tests built, so
// that it is built once a machine. Without one the daemon builds it.
func lendImages(t *testing.T, state string) {
	t.Helper()
	const cache = "/var/cache/aloft-test/layers"
	if _, err := os.Stat(cache); err != nil {
		return
	}
	images := filepath.Join(state, "images")
	if err := os.MkdirAll(images, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", cache, images).CombinedOutput(); err != nil {
		t.Fatalf("lend the base image: %v\n%s", err, out)
	}
}

// kernelObjects lists what a local cloud makes on the host, to compare before and
// after: mounts (namespaces are pinned by mounts), devices, rules of the host,
// control groups and processes.
func kernelObjects(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, "/run/alo") || strings.Contains(line, "aloft") {
			_, _ = fmt.Fprint(&out, "mount ", line)
		}
	}
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if strings.HasPrefix(link.Name, "alo") {
			_, _ = fmt.Fprintln(&out, "device", link.Name)
		}
	}
	for _, pattern := range []string{"/sys/fs/cgroup/*/alo*/i-*", "/sys/fs/cgroup/alo*/i-*"} {
		groups, _ := filepath.Glob(pattern)
		for _, group := range groups {
			_, _ = fmt.Fprintln(&out, "cgroup", group)
		}
	}
	for _, args := range [][]string{{"nft", "list", "tables"}, {"ip", "route", "show", "table", "all", "198.18.0.0/15"}} {
		listed, err := exec.Command(args[0], args[1:]...).Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		for line := range strings.Lines(string(listed)) {
			_, _ = fmt.Fprintf(&out, "%s: %s", args[0], line)
		}
	}
	processes, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, process := range processes {
		if exe, err := os.Readlink(process); err == nil && strings.Contains(exe, "/bin/aloft") {
			_, _ = fmt.Fprintln(&out, "process", filepath.Dir(process), exe)
		}
	}
	return out.String()
}

// added is what there is now and was not before.
func added(before, now string) string {
	was := strings.Split(before, "\n")
	return strings.Join(
		slices.DeleteFunc(strings.Split(now, "\n"), func(line string) bool { return slices.Contains(was, line) }),
		"\n",
	)
}
