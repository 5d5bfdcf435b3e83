package policy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/awsapi"
)

// prefixes are the IAM prefixes of services, by the last part of the SDK's import path
// (Service Authorization Reference).
var prefixes = map[string]string{
	"acm": "acm", "route53": "route53", "autoscaling": "autoscaling", "cloudwatch": "cloudwatch",
	"cloudwatchlogs": "logs", "s3": "s3", "ec2": "ec2", "ec2instanceconnect": "ec2-instance-connect",
	"elasticloadbalancingv2": "elasticloadbalancing", "iam": "iam", "pricing": "pricing",
	"servicequotas": "servicequotas", "sns": "sns", "ssm": "ssm", "sts": "sts",
}

// callsInSource returns the actions of all requests that the deployer's source makes: a
// request is a literal of an input of the SDK, such as &ec2.CreateVpcInput{}.
func callsInSource(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "cloud" || entry.Name() == "importedimage"):
			return filepath.SkipDir // the local cloud, and what only it is asked
		case filepath.Ext(path) == ".go" && !strings.HasSuffix(path, "_test.go"):
			all = append(all, callsOf(t, path)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// callsOf returns the actions of the requests in a file.
func callsOf(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	services := map[string]string{} // prefixes by the name of the import
	for _, i := range file.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		service, ok := strings.CutPrefix(imported, "github.com/aws/aws-sdk-go-v2/service/")
		if !ok || strings.Contains(service, "/") {
			continue
		}
		name := service
		if i.Name != nil {
			name = i.Name.Name
		}
		if services[name] = prefixes[service]; services[name] == "" {
			t.Errorf("%s imports %s, whose IAM prefix is unknown: add it to prefixes", path, imported)
		}
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		selector, ok := literal.Type.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		from, ok := selector.X.(*ast.Ident)
		operation, input := strings.CutSuffix(selector.Sel.Name, "Input")
		if ok && input && services[from.Name] != "" {
			all = append(all, awsapi.ActionOf(services[from.Name]+":"+operation))
		}
		return true
	})
	return all
}

func TestTheTableHasExactlyTheCallsInTheSource(t *testing.T) {
	calls := callsInSource(t)
	if len(calls) < 50 {
		t.Fatalf("only %d calls found in the source: the search is broken", len(calls))
	}
	entries := map[string]entry{}
	for _, e := range table {
		entries[e.action] = e
		switch called := slices.Contains(calls, e.action); {
		case called && e.implied != "":
			t.Errorf("%s is called: remove implied from its entry in table.go", e.action)
		case !called && e.implied == "":
			t.Errorf("%s is not called any more: remove its entry from table.go", e.action)
		}
	}
	for _, action := range calls {
		if _, ok := entries[action]; !ok {
			service, operation, _ := strings.Cut(action, ":")
			t.Errorf("the policy lacks %s: add to table.go, in order, an entry such as\n"+
				"\t{action: \"%s:%s\", groups: Deploy},\n"+
				"with the groups of the commands that call it (test: internal/cli, policy_test.go)",
				action, service, operation)
		}
	}
}

func TestTheTableIsSorted(t *testing.T) {
	if !slices.IsSortedFunc(table, func(a, b entry) int { return strings.Compare(a.action, b.action) }) {
		t.Error("sort table.go by action")
	}
}

// The parts of a policy are managed policies that together allow what the whole does.
func TestPartsOfPoliciesFitManagedPolicies(t *testing.T) {
	allowed := func(documents ...Document) map[string]Statement {
		all := map[string]Statement{}
		for _, d := range documents {
			for _, s := range d.Statement {
				for _, action := range s.Action {
					one := s
					one.Action = nil
					all[action] = one
				}
			}
		}
		return all
	}
	for groups := Read; groups <= everyone; groups++ {
		whole, parts := Of(groups, "aws-us-gov"), Parts(groups, "aws-us-gov")
		for i, part := range parts {
			if n := part.Length(); n > MaxLength {
				t.Errorf("part %d of the policy of %s has %d characters, more than %d", i+1, groups, n, MaxLength)
			}
		}
		if n := (whole.Length() + MaxLength - 1) / MaxLength; len(parts) != n {
			t.Errorf("the policy of %s has %d characters and %d parts, want %d", groups, whole.Length(), len(parts), n)
		}
		if diff := cmp.Diff(allowed(whole), allowed(parts...)); diff != "" {
			t.Errorf("the parts of the policy of %s allow something else (-whole, +parts):\n%s", groups, diff)
		}
	}
}

func TestRestrictedActionsHaveStatementsOfTheirOwn(t *testing.T) {
	d := Of(everyone, Partition("cn-north-1"))
	statements := map[string]Statement{}
	for _, s := range d.Statement {
		for _, action := range s.Action {
			if _, twice := statements[action]; twice {
				t.Errorf("%s is allowed twice", action)
			}
			statements[action] = s
		}
	}
	actions := map[string]bool{}
	for _, e := range table {
		actions[e.action] = true
	}
	if len(statements) != len(actions) {
		t.Errorf("%d actions are allowed, want %d", len(statements), len(actions))
	}
	for action, resource := range map[string]string{
		"ec2:CreateVpc": "*", terminate: "arn:aws-cn:ec2:*:*:instance/*",
		"ssm:PutParameter": "arn:aws-cn:ssm:*:*:parameter/aloft/*",
		createRole:         "arn:aws-cn:iam::*:role/aws-service-role/*",
		passRole:           "arn:aws-cn:iam::*:role/aloft-*",
		"iam:CreateRole":   "arn:aws-cn:iam::*:role/aloft-*",
	} {
		if got := statements[action]; got.Effect != "Allow" || got.Resource[0] != resource {
			t.Errorf("%s: got %+v", action, got)
		}
	}
}

func TestGroupsAreParsed(t *testing.T) {
	if all, err := Parse(nil); err != nil || all != everyone {
		t.Errorf("got %v, %v", all, err)
	}
	if some, err := Parse([]string{"teardown", "read"}); err != nil || some.String() != "read, teardown" {
		t.Errorf("got %v, %v", some, err)
	}
	if _, err := Parse([]string{"write"}); err == nil {
		t.Error("an unknown group is accepted")
	}
	if Partition("eu-west-1") != "aws" || Partition("us-gov-west-1") != "aws-us-gov" {
		t.Error("wrong partitions")
	}
}
