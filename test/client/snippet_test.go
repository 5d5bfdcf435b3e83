//go:build linux

package client

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// snippets returns the blocks of a language in the page of clients, with the endpoint and the
// key of a cloud in place of those that the page shows.
func (s simulated) snippets(t *testing.T, language string) []string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	settings := strings.NewReplacer(
		"http://127.0.0.1:4566", s.endpoint, `"AKIA..."`, `"`+s.key.AccessKeyID+`"`,
		`"..."`, `"`+s.key.SecretAccessKey+`"`,
	)
	var blocks []string
	block := regexp.MustCompile("(?s)```" + language + "\n(.*?)```")
	for _, match := range block.FindAllStringSubmatch(string(page), -1) {
		blocks = append(blocks, settings.Replace(match[1]))
	}
	if len(blocks) == 0 {
		t.Fatalf("the page has no %s", language)
	}
	return blocks
}

// run writes a program into a file and runs it by a command.
func (s simulated) run(t *testing.T, file, program string, command ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), file)
	if err := os.WriteFile(path, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := s.command(t, command[0], append(command[1:], path)...)
	cmd.Dir = root // of the module with the SDK
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s\n%s", file, err, out, program)
	}
	return string(out)
}

// vpcs returns how many VPCs a region has.
func (s simulated) vpcs(t *testing.T) int {
	t.Helper()
	return len(must[*ec2.DescribeVpcsOutput](t)(s.ec2("us-east-1").DescribeVpcs(t.Context(), nil)).Vpcs)
}

func TestDocumentedProgramsWork(t *testing.T) {
	s := startSimulated(t)
	must[*ec2.CreateVpcOutput](t)(s.ec2("us-east-1").CreateVpc(t.Context(), &ec2.CreateVpcInput{
		CidrBlock: aws.String("10.0.0.0/16"),
	}))
	for _, program := range s.snippets(t, "python") {
		if strings.Contains(program, "def reset") {
			s.run(t, "reset.py", program+"\nreset()\n", "python3")
			if got := s.vpcs(t); got != 1 {
				t.Errorf("%d VPCs after the reset of the page", got)
			}
		} else if out := s.run(t, "client.py", program, "python3"); !strings.Contains(out, "vpc-") {
			t.Errorf("boto3 found %s", out)
		}
	}
	for _, program := range s.snippets(t, "go") {
		if out := s.run(t, "main.go", program, "go", "run"); !strings.HasPrefix(out, "vpc-") {
			t.Errorf("the SDK for Go found %s", out)
		}
	}
}
