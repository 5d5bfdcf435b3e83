//go:build linux

// Package program runs the built aloft for tests as a user would: as a process,
// on real machines and networks of a local cloud.
package program

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

// Status is the document that aloft status --json prints.
type Status struct {
	URL      string   `json:"url"`
	DNSName  string   `json:"dns_name"`
	VPC      string   `json:"vpc_id"`
	ImageID  string   `json:"image_id"`
	Machines []Server `json:"machines"`
}

// Server is one of the machines in a Status.
type Server struct {
	Name       string `json:"name"`
	InstanceID string `json:"instance_id"`
	Type       string `json:"type"`
	Zone       string `json:"zone"`
	PrivateIP  string `json:"private_ip"`
	PublicIP   string `json:"public_ip"`
	State      string `json:"state"`
	Health     string `json:"health"`
}

// Program is the built aloft with a home and a state folder of its own.
type Program struct {
	Binary, Home, State string
}

// LocalAddress is where a test's local cloud serves its APIs.
const LocalAddress = "127.0.0.1:4599"

// stateFolder is the name of a local cloud's state folder.
const stateFolder = "state"

// region is where the tests deploy.
const region = "us-east-1"

// Patience is the longest that any command may take. A t3.micro compiles Go's standard library for
// three minutes on a host with a load of thirty.
const Patience = 10 * time.Minute

// New returns the built aloft with an empty state folder on a small disk.
func New(t *testing.T) Program {
	t.Helper()
	return Program{Binary: binary(t), Home: t.TempDir(), State: filepath.Join(smallDisk(t), stateFolder)}
}

// binary returns the path of the built aloft.
func binary(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../bin/aloft")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// smallDisk mounts a disk of 6 GB, which a test can fill, and returns its folder.
func smallDisk(t *testing.T) string {
	t.Helper()
	room := t.TempDir()
	disk, dir := filepath.Join(room, "disk"), filepath.Join(room, "mounted")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	Exec(t, "truncate", "-s", "6G", disk)
	Exec(t, "mkfs.ext4", "-q", "-m", "0", disk)
	Exec(t, "mount", "-o", "loop,noatime", disk, dir)
	t.Cleanup(func() { Exec(t, "umount", dir) })
	return dir
}

// Exec runs a command, fails the test if the command fails, and returns its output.
func Exec(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// Command returns an aloft command that is not started yet.
func (p Program) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.Binary, append(args, "--state-dir", p.State)...)
	cmd.Env = append(os.Environ(), "HOME="+p.Home, "XDG_DATA_HOME=", "SUDO_USER=",
		"XDG_CACHE_HOME="+filepath.Join(os.TempDir(), "aloft-tests")) // toolchains are fetched once
	return cmd
}

// Run runs an aloft command and returns its output and exit code.
func (p Program) Run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	return p.RunWith(ctx, t, args...)
}

// RunWith is Run with a context of the caller.
func (p Program) RunWith(ctx context.Context, t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := p.Command(ctx, args...)
	var out, story bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &story
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("aloft %s: %v", strings.Join(args, " "), err)
	}
	took := time.Since(began).Seconds()
	t.Logf("aloft %s: exit %d, %.2f s", strings.Join(args, " "), cmd.ProcessState.ExitCode(), took)
	return out.String(), story.String(), cmd.ProcessState.ExitCode()
}

// Must runs an aloft command, fails the test unless it exits with 0, and returns
// its standard output. It also works while the test cleans up.
func (p Program) Must(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), Patience)
	defer cancel()
	out, story, code := p.RunWith(ctx, t, args...)
	if code != 0 {
		command := strings.Join(args, " ")
		t.Fatalf("aloft %s: exit %d\n%s\n%s\nlog of the local cloud:\n%s", command, code, out, story, p.Log())
	}
	return out
}

// Log returns the last 60 lines of the daemon's log, without API requests.
func (p Program) Log() string {
	data, err := os.ReadFile(filepath.Join(p.State, "aloft.log"))
	if err != nil {
		return err.Error()
	}
	isRequest := func(line string) bool { return strings.Contains(line, "msg=request ") }
	lines := slices.DeleteFunc(strings.Split(string(data), "\n"), isRequest)
	return strings.Join(lines[max(0, len(lines)-60):], "\n")
}

// Refused checks that an aloft command exits with 1 and prints all of the words.
func (p Program) Refused(t *testing.T, args, words []string) {
	t.Helper()
	out, story, code := p.Run(t, args...)
	printed := out + story
	if code != 1 {
		t.Errorf("aloft %s: exit %d, want 1\n%s", strings.Join(args, " "), code, printed)
	}
	for _, word := range words {
		if !strings.Contains(printed, word) {
			t.Errorf("aloft %s does not print %q:\n%s", strings.Join(args, " "), word, printed)
		}
	}
}

// Status runs aloft status on the application in a folder.
func (p Program) Status(t *testing.T, dir string) Status {
	t.Helper()
	out, story, code := p.Run(t, "status", dir, "--json")
	var d Status
	if err := json.Unmarshal([]byte(out), &d); code != 0 || err != nil {
		t.Fatalf("aloft status %s: exit %d, %v\n%s\n%s", dir, code, err, out, story)
	}
	return d
}

// Client returns a client with the endpoint and keys that aloft local env prints.
func (p Program) Client(t *testing.T) *awsapi.Client {
	t.Helper()
	var env map[string]string
	if err := json.Unmarshal([]byte(p.Must(t, "local", "env", "--json")), &env); err != nil {
		t.Fatal(err)
	}
	keys := credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], "")
	client, err := awsapi.New(t.Context(), awsapi.Options{
		Region: region, Endpoint: env["AWS_ENDPOINT_URL"], Credentials: keys,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// OpenSSHArgs returns arguments for the host's ssh, with the key pair that aloft made.
func (p Program) OpenSSHArgs(app, address string, command ...string) []string {
	key := filepath.Join(p.Home, ".local/share/aloft/local/keys", app+"-"+region+"-000000000000.pem")
	args := []string{"-i", key, "-F", "/dev/null"}
	for _, option := range []string{
		"BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null",
		"LogLevel=ERROR", "ConnectTimeout=5",
	} {
		args = append(args, "-o", option)
	}
	return append(append(args, "admin@"+address), command...)
}

// OpenSSH runs a command on a machine and returns its output.
func (p Program) OpenSSH(t *testing.T, app, address, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, "ssh", p.OpenSSHArgs(app, address, command)...)
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ssh admin@%s %s: %v\n%s%s", address, command, err, out, complaints.String())
	}
	return strings.TrimSpace(string(out))
}

// Eventually waits for a condition and fails the test when it does not hold in time.
func Eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
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

// LendImages puts the base images that earlier tests built into a state folder, so that a
// host builds each of them once. If there is none, the daemon builds it.
func LendImages(t *testing.T, state string, bases ...string) {
	t.Helper()
	images := filepath.Join(state, "images", "layers")
	if err := os.MkdirAll(images, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, base := range bases {
		built, err := filepath.Glob(filepath.Join("/var/cache/aloft-test/layers", base+"-*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, layer := range built {
			if out, err := exec.Command("cp", "-a", layer, images).CombinedOutput(); err != nil {
				t.Fatalf("lend a base image: %v\n%s", err, out)
			}
		}
	}
}
