//go:build linux

package client

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/api/acm"
	"aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/api/cloudwatch"
	"aloft.dev/aloft/internal/cloud/api/cloudwatchlogs"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/api/ec2instanceconnect"
	"aloft.dev/aloft/internal/cloud/api/elbv2"
	"aloft.dev/aloft/internal/cloud/api/iam"
	"aloft.dev/aloft/internal/cloud/api/route53"
	"aloft.dev/aloft/internal/cloud/api/s3"
	"aloft.dev/aloft/internal/cloud/api/secretsmanager"
	"aloft.dev/aloft/internal/cloud/api/servicequotas"
	"aloft.dev/aloft/internal/cloud/api/sns"
	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/api/sts"
	"aloft.dev/aloft/internal/cloud/wire/names"
	"aloft.dev/aloft/internal/golden"
)

// root is the repository's folder.
const root = "../.."

// covered is a service with a page.
type covered struct {
	title   string
	signing string // its name in signatures
	sdk     string // its package in the SDK and in internal/cloud/api
	api     reflect.Type
}

var services = []covered{
	{"Amazon EC2", "ec2", "ec2", reflect.TypeFor[*ec2.API]()},
	{"Elastic Load Balancing", "elasticloadbalancing", "elasticloadbalancingv2", reflect.TypeFor[*elbv2.API]()},
	{"Amazon EC2 Auto Scaling", "autoscaling", "autoscaling", reflect.TypeFor[*autoscaling.API]()},
	{"Amazon CloudWatch", "monitoring", "cloudwatch", reflect.TypeFor[*cloudwatch.API]()},
	{"Amazon CloudWatch Logs", "logs", "cloudwatchlogs", reflect.TypeFor[*cloudwatchlogs.API]()},
	{"Amazon S3", "s3", "s3", reflect.TypeFor[*s3.API]()},
	{"AWS Identity and Access Management", "iam", "iam", reflect.TypeFor[*iam.API]()},
	{"AWS Security Token Service", "sts", "sts", reflect.TypeFor[*sts.API]()},
	{"AWS Systems Manager", "ssm", "ssm", reflect.TypeFor[*ssm.API]()},
	{"AWS Secrets Manager", "secretsmanager", "secretsmanager", reflect.TypeFor[*secretsmanager.API]()},
	{"AWS Certificate Manager", "acm", "acm", reflect.TypeFor[*acm.API]()},
	{"Amazon Route 53", "route53", "route53", reflect.TypeFor[*route53.API]()},
	{"Amazon SNS", "sns", "sns", reflect.TypeFor[*sns.API]()},
	{"Service Quotas", "servicequotas", "servicequotas", reflect.TypeFor[*servicequotas.API]()},
	{
		"EC2 Instance Connect", "ec2-instance-connect", "ec2instanceconnect",
		reflect.TypeFor[*ec2instanceconnect.API](),
	},
}

// A page lists the operations of a service with their parameters and the tests that call them. It is generated:
// run the test with -update after a change.
func TestPagesOfCoverageAreUpToDate(t *testing.T) {
	folder := filepath.Join(root, "docs", "coverage")
	tests, code := testFiles(t), loadUsage(t)
	pages, unread := map[string]string{}, map[string]bool{}
	index := "# What the local cloud serves\n\n" +
		"A page a service, generated from the code: its operations, what they do with their parameters, and the\n" +
		"tests that call them. An operation that is not served answers `NotImplemented` with its name.\n" +
		"[Limits](../limits.md) has what is missing of served ones.\n\n" +
		"* Parameters have AWS's names. Those under “parameters” have an effect; of those with an asterisk, some\n" +
		"  values are refused.\n" +
		"* A parameter under “refused” is refused by name, unless its value asks for what happens without it.\n" +
		"* A test fails if the code neither reads nor refuses a parameter of AWS's model.\n\n" +
		"These are accepted without an effect:\n\n" + accepted() +
		"\n| service | served | of |\n|---|---|---|\n"
	for _, s := range services {
		page, served, all := s.page(t, tests, code[path.Base(s.apiPackage())])
		pages[s.signing+".md"] = page
		maps.Copy(unread, code[path.Base(s.apiPackage())].unread)
		index += fmt.Sprintf("| [%s](%s.md) | %d | %d |\n", s.title, s.signing, served, all)
	}
	for name := range harmless {
		if !unread[name] {
			t.Errorf("%s is not harmless: it is read or refused, or it does not exist", name)
		}
	}
	pages["README.md"] = index
	for name, want := range pages {
		golden.Check(t, filepath.Join(folder, name), want)
	}
	present, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range present {
		if _, ok := pages[file.Name()]; !ok {
			t.Errorf("docs/coverage/%s is about no service", file.Name())
		}
	}
}

// testFiles returns the texts of all test files by their paths.
func testFiles(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, top := range []string{"internal", "test"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			relative, _ := filepath.Rel(root, path)
			texts[relative] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

// accepted returns a list of the harmless parameters.
func accepted() (list string) {
	shown := strings.NewReplacer("Input.", ".", "Request.", ".") // AWS's names have no such endings
	for _, name := range slices.Sorted(maps.Keys(harmless)) {
		list += fmt.Sprintf("* %s: %s\n", shown.Replace(name), harmless[name])
	}
	return list
}

// page returns the page of a service, and how many of all its operations it serves.
func (s covered) page(t *testing.T, tests map[string]string, code *usage) (text string, served, all int) {
	t.Helper()
	table, err := names.Load(s.signing)
	if err != nil {
		t.Fatal(err)
	}
	rows, refused := "", ""
	for _, operation := range table.Operations() {
		all++
		if _, ok := s.api.MethodByName(operation); !ok {
			refused += operation + " "
			continue
		}
		served++
		p := code.of(operation, func(typeName, field string) string {
			if exception, ok := table.Exceptions(typeName)[field]; ok {
				return exception.Request
			}
			return table.DefaultField(field).Request
		})
		for _, field := range p.ignored {
			t.Errorf("%s:%s ignores %s: honour it, refuse it by name, or say why it is harmless",
				s.signing, operation, field)
		}
		rows += fmt.Sprintf("| %s | %s | %s | %s |\n", operation, p.list(), grouped(p.refused),
			strings.Join(s.callers(operation, tests), ", "))
	}
	text = fmt.Sprintf("# %s\n\nThe local cloud serves %d of the %d operations.\n\n", s.title, served, all)
	text += "| operation | parameters | refused | tests that call it |\n|---|---|---|---|\n" + rows
	if refused != "" {
		text += "\nRefused by name:\n\n" + wrapped(refused) + "\n"
	}
	return text, served, all
}

// callers returns the packages of the tests that call an operation.
func (s covered) callers(operation string, tests map[string]string) []string {
	call := regexp.MustCompile(`\.` + operation + `\b`)
	var found []string
	for file, text := range tests {
		folder := filepath.Dir(file)
		own := folder == filepath.Join("internal/cloud/api", filepath.Base(s.apiPackage()))
		if !own && !strings.Contains(text, `aws-sdk-go-v2/service/`+s.sdk+`"`) || !call.MatchString(text) {
			continue
		}
		found = append(found, strings.TrimPrefix(folder, "internal/cloud/"))
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// apiPackage returns the import path of the service's package.
func (s covered) apiPackage() string { return s.api.Elem().PkgPath() }

// wrapped returns words on lines of at most 120 columns.
func wrapped(words string) string {
	var text strings.Builder
	column := 0
	for word := range strings.FieldsSeq(words) {
		switch {
		case column+1+len(word) > 120:
			text.WriteString("\n")
			column = 0
		case column > 0:
			text.WriteString(" ")
			column++
		}
		text.WriteString(word)
		column += len(word)
	}
	return text.String()
}
