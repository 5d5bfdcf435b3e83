//go:build linux && root

package mainjob

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/test/program"
)

// debianArchive returns a tar archive of Debian 13 as its own packages install it: without
// what makes a base image of it, and without curl. more are options of tar.
func debianArchive(t *testing.T, name, compress string, more ...string) string {
	t.Helper()
	store, err := image.Open("/var/cache/aloft-test")
	if err != nil {
		t.Fatal(err)
	}
	layer, err := store.EnsureBase(t.Context(), image.Debian13, func(string, float64) {})
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), name)
	program.Exec(t, "tar", append([]string{
		"-C", store.Path(layer), "--numeric-owner", "--xattrs", "--xattrs-include=*", "-I", compress, "-cf", archive,
		"--exclude=./usr/lib/aloft", "--exclude=*aloft*", "--exclude=./usr/bin/curl", "--exclude=./etc/resolv.conf",
		"--exclude=./etc/environment",
	}, append(more, ".")...)...)
	return archive
}

// imported is the output of aloft local image import --json.
type imported struct {
	ID       string   `json:"image_id"`
	System   string   `json:"system"`
	User     string   `json:"user"`
	Snapshot string   `json:"snapshot_id"`
	Notes    []string `json:"notes"`
}

func (c *deployed) importImage(t *testing.T, name, archive string) imported {
	t.Helper()
	var out imported
	if err := json.Unmarshal([]byte(c.Must(t, "local", "image", "import", name, archive, "--json")), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// launchImported starts an instance with a key pair and admits SSH to it.
func (c *deployed) launchImported(t *testing.T, imageID, publicKey string) (id, address string) {
	t.Helper()
	ctx := t.Context()
	_, err := c.API.EC2.ImportKeyPair(ctx, &ec2.ImportKeyPairInput{
		KeyName: aws.String(imageID), PublicKeyMaterial: []byte(publicKey),
	})
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.API.EC2.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: &imageID, InstanceType: types.InstanceTypeT3Micro, KeyName: &imageID,
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		UserData: aws.String(base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\necho user-data >/var/user-data\n"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	id = aws.ToString(run.Instances[0].InstanceId)
	program.Eventually(t, program.Patience, "the instance has a public address", func() bool {
		found, err := c.API.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		if err != nil {
			t.Fatal(err)
		}
		address = aws.ToString(found.Reservations[0].Instances[0].PublicIpAddress)
		return address != "" && found.Reservations[0].Instances[0].State.Name == types.InstanceStateNameRunning
	})
	return id, address
}

// onImported waits until a user can log in, and returns the output of a command.
func onImported(t *testing.T, key, login string) func(command string) string {
	t.Helper()
	run := func(command string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		out, err := exec.CommandContext(ctx, "ssh", "-F", "/dev/null", "-i", key, "-o", "BatchMode=yes",
			"-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
			"-o", "LogLevel=ERROR", "-o", "ConnectTimeout=2", login, command).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	program.Eventually(t, program.Patience, login+" logs in", func() bool {
		_, err := run("true")
		return err == nil
	})
	return func(command string) string {
		out, err := run(command)
		if err != nil {
			t.Errorf("%s: %v", command, err)
		}
		return out
	}
}

// TestRealImportedImageBoots imports two archives of Debian 13, one with sudo and a first
// user and one without, and logs in to an instance of each.
func TestRealImportedImageBoots(t *testing.T) {
	c := &deployed{LocalCloud: program.Start(t)}
	key := filepath.Join(t.TempDir(), "key")
	program.Exec(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	group, err := c.API.EC2.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{
		Filters: []types.Filter{{Name: aws.String("group-name"), Values: []string{"default"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.letIn(t, aws.ToString(group.SecurityGroups[0].GroupId))
	for _, tc := range []struct{ name, archive, user, sudo string }{
		{"with-sudo", debianArchive(t, "debian.tar.gz", "gzip -1"), "admin", "1"},
		{"without-sudo", debianArchive(t, "debian.tar.zst", "zstd -1", "--exclude=./usr/bin/sudo"), "root", ""},
	} {
		made := c.importImage(t, tc.name, tc.archive)
		if made.User != tc.user || !strings.HasPrefix(made.System, "Debian GNU/Linux 13") || len(made.Notes) > 0 {
			t.Fatalf("%s: imported %+v", tc.name, made)
		}
		id, address := c.launchImported(t, made.ID, string(public))
		gone := false
		t.Cleanup(func() {
			if t.Failed() && !gone {
				console := filepath.Join(c.State, "machines", id, "console.log")
				t.Logf("console of %s:\n%s", id, program.Exec(t, "tail", "-60", console))
			}
		})
		run := onImported(t, key, tc.user+"@"+address)
		for command, want := range map[string]string{
			"id -un":                                                 tc.user,
			"hostname | grep -c ^ip-172-31-":                         "1",
			"systemctl is-system-running --wait":                     "running",
			"cat /var/user-data":                                     "user-data",
			"grep -c ^nameserver /etc/resolv.conf":                   "1",
			"test -c /dev/null && stat -c %a /usr/bin/passwd":        "4755",
			"command -v curl || echo no curl":                        "no curl",
			"systemctl --failed --no-legend | wc -l":                 "0",
			"[ $(id -u) = 0 ] || sudo -n id -u | grep -c '^0$'":      tc.sudo,
			"cat /var/lib/aloft/instance-id 2>/dev/null || true":     id,
			"ls /etc/ssh/ssh_host_*_key | wc -l":                     "2",
			"systemctl is-enabled systemd-networkd 2>&1 || true":     "masked",
			"cut -c1-32 /etc/machine-id | grep -cE '^[0-9a-f]{32}$'": "1",
		} {
			if got := run(command); got != want {
				t.Errorf("%s: %s: %q, want %q", tc.name, command, got, want)
			}
		}
		c.Refused(t, []string{"local", "image", "import", tc.name, tc.archive},
			[]string{"InvalidAMIName.Duplicate", made.ID})
		c.Refused(t, []string{"local", "image", "remove", tc.name, "--yes"}, []string{id, "terminate"})
		out := c.Must(t, "local", "image", "list")
		if !strings.Contains(out, made.ID) || !strings.Contains(out, tc.user) {
			t.Errorf("the list lacks %s:\n%s", made.ID, out)
		}
		gone = true
		c.removeImported(t, tc.name, id)
	}
}

// removeImported terminates an instance, removes its image, and checks that no file of the
// image is left.
func (c *deployed) removeImported(t *testing.T, name, id string) {
	t.Helper()
	if _, err := c.API.EC2.TerminateInstances(t.Context(),
		&ec2.TerminateInstancesInput{InstanceIds: []string{id}}); err != nil {
		t.Fatal(err)
	}
	program.Eventually(t, program.Patience, "the instance is terminated", func() bool {
		found, err := c.API.EC2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		if err != nil {
			t.Fatal(err)
		}
		return found.Reservations[0].Instances[0].State.Name == types.InstanceStateNameTerminated
	})
	c.Must(t, "local", "image", "remove", name, "--yes")
	c.Refused(t, []string{"local", "image", "remove", name, "--yes"}, []string{"there is no imported image"})
	program.Eventually(t, program.Patience, "the image's files are deleted", func() bool {
		left, err := filepath.Glob(filepath.Join(c.State, "images", "layers", "layer-*"))
		return err == nil && len(left) == 0
	})
}
