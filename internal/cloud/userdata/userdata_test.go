package userdata

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func compress(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(text)) // a buffer never fails
	_ = w.Close()
	return out.String()
}

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// message returns a MIME message whose parts are headers and bodies in turn.
func message(parts ...string) string {
	out := "Content-Type: multipart/mixed; boundary=\"==B==\"\nMIME-Version: 1.0\n\n"
	for i := 0; i < len(parts); i += 2 {
		out += "--==B==\n" + parts[i] + "\n\n" + parts[i+1] + "\n"
	}
	return out + "--==B==--\n"
}

func TestFormatsOfUserData(t *testing.T) {
	const hello = "#!/bin/sh\necho hello"
	const cloudConfig = "#cloud-config\nruncmd: [[echo, \"it's\"], 'echo b | cat']"
	for name, c := range map[string]struct {
		data    string
		scripts []string
		run     []string
	}{
		"script":            {hello, []string{hello}, nil},
		"comments alone":    {"#cloud-config\n# nothing\n---\n# in two documents\n", nil, nil},
		"compressed script": {compress(hello), []string{hello}, nil},
		"cloud-config":      {cloudConfig, nil, []string{`'echo' 'it'\''s'`, "echo b | cat"}},
		"MIME message": {
			message(
				"Content-Type: text/x-shellscript; charset=\"us-ascii\"", hello,
				"Content-Type: text/cloud-config", cloudConfig,
				"Content-Type: text/x-shellscript\nContent-Transfer-Encoding: base64", encode("#!/bin/sh\nb64"),
				"Content-Type: application/gzip\nContent-Transfer-Encoding: base64", encode(compress("#!/bin/sh\ngz")),
				"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable", "#!/bin/sh\na=3Db",
			),
			[]string{hello, "#!/bin/sh\nb64", "#!/bin/sh\ngz", "#!/bin/sh\na=b"},
			[]string{`'echo' 'it'\''s'`, "echo b | cat"},
		},
		"compressed MIME message": {compress(message("Content-Type: text/x-shellscript", hello)), []string{hello}, nil},
		"later cloud-config replaces the same key": {
			message("Content-Type: text/cloud-config", cloudConfig, "Content-Type: text/cloud-config",
				"#cloud-config\nruncmd: [echo later]"),
			nil, []string{"echo later"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := parse([]byte(c.data))
			if err != nil {
				t.Fatal(err)
			}
			var scripts []string
			for _, s := range p.scripts {
				scripts = append(scripts, string(s.content))
			}
			if !slices.Equal(scripts, c.scripts) || !slices.Equal(p.config.runCommands, c.run) {
				t.Errorf("scripts %q, commands %q", scripts, p.config.runCommands)
			}
			checkSyntax(t, Script([]byte(c.data)))
		})
	}
}

func TestKeysOfCloudConfig(t *testing.T) {
	const text = `#cloud-config
bootcmd: [echo boot]
package_update: true
packages: [nginx, [git, 1.2]]
hostname: web
fqdn: web.example.com
timezone: Europe/Berlin
final_message: done
groups: [admins: [root], staff]
ssh_authorized_keys: ["ssh-ed25519 AAAA one,two"]
users:
  - default
  - {name: eve, gecos: Eve, groups: "staff, adm", sudo: "ALL=(ALL) NOPASSWD:ALL", shell: /bin/bash, uid: 2000}
write_files:
  - {path: /etc/a, content: "a\n", permissions: '0600', owner: "eve:eve", append: true, defer: true}
  - {path: /etc/b, encoding: b64, content: Yg==, permissions: 0640}
  - {path: /etc/c, encoding: gz+b64, content: "` + "GZIPPED" + `"}
`
	data := strings.Replace(text, "GZIPPED", encode(compress("c")), 1)
	p, err := parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		bootCommands: []string{"echo boot"}, updatePackages: true, packages: []string{"nginx", "git=1.2"},
		hostname: "web", fqdn: "web.example.com", timezone: "Europe/Berlin", finalMessage: "done",
		groups: []group{{name: "admins", members: []string{"root"}}, {name: "staff"}},
		keys:   []string{"ssh-ed25519 AAAA one,two"}, usersGiven: true,
		users: []user{{isDefault: true}, {
			name: "eve", comment: "Eve", groups: []string{"staff", "adm"}, sudo: []string{"ALL=(ALL) NOPASSWD:ALL"},
			shell: "/bin/bash", uid: "2000",
		}},
		files: []file{
			{
				path: "/etc/a", content: []byte("a\n"), permissions: "0600", owner: "eve:eve", append: true,
				deferred: true,
			},
			{path: "/etc/b", content: []byte("b"), permissions: "640", owner: "root:root"},
			{path: "/etc/c", content: []byte("c"), permissions: "0644", owner: "root:root"},
		},
	}
	if diff := cmp.Diff(want, p.config, cmp.AllowUnexported(config{}, file{}, group{}, user{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	checkSyntax(t, Script([]byte(data)))
}

func TestWhatWouldGrowIsRefused(t *testing.T) {
	file := "{path: /a, encoding: gz+b64, content: '" + encode(compress(strings.Repeat("a", maxUnpacked/5))) + "'}, "
	for _, c := range []struct{ config, want string }{
		{"runcmd: " + strings.Repeat("[", maxNesting+1), "line 2 has more than 50 collections"},
		{"runcmd:\n" + strings.Repeat("- ", maxNesting+1), "line 3 has more than 50 collections"},
		{"runcmd: " + strings.Repeat("{a: ", maxNesting+1), "line 2 has more than 50 collections"},
		{"runcmd: [" + strings.Repeat("a, ", maxConfig/3) + "a]", "more than 131072 bytes"},
		{"write_files: [" + strings.Repeat(file, 6) + "]", "the files unpack to more than"},
	} {
		p, err := parse([]byte(compress("#cloud-config\n" + c.config)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %+v, %v; want %q", c.config, p, err, c.want)
		}
	}
}

func TestWhatIsNotKnownIsRefusedByName(t *testing.T) {
	for data, want := range map[string]string{
		"#include\nhttp://x/":                                                   "the format #include is not supported",
		"#cloud-boothook\n":                                                     "#cloud-boothook",
		"#cloud-config\nswap: {}":                                               `the key "swap" is not supported`,
		"#cloud-config\nwrite_files: [{path: /a, mode: 1}]":                     `the key "mode" is not supported`,
		"#cloud-config\nwrite_files: [{path: a}]":                               "absolute path",
		"#cloud-config\nwrite_files: [{path: /a, permissions: rw}]":             "octal",
		"#cloud-config\nwrite_files: [{path: /a, encoding: rot13}]":             `"rot13"`,
		"#cloud-config\nwrite_files: [{path: /a, encoding: b64, content: ?}]":   "base64",
		"#cloud-config\nusers: [{name: eve, plain_text_passwd: x}]":             "plain_text_passwd",
		"#cloud-config\nusers: [{name: '-x'}]":                                  "name of a user",
		"#cloud-config\na: [":                                                   "cloud-config",
		"#cloud-config\nruncmd: echo":                                           "expected a list",
		"#cloud-config\npackages: [--force]":                                    "expected a name",
		"#cloud-config\na: &a [x]\nb: [*a, *a]":                                 "anchors and aliases",
		"\x1f\x8bx":                                                             "decompress",
		compress(strings.Repeat("#!", maxUnpacked)):                             "unpacks to more than",
		message("Content-Type: text/x-include-url", "x"):                        "text/x-include-url",
		message("Content-Type: multipart/mixed; boundary=b", "x"):               "parts of its own",
		message("Content-Type: text/plain", "x"):                                "neither #! nor #cloud-config",
		message("Content-Type: text/plain\nContent-Transfer-Encoding: uu", "x"): "uu",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed\n\nx":                 "no boundary",
	} {
		p, err := parse([]byte(data))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %+v, %v; want %q", data, p, err, want)
			continue
		}
		program := Script([]byte(data))
		if !strings.Contains(program, "the user data was not run: ") {
			t.Errorf("the program does not say why:\n%s", program)
		}
		checkSyntax(t, program)
	}
	if program := Script([]byte("echo no script")); !strings.Contains(program, "left alone") {
		t.Errorf("text without #!:\n%s", program)
	}
}

// checkSyntax checks that a program is one of the shell.
func checkSyntax(t *testing.T, program string) {
	t.Helper()
	check := exec.Command("sh", "-n")
	check.Stdin = strings.NewReader(program)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, program)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"#!/bin/sh\n", compress("#!/bin/sh\n"), "#cloud-config\nruncmd: [a]\nusers: [default, {name: eve}]",
		message("Content-Type: text/cloud-config", "#cloud-config\nhostname: a"),
		"#cloud-config\n# comments alone", "#cloud-config\n---\n...\n---\n", "#cloud-config\nruncmd: [[[{a: [- - -",
		"#cloud-config\nruncmd:\n- - - a\n- ? a\n: b", "#cloud-config\nbootcmd: |\n  a\n b", "#cloud-config\na: &a *a",
		"#cloud-config\nruncmd: [\"\\u00", "#cloud-config\n!!binary a: !b c\n<<: {a: b}",
		"#cloud-config\nwrite_files: [{path: /a, encoding: gz+b64, content: '" + encode(compress("c")) + "'}]",
		message("Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable", "#!/bin/sh\na=3Db"),
		message("Content-Type: multipart/mixed; boundary=\"==B==\"", "x"),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parse(data)
		if (p == nil) == (err == nil) && err == nil {
			t.Error("neither a plan nor an error")
		}
		if program := Script(data); !strings.HasPrefix(program, "#!/bin/sh\n") {
			t.Errorf("%q", program)
		}
	})
}
