package cli

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/remote"
)

// Settings of the system's and the user's ssh_config must not reach a server. That Debian's
// sends LANG shows here whether they count.
func TestNoConfigurationOfOpenSSHCounts(t *testing.T) {
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatalf("the OpenSSH client is needed: %v", err)
	}
	arguments := sshArguments(remote.Target{User: "admin", KeyPath: "/k"}, "server.invalid", "/h", nil)
	if want := []string{"-F", "none"}; !slices.Equal(arguments[:2], want) {
		t.Errorf("arguments %q do not begin with %q", arguments, want)
	}
	out, err := exec.Command(program, append([]string{"-G"}, arguments...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	settings := "\n" + string(out)
	for _, want := range []string{
		"forwardagent no", "forwardx11 no", "permitlocalcommand no", "controlmaster false", "tunnel false",
		"addkeystoagent false", "stricthostkeychecking true", "verifyhostkeydns false", "identitiesonly yes",
		"gssapidelegatecredentials no", "updatehostkeys false", "user admin", "port 22",
	} {
		if !strings.Contains(settings, "\n"+want+"\n") {
			t.Errorf("OpenSSH would not use %q", want)
		}
	}
	for _, unwanted := range []string{
		"sendenv", "setenv", "localforward", "remoteforward", "dynamicforward", "controlpath", "knownhostscommand",
		"proxycommand", "proxyjump", "remotecommand", "localcommand",
	} {
		if strings.Contains(settings, "\n"+unwanted+" ") {
			t.Errorf("OpenSSH would use %s", unwanted)
		}
	}
	command := sshArguments(remote.Target{}, "h", "/h", []string{"ls", "-l"})
	if got := command[len(command)-4:]; !slices.Equal(got, []string{"h", "--", "ls", "-l"}) {
		t.Errorf("the command ends in %q", got)
	}
}

// TestPathsReachOpenSSHUnchanged asks the OpenSSH client how it understands paths.
func TestPathsReachOpenSSHUnchanged(t *testing.T) {
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatalf("the OpenSSH client is needed: %v", err)
	}
	const path = `/tmp/Ada Lovelace/100%/file`
	out, err := exec.Command(program, append(pathArguments(path, path), "-G", "server.invalid")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"identityfile " + path + "\n", "userknownhostsfile " + path + "\n"} {
		if !strings.Contains(strings.ReplaceAll(string(out), "%%", "%"), want) {
			t.Errorf("OpenSSH does not read %q:\n%s", want, out)
		}
	}
}
