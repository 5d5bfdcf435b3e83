package userdata

import (
	"encoding/base64"
	"fmt"
	"path"
	"strings"
)

// prologue begins every program. It says on the console and in cloud-init's log what
// happens, and defines the functions that the modules use.
const prologue = `#!/bin/sh
# User data of this instance, as the local cloud has read it.
state=/var/lib/aloft
log=/var/log/cloud-init-output.log
id=$(cat "$state/instance-id" 2>/dev/null)
[ -n "$id" ] || exit 0
say() { echo "aloft: $*" | tee -a "$log" >/dev/console; }
# shown runs a command with its output on the console and in the log.
shown() { { "$@" 2>&1; echo "$?" >"$state/user-data.code"; } </dev/null | tee -a "$log" >/dev/console
	return "$(cat "$state/user-data.code")"; }
code=0
strict() { (set -eu; eval "$1"); }
# module WHAT COMMANDS runs commands until one fails. Later modules run all the same.
module() { shown strict "$2"; ended=$?
	[ "$ended" -eq 0 ] || { code=$ended; say "user data: $1 failed with exit code $ended"; }; }
cd /
`

// once ends the program unless the instance is new. The mark is written before anything
// runs: a script that ends the machine does not run again.
const once = `[ "$id" != "$(cat "$state/user-data-of" 2>/dev/null)" ] || exit "$code"
echo "$id" >"$state/user-data-of"
`

const epilogue = `say "the user data ended with exit code $code"
exit "$code"
`

// refusal returns the program that says once why user data was not run.
func refusal(reason string) string {
	return prologue + once + "say " + quote(reason) + "\nexit 0\n"
}

// script returns the program that carries the plan out, in the order of cloud-init's
// modules (cloud-init documentation, "Boot stages").
func (p *plan) script() string {
	var out strings.Builder
	module := func(what, commands string) {
		if commands != "" {
			_, _ = fmt.Fprintf(&out, "module %s %s\n", quote(what), quote(commands))
		}
	}
	c := &p.config
	out.WriteString(prologue)
	if len(c.bootCommands) > 0 {
		_, _ = fmt.Fprintf(&out, "shown sh -c %s || {\n"+
			"code=$?\nsay \"user data: bootcmd failed with exit code $code\"\n}\n",
			quote("INSTANCE_ID=$(cat /var/lib/aloft/instance-id); export INSTANCE_ID\n"+lines(c.bootCommands)))
	}
	out.WriteString(once)
	for _, f := range c.files {
		if !f.deferred {
			module("write_files "+f.path, f.commands())
		}
	}
	module("hostname", c.hostnameCommands())
	for _, g := range c.groups {
		module("groups "+g.name, g.commands())
	}
	module("users", c.userCommands())
	if c.timezone != "" {
		zone := quote(path.Join("/usr/share/zoneinfo", path.Clean("/"+c.timezone)))
		module("timezone", "test -f "+zone+"\nln -sf "+zone+" /etc/localtime\necho "+
			quote(c.timezone)+" >/etc/timezone\n")
	}
	module("packages", c.packageCommands())
	for _, f := range c.files {
		if f.deferred {
			module("write_files "+f.path, f.commands())
		}
	}
	for _, s := range p.scripts {
		out.WriteString(runScript(s))
	}
	if len(c.runCommands) > 0 {
		out.WriteString(runScript(script{"runcmd", []byte("#!/bin/sh\n" + lines(c.runCommands))}))
	}
	if c.finalMessage != "" {
		_, _ = fmt.Fprintf(&out, "say %s\n", quote(c.finalMessage))
	}
	out.WriteString(epilogue)
	return out.String()
}

// runScript returns the commands that store a script and run it.
func runScript(s script) string {
	file := "\"$state/scripts/" + s.name + "\""
	return "install -d -m 700 \"$state/scripts\"\n" +
		"printf %s " + quote(base64.StdEncoding.EncodeToString(s.content)) + " | base64 -d >" + file + "\n" +
		"chmod 700 " + file + "\nshown " + file + " || code=$?\n"
}

// commands returns the shell commands that write the file.
func (f file) commands() string {
	target, arrow := quote(f.path), ">"
	if f.append {
		arrow = ">>"
	}
	return "mkdir -p " + quote(path.Dir(f.path)) + "\n" +
		"printf %s " + quote(base64.StdEncoding.EncodeToString(f.content)) + " | base64 -d " + arrow + target + "\n" +
		"chmod " + quote(f.permissions) + " " + target + "\nchown -- " + quote(f.owner) + " " + target + "\n"
}

func (c *config) hostnameCommands() string {
	name, full := c.hostname, c.fqdn
	if name == "" {
		name, _, _ = strings.Cut(full, ".")
	}
	if name == "" {
		return ""
	}
	if full == "" {
		full = name
	}
	hosts := "/^127\\.0\\.1\\.1[[:space:]]/d"
	return "hostname -- " + quote(name) + "\necho " + quote(name) + " >/etc/hostname\n" +
		"sed -i " + quote(hosts) + " /etc/hosts\nprintf '127.0.1.1\\t%s %s\\n' " + quote(full) + " " + quote(name) +
		" >>/etc/hosts\n"
}

func (g group) commands() string {
	out := "getent group " + quote(g.name) + " >/dev/null || groupadd -- " + quote(g.name) + "\n"
	for _, member := range g.members {
		out += "usermod -a -G " + quote(g.name) + " -- " + quote(member) + "\n"
	}
	return out
}

// userCommands returns the shell commands that create the users and install keys. The
// default user is the one with the user id 1000, whom the image has.
func (c *config) userCommands() string {
	const authorize = `authorize() { # USER KEY
	home=$(getent passwd "$1" | cut -d: -f6); group=$(id -gn "$1")
	[ -d "$home/.ssh" ] || install -d -m 700 -o "$1" -g "$group" "$home/.ssh"
	[ -f "$home/.ssh/authorized_keys" ] || install -m 600 -o "$1" -g "$group" /dev/null "$home/.ssh/authorized_keys"
	grep -qxF -e "$2" "$home/.ssh/authorized_keys" || printf '%s\n' "$2" >>"$home/.ssh/authorized_keys"
}
`
	var out strings.Builder
	hasDefault := !c.usersGiven
	for _, u := range c.users {
		if u.isDefault {
			hasDefault = true
			continue
		}
		out.WriteString(u.commands())
	}
	if hasDefault {
		for _, key := range c.keys {
			_, _ = fmt.Fprintf(&out, "authorize \"$(id -nu 1000)\" %s\n", quote(key))
		}
	}
	if out.Len() == 0 {
		return ""
	}
	return authorize + out.String()
}

func (u user) commands() string {
	args := []string{"useradd", "--shell", quote(u.shell)}
	if u.noHome || u.system {
		args = append(args, "--no-create-home")
	} else {
		args = append(args, "--create-home")
	}
	for _, o := range [][2]string{{"--comment", u.comment}, {"--home-dir", u.home}, {"--uid", u.uid}} {
		if o[1] != "" {
			args = append(args, o[0], quote(o[1]))
		}
	}
	if u.system {
		args = append(args, "--system")
	}
	var out strings.Builder
	groups := u.groups
	if u.primaryGroup != "" {
		groups = append([]string{u.primaryGroup}, groups...)
		args = append(args, "--gid", quote(u.primaryGroup))
	} else {
		args = append(args, "--user-group")
	}
	for _, name := range groups {
		out.WriteString(group{name: name}.commands())
	}
	name := quote(u.name)
	_, _ = fmt.Fprintf(&out, "getent passwd %s >/dev/null || %s -- %s\n", name, strings.Join(args, " "), name)
	for _, g := range u.groups {
		_, _ = fmt.Fprintf(&out, "usermod -a -G %s -- %s\n", quote(g), name)
	}
	if u.password != "" {
		_, _ = fmt.Fprintf(&out, "usermod -p %s -- %s\n", quote(u.password), name)
	}
	if !u.unlocked {
		_, _ = fmt.Fprintf(&out, "passwd -l -- %s >/dev/null\n", name)
	}
	for _, key := range u.keys {
		_, _ = fmt.Fprintf(&out, "authorize %s %s\n", name, quote(key))
	}
	if len(u.sudo) > 0 {
		const rules = "/etc/sudoers.d/90-user-data"
		_, _ = fmt.Fprintf(&out, "[ -f %s ] || install -m 440 /dev/null %s\n", rules, rules)
		for _, rule := range u.sudo {
			_, _ = fmt.Fprintf(&out, "printf '%%s\\n' %s >>%s\n", quote(u.name+" "+rule), rules)
		}
	}
	return out.String()
}

func (c *config) packageCommands() string {
	if !c.updatePackages && !c.upgrade && len(c.packages) == 0 {
		return ""
	}
	// cloud-init waits for the locks of another apt in the same way.
	const get = "apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 " +
		"-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "
	out := "export DEBIAN_FRONTEND=noninteractive\n" +
		"tries=0\nuntil " + get + "update; do tries=$((tries + 1)); [ $tries -lt 10 ]; sleep 6; done\n"
	if c.upgrade {
		out += get + "dist-upgrade\n"
	}
	if len(c.packages) > 0 {
		out += get + "install --"
		for _, name := range c.packages {
			out += " " + quote(name)
		}
		out += "\n"
	}
	return out
}

func lines(list []string) string { return strings.Join(list, "\n") + "\n" }

// quote quotes a text as one word of sh.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
