package release_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/rolescript"
)

// fakeCurl answers from files: the first line is the status, the others are the body. A file
// with the number of the call at its end goes before. It logs its arguments, and that it
// got secret options on its standard input.
const fakeCurl = `#!/bin/sh
echo "$*" >>"$FAKE/arguments"
case "$*" in
*/latest/api/token*) name=token ;;
*/security-credentials/) name=roles ;;
*/security-credentials/*) name=credentials ;;
*/placement/region*) name=region ;;
*/latest/user-data) name=user-data ;;
*AmazonSSM.GetParameter*|*secretsmanager.GetSecretValue*)
	name=$(echo "$*" | sed 's/.*"\(Name\|SecretId\)":"\([^"]*\)".*/\2/' | tr / _)
	grep -q 'user = "AKIA:hunter/key"' && echo "$*" | grep -q 'aws-sigv4 aws:amz:eu-west-1:' || name=unsigned ;;
esac
output=
while [ $# -gt 0 ]; do
	[ "$1" = -o ] && output=$2
	shift
done
echo x >>"$FAKE/$name.calls"
file=$FAKE/$name.$(wc -l <"$FAKE/$name.calls" | tr -d ' ')
[ -e "$file" ] || file=$FAKE/$name
[ -e "$file" ] || { printf 404; exit 0; }
tail -n +2 "$file" >"$output"
head -n 1 "$file" | tr -d '\n'
`

// fetched is a run of the script on a machine whose services answer from files.
type fetched struct {
	dir     string
	answers map[string]string
	marked  bool   // the image was made on a machine with a role
	reader  string // python3 or jq
}

// onMachine returns the answers to a machine with a role and an environment.
func onMachine(t *testing.T, e environment.Environment) map[string]string {
	t.Helper()
	value, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"token": "200\nTOKEN", "roles": "200\naloft-shop", "region": "200\neu-west-1",
		"credentials": "200\n" +
			`{"Code": "Success", "AccessKeyId": "AKIA", "SecretAccessKey": "hunter/key", "Token": "hunter-token"}`,
		"_aloft_shop_env_variables": "200\n" + parameter(value),
	}
}

func parameter(value string) string {
	return fmt.Sprintf(`{"Parameter": {"Name": "x", "Value": %q, "Version": 3}}`, value)
}

// run runs the script and returns the file that it wrote and what it said.
func (f fetched) run(t *testing.T) (file, said string, err error) {
	t.Helper()
	bin, fake, etc := filepath.Join(f.dir, "bin"), filepath.Join(f.dir, "fake"), filepath.Join(f.dir, "etc")
	for _, dir := range []string{bin, fake, etc} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range []string{
		"base64", "cat", "chmod", "grep", "gunzip", "gzip", "head", "mkdir", "mktemp", "mv", "rm", "sed", "sh", "tail",
		"tr", "wc", f.reader,
	} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatalf("%v: make test installs it", err)
		}
		script := fmt.Sprintf("#!/bin/sh\nPATH=%s exec %s \"$@\"\n", os.Getenv("PATH"), path)
		write(t, filepath.Join(bin, tool), script)
	}
	write(t, filepath.Join(bin, "curl"), fakeCurl)
	write(t, filepath.Join(bin, "sleep"), "#!/bin/sh\n")
	for name, text := range f.answers {
		write(t, filepath.Join(fake, name), text)
	}
	if f.marked {
		write(t, filepath.Join(etc, "shop.role"), "")
	}
	program, err := os.ReadFile("recipe/fetch-env.sh")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(f.dir, "env"), string(program))
	write(t, filepath.Join(f.dir, "aws.sh"), rolescript.AWS)
	cmd := exec.CommandContext(t.Context(), "/bin/sh", filepath.Join(f.dir, "env"), "shop")
	cmd.Env = []string{
		"PATH=" + bin, "FAKE=" + fake, "ALOFT_RUN=" + f.dir + "/run", "ALOFT_ETC=" + etc, "ALOFT_ATTEMPTS=4",
	}
	output, err := cmd.CombinedOutput()
	text, readErr := os.ReadFile(f.dir + "/run/shop.env")
	if err == nil && readErr != nil {
		t.Error(readErr)
	}
	if left, _ := filepath.Glob(f.dir + "/run/.shop*"); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
	arguments, readErr := os.ReadFile(filepath.Join(fake, "arguments"))
	if readErr != nil {
		t.Error(readErr)
	}
	if strings.Contains(string(arguments), "hunter") || strings.Contains(string(output), "hunter") {
		t.Errorf("a secret is shown: %s\n%s", arguments, output)
	}
	return string(text), string(output), err
}

// encoded returns the value of a parameter with variables.
func encoded(t *testing.T, variables map[string]string) string {
	t.Helper()
	value, err := environment.Environment{Set: variables}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestFetchEnvWritesTheEnvironment(t *testing.T) {
	variables := environment.Environment{
		Spec: map[string]string{"LEVEL": "info", "TEXT": "a \"b\" $c `d` \\e 'f'\nü #g\n"},
		Set:  map[string]string{"LEVEL": "set", "KEY": "k=v"},
	}
	withSecrets := environment.Environment{Secrets: map[string]string{
		"DB": "ssm:/prod/db", "PLAIN": "secretsmanager:plain", "STRIPE": "secretsmanager:prod/stripe#key",
		"PORT": "secretsmanager:prod/stripe#port",
	}}
	const denied = "400\n" + `{"__type": "AccessDeniedException", "Message": "not authorized to perform it"}`
	for _, test := range []struct {
		name    string
		e       environment.Environment
		answers map[string]string // "" removes one
		marked  bool
		file    string
		said    string // part of it, if the script fails
	}{
		{
			name: "variables", e: variables,
			file: "KEY=\"k=v\"\nLEVEL=\"info\"\nTEXT=\"a \\\"b\\\" \\$c \\`d\\` \\\\e 'f'\nü #g\n\"\n",
		},
		{
			name: "a stage", e: environment.Environment{Set: map[string]string{"A": "hunter"}}, file: "B=\"c\"\n",
			answers: map[string]string{
				"user-data":                         "200\n#!/bin/sh\n: aloft-app shop-staging\n",
				"_aloft_shop-staging_env_variables": "200\n" + parameter(encoded(t, map[string]string{"B": "c"})),
			},
		},
		{
			name: "user data of somebody else", e: variables,
			answers: map[string]string{"user-data": "200\n#!/bin/sh\n: aloft-app ../x\n"},
			file:    "KEY=\"k=v\"\nLEVEL=\"info\"\nTEXT=\"a \\\"b\\\" \\$c \\`d\\` \\\\e 'f'\nü #g\n\"\n",
		},
		{name: "nothing"},
		{name: "no role", e: variables, answers: map[string]string{"roles": ""}},
		{name: "no parameter", answers: map[string]string{
			"_aloft_shop_env_variables": "400\n" + `{"__type": "ParameterNotFound"}`,
		}},
		{
			name: "a role that never comes", e: variables, answers: map[string]string{"roles": ""}, marked: true,
			said: "the role: the machine has no role",
		},
		{
			name: "a role that comes late", e: variables, marked: true,
			answers: map[string]string{"roles.1": "404\n", "roles.2": "404\n"},
			file:    "KEY=\"k=v\"\nLEVEL=\"info\"\nTEXT=\"a \\\"b\\\" \\$c \\`d\\` \\\\e 'f'\nü #g\n\"\n",
		},
		{
			name: "permissions that come late", e: environment.Environment{Set: map[string]string{"A": "b"}},
			answers: map[string]string{"_aloft_shop_env_variables.1": denied}, file: "A=\"b\"\n",
		},
		{
			name: "no permission", answers: map[string]string{"_aloft_shop_env_variables": denied},
			said: "parameter /aloft/shop/env/variables, by role aloft-shop: " +
				"AccessDeniedException: not authorized to perform it",
		},
		{
			name:    "another value",
			answers: map[string]string{"_aloft_shop_env_variables": "200\n" + parameter("hunter2")},
			said:    "is not one that Aloft wrote",
		},
		{
			name: "secrets", e: withSecrets,
			answers: map[string]string{
				"_prod_db":    "200\n" + parameter("hunter3\""),
				"plain":       "200\n" + `{"SecretString": "hunter4"}`,
				"prod_stripe": "200\n" + `{"SecretString": "{\"key\": \"hunter5\", \"port\": 80, \"other\": null}"}`,
			},
			file: "DB=\"hunter3\\\"\"\nPLAIN=\"hunter4\"\nPORT=\"80\"\nSTRIPE=\"hunter5\"\n",
		},
		{
			name:    "a parameter that is missing",
			e:       environment.Environment{Secrets: map[string]string{"DB": "ssm:/prod/db"}},
			answers: map[string]string{"_prod_db": "400\n" + `{"__type": "com.amazon#ParameterNotFound"}`},
			said:    "DB from ssm:/prod/db, by role aloft-shop: ParameterNotFound",
		},
		{
			name: "a secret that is not allowed", answers: map[string]string{"plain": denied},
			e: environment.Environment{Secrets: map[string]string{"A": "secretsmanager:plain"}},
			said: "A from secretsmanager:plain, by role aloft-shop: " +
				"AccessDeniedException: not authorized to perform it",
		},
		{
			name:    "a key that is missing",
			answers: map[string]string{"plain": "200\n" + `{"SecretString": "{\"b\": \"hunter\"}"}`},
			e:       environment.Environment{Secrets: map[string]string{"A": "secretsmanager:plain#a"}},
			said:    "A from secretsmanager:plain#a, by role aloft-shop: the secret has no value a",
		},
		{
			name: "a secret that is no text",
			e:    environment.Environment{Secrets: map[string]string{"A": "secretsmanager:plain"}},
			answers: map[string]string{
				"plain": "200\n" + `{"SecretBinary": "` + base64.StdEncoding.EncodeToString([]byte("hunter")) + `"}`,
			},
			said: "the secret is not a text",
		},
	} {
		for _, reader := range []string{"python3", "jq"} {
			t.Run(test.name+" "+reader, func(t *testing.T) {
				t.Parallel()
				f := fetched{dir: t.TempDir(), answers: onMachine(t, test.e), marked: test.marked, reader: reader}
				for name, answer := range test.answers {
					if f.answers[name] = answer; answer == "" {
						delete(f.answers, name)
					}
				}
				file, said, err := f.run(t)
				switch {
				case test.said != "" && (err == nil || !strings.Contains(said, test.said)):
					t.Errorf("got %v, %q, want %q", err, said, test.said)
				case test.said == "" && (err != nil || file != test.file):
					t.Errorf("%v: %s\ngot  %q\nwant %q", err, said, file, test.file)
				}
				info, err := os.Stat(f.dir + "/run/shop.env")
				if test.said == "" && (err != nil || info.Mode().Perm() != 0o600) {
					t.Errorf("the file is readable by others: %v, %v", info, err)
				}
				_, err = os.Stat(f.dir + "/etc/shop.role")
				if role := f.answers["roles"] != "" || test.marked; role != (err == nil) {
					t.Errorf("the machine has a role: %t, and its image says so: %t", role, err == nil)
				}
			})
		}
	}
}
