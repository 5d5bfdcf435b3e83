//go:build linux

package cli

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/release"
	"aloft.dev/aloft/internal/remote"
	"aloft.dev/aloft/test/simulation"
)

// replaceSSH replaces the commands that connect to servers over SSH by ones that
// stop before the connection.
func replaceSSH(root *cobra.Command, g *global) {
	for _, c := range root.Commands() {
		if c.Name() == "ssh" || c.Name() == "logs" {
			root.RemoveCommand(c)
		}
	}
	ssh := newSSHCommand(g, func(ctx context.Context, o *sshOptions) error {
		o.lookPath = func(file string) (string, error) { return file, nil }
		o.runClient = func(context.Context, Stdio, string, remote.Target, []string) error { return nil }
		return runSSH(ctx, o)
	})
	logs := newLogsCommand(g, func(ctx context.Context, o *logsOptions) error {
		o.read = func(context.Context, remote.Target, string, release.LogOptions, func(string)) error { return nil }
		return runLogs(ctx, o)
	})
	ssh.GroupID, logs.GroupID = "The application", "The application"
	root.AddCommand(ssh, logs)
}

// forbidden is AWS's error code for credentials that do not allow a call.
const forbidden = "UnauthorizedOperation"

const scalingGroup = "scaling: {min: 2, max: 4}\n"

// privateNetwork puts the servers into private subnets behind one NAT gateway.
const privateNetwork = "network: {private: true, nat: single}\n"

// variables gives the application an environment.
const variables = "env: {LEVEL: info}\n"

// alerts lets the application tell somebody of failures.
const alerts = "alerts: [me@example.com]\n"

// tagged gives it tags besides.
const tagged = variables + "tags: {team: a}\n"

// protected protects it.
const protected = "protect: true\n"

// throughEndpoint makes an EC2 Instance Connect Endpoint the way to servers.
const throughEndpoint = "security: {access: endpoint}\n"

// domainName gives the application a domain. Requests reach the site's own server.
const domainName = "domain: api.example.com\nmachines: {count: 1}\n"

// stages gives it two stages.
const stages = "stages: {a: {app: a}, b: {app: b}}\n"

// keptLogs sends the log to CloudWatch Logs.
const keptLogs = "logs: {retention: 7d}\n"

// accessLogs sends those of the load balancer to a bucket.
const accessLogs = "access_logs: {retention: 14d}\n"

// commandCase is a command that calls AWS.
type commandCase struct {
	line     string
	spec     string   // appended to the site's spec
	before   []string // commands
	release  string   // release that the command is for, if it is not the first
	edits    string   // edit that the command is for, "old -> new"; or value of LEVEL, if it is not info
	code     int      // exit code without failures
	restores bool     // the command leaves the site as it was, so that one site serves for all calls

	ignores          []string // operations whose failure does not matter to the command
	ignoresForbidden []string // operations that the credentials need not allow
}

var commandCases = []commandCase{
	{
		line: "plan SITE", code: ExitChanges, restores: true,
		ignores: checkQueries, ignoresForbidden: slices.Concat(releaseHistory, trials),
	},
	{line: "plan SITE", before: []string{"up SITE"}, restores: true, ignoresForbidden: releaseHistory},
	{line: "status SITE", before: []string{"up SITE"}, restores: true, ignoresForbidden: drillRecord},
	{
		line: "status SITE", spec: scalingGroup, before: []string{"up SITE"},
		restores: true, ignoresForbidden: drillRecord,
	},
	{
		line: "status SITE", spec: domainName, before: []string{"up SITE"}, restores: true,
		ignoresForbidden: drillRecord,
	},
	{line: "up SITE", spec: domainName, ignores: checkQueries},
	{line: "releases SITE", before: []string{"up SITE"}, restores: true},
	{line: "verify SITE", before: []string{"up SITE"}, restores: true, ignoresForbidden: drillRecord},
	{
		line: "why server-1 internet:443 SITE", before: []string{"up SITE"}, restores: true,
		ignoresForbidden: drillRecord,
	},
	{line: "logs SITE", before: []string{"up SITE"}, restores: true},
	{line: "logs SITE", spec: keptLogs, before: []string{"up SITE"}, restores: true},
	{line: "ssh SITE server-1 -- uptime", before: []string{"up SITE"}, restores: true},
	{line: "ssh SITE server-1 -- uptime", spec: throughEndpoint, before: []string{"up SITE"}, restores: true},
	{line: "up SITE", ignores: checkQueries},
	{line: "up SITE", spec: scalingGroup, ignores: checkQueries},
	{line: "up SITE", spec: variables, ignores: checkQueries},
	{line: "up SITE", spec: alerts, ignores: checkQueries},
	{line: "up SITE", spec: throughEndpoint, ignores: checkQueries},
	{line: "up SITE", spec: privateNetwork, ignores: checkQueries},
	{line: "up SITE", spec: keptLogs, ignores: checkQueries},
	{line: "up SITE", spec: accessLogs, ignores: checkQueries},
	{line: "up SITE", spec: variables, before: []string{"up SITE"}, edits: "debug", ignores: checkQueries},
	{line: "up SITE", spec: protected, ignores: checkQueries},
	{
		line: "up SITE", spec: protected, before: []string{"up SITE"}, edits: "true -> false",
		ignores: checkQueries,
	},
	{
		line: "up SITE", spec: tagged, before: []string{"up SITE"}, edits: "{team: a} -> {cost: b}",
		ignores: checkQueries,
	},
	{
		line: "up SITE", before: []string{"up SITE"}, release: "r2",
		ignores: append([]string{"GetMetricData"}, checkQueries...),
	},
	{line: "rollback 1 SITE", before: []string{"up SITE"}},
	{
		line: "promote a SITE --to b", spec: stages, before: []string{"up SITE --stage a"},
		ignores: checkQueries,
	},
	{line: "export terraform SITE/out SITE", spec: scalingGroup + variables, before: []string{"up SITE"}},
	{line: "export cloudformation SITE/out SITE", spec: variables + accessLogs, before: []string{"up SITE"}},
	{line: "adopt SITE", restores: true, ignoresForbidden: adoptionQueries},
	{line: "scale 3 SITE", spec: scalingGroup, before: []string{"up SITE"}},
	{line: "env list SITE", spec: variables, before: []string{"up SITE"}, restores: true},
	{line: "env set SITE TIER=free", spec: variables, before: []string{"up SITE"}, edits: "info", ignores: metrics},
	{line: "env set SITE TIER=free"},
	{
		line: "env unset SITE/ TIER", spec: variables,
		before: []string{"up SITE", "env set SITE TIER=free"}, edits: "info", ignores: metrics,
	},
	{
		line: "env import SITE SITE/.env", spec: variables, before: []string{"up SITE"}, edits: "info",
		ignores: metrics,
	},
	{line: "drill zone SITE --rate 5 --calm 1s --duration 1s", before: []string{"up SITE"}},
	{
		line: "drill instance SITE --rate 5 --calm 1s --duration 1s", before: []string{"up SITE"},
		ignores: []string{"GetConsoleOutput"}, // the host keys of the new server are kept later
	},
	{
		line: "drill zone SITE --rate 5 --calm 1s --duration 1s", spec: alerts, before: []string{"up SITE"},
		ignores: []string{"DescribeAlarmHistory"}, // the report does not say which alerts went off
	},
	{line: "drill --restore SITE", before: []string{"up SITE"}, restores: true},
	{line: "down SITE --yes --images", before: []string{"up SITE"}},
	{line: "status SITE", spec: alerts, before: []string{"up SITE"}, restores: true, ignoresForbidden: drillRecord},
	{line: "down SITE --yes --images", spec: alerts, before: []string{"up SITE"}},
	{line: "down SITE --yes --images", spec: privateNetwork, before: []string{"up SITE"}},
	{line: "down SITE --yes --images", spec: variables, before: []string{"up SITE"}},
	{line: "down SITE --yes --images --unprotect", spec: protected, before: []string{"up SITE"}},
	{line: "down SITE --yes --images", spec: throughEndpoint, before: []string{"up SITE"}},
	{line: "down SITE --yes --images", spec: variables + keptLogs, before: []string{"up SITE"}},
	{line: "down SITE --yes --images", spec: accessLogs, before: []string{"up SITE"}},
}

// metrics are the calls without which a release is not watched.
var metrics = []string{"GetMetricData"}

// drillRecord and releaseHistory are parameters that read-only credentials need not
// allow.
var (
	drillRecord    = []string{"GetParameter"}
	releaseHistory = []string{"GetParametersByPath"}
)

// adoptionQueries are the calls that aloft adopt makes. It lists what it can and names what it may not.
var adoptionQueries = []string{
	"DescribeLoadBalancers", "DescribeTargetGroups", "DescribeTags", "DescribeAutoScalingGroups",
	"DescribeLaunchTemplates", "DescribeInstances", "DescribeSecurityGroups", "ListHostedZones",
	"ListResourceRecordSets", "ListCertificates", "DescribeListeners", "DescribeTargetHealth", "DescribeRouteTables",
}

// identityQueries are the calls that look for a role, an environment and a log group, which
// need not be allowed to the commands of an application without one. Commands that deploy also read
// other parameters.
func (c commandCase) identityQueries() []string {
	all := []string{"GetRole", "GetInstanceProfile", "DescribeLogGroups"}
	if slices.Contains([]string{"ssh", "logs", "releases"}, strings.Fields(c.line)[0]) {
		all = append(all, "GetParameter")
	}
	return all
}

// hasIdentity reports whether the application has a role.
func (c commandCase) hasIdentity() bool {
	return strings.Contains(c.spec, variables) || strings.Contains(c.spec, keptLogs)
}

// alertQueries are the calls that look for a topic and alarms, which need not be allowed to
// the commands of an application without them.
func (c commandCase) alertQueries() []string {
	switch {
	case strings.Contains(c.spec, alerts):
		return nil
	case strings.Contains(c.spec, scalingGroup):
		return []string{"ListTopics"}
	}
	return []string{"ListTopics", "DescribeAlarms"}
}

// tagQuery reads the tags of the environment, which need not be allowed to the commands of
// an application without tags.
const tagQuery = "ListTagsForResource"

// bucketQuery looks for the bucket of access logs, which need not be allowed to the commands of
// an application without them.
const bucketQuery = "ListBuckets"

// checkQueries are the calls that only checks before a creation make: a check that is
// not possible stops nothing.
var checkQueries = []string{
	"DescribeRegions", "GetServiceQuota", "DescribeAccountLimits",
}

// trials are the calls that plan only tries, with dry runs. It shows which of them are
// not allowed.
var trials = []string{
	"CreateVpc", "CreateSubnet", "CreateInternetGateway", "AttachInternetGateway", "CreateRouteTable",
	"AssociateRouteTable", "CreateRoute", "CreateSecurityGroup", "AuthorizeSecurityGroupIngress",
	"RevokeSecurityGroupIngress", "ImportKeyPair", "RunInstances", "CreateImage",
}

// withoutAWS are the commands that do not call AWS.
var withoutAWS = []string{
	"aloft console", "aloft cost", "aloft init", "aloft local env", "aloft local image import",
	"aloft local image list", "aloft local image remove", "aloft local logs", "aloft local manners",
	"aloft local reset", "aloft local restart", "aloft local start", "aloft local status", "aloft local stop",
	"aloft local trust", "aloft policy",
}

func TestEveryCommandIsTriedWithFailures(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		if c.HasSubCommands() || !c.Runnable() || slices.Contains(withoutAWS, c.CommandPath()) {
			return
		}
		for _, test := range commandCases {
			if strings.HasPrefix("aloft "+test.line+" ", c.CommandPath()+" ") {
				return
			}
		}
		t.Errorf("no failure of %s is tried", c.CommandPath())
	}
	walk(newRootCommand(newGlobal("v0", Stdio{})))
}

func TestEveryFailedCallIsReportedWithCauseAndRemedy(t *testing.T) {
	// The cases wait more than they compute, so more run at once than there are
	// processors.
	tried := &failures{limit: make(chan struct{}, 16), plain: map[string][]string{}}
	for _, first := range []bool{true, false} {
		var cases sync.WaitGroup
		for _, test := range commandCases {
			if first != (test.restores || test.isPlain()) {
				continue
			}
			cases.Go(func() {
				name := test.line + " " + test.spec + strings.Join(test.before, ", ") + test.release + test.edits
				t.Run(name, func(t *testing.T) { test.failEveryCall(t, tried) })
			})
		}
		cases.Wait()
	}
}

// failures limits how many cases run at once, and knows the calls that fail in all
// commands in the same way.
type failures struct {
	limit chan struct{}

	mu     sync.Mutex
	shared []string            // operations of commands that restore their site
	plain  map[string][]string // operations of plain cases by their command
}

// isPlain reports whether the command is for the site's own spec, and is the first.
func (c commandCase) isPlain() bool { return c.spec == "" && len(c.before) == 0 }

// operations returns the called operations that a command is to be tried with. A
// command that changes its site is not tried with the queries that others share, and the first
// command for a longer spec is not tried with those that it calls for the plain one.
func (f *failures) operations(c commandCase, called []string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.restores {
		f.shared = append(f.shared, called...)
		return called
	}
	if c.isPlain() {
		f.plain[c.line] = called
		return called
	}
	return slices.DeleteFunc(slices.Clone(called), func(operation string) bool {
		if len(c.before) == 0 {
			return slices.Contains(f.plain[c.line], operation)
		}
		return !simulation.ChangesState(operation) && slices.Contains(f.shared, operation)
	})
}

// failEveryCall runs the command once for each operation that it calls, while that
// operation fails.
func (c commandCase) failEveryCall(t *testing.T, f *failures) {
	f.limit <- struct{}{}
	first := c.prepare(t)
	working := &failingTransport{}
	if code, stderr := first.run(t, working, c.line); code != c.code {
		t.Errorf("without failures: exit code %d, want %d\n%s", code, c.code, stderr)
	}
	<-f.limit
	var operations sync.WaitGroup
	for _, operation := range f.operations(c, working.called) {
		operations.Go(func() {
			f.limit <- struct{}{}
			defer func() { <-f.limit }()
			t.Run(operation, func(t *testing.T) { c.fail(t, first, operation) })
		})
	}
	operations.Wait()
}

// prepare returns a site on which the commands before this one have run.
func (c commandCase) prepare(t *testing.T) *site {
	s := newSite(t, c.spec)
	for _, line := range c.before {
		s.must(t, line)
	}
	if c.release != "" {
		s.release = c.release
	}
	c.edit(t, s)
	return s
}

// edit makes the edit that the command is for.
func (c commandCase) edit(t *testing.T, s *site) {
	t.Helper()
	if c.edits == "" {
		return
	}
	old, replacement, given := strings.Cut(c.edits, " -> ")
	if !given {
		old, replacement = "LEVEL: info", "LEVEL: "+c.edits
	}
	s.edit(t, old, replacement)
}

// fail runs the command while an operation fails.
func (c commandCase) fail(t *testing.T, first *site, operation string) {
	codes := []string{forbidden}
	if c.restores && !simulation.ChangesState(operation) {
		// After an internal failure of a change, Aloft waits for its effect to show.
		codes = append(codes, "InternalFailure")
	}
	for _, code := range codes {
		s := first
		if !c.restores {
			s = c.prepare(t)
		}
		got, stderr := s.run(t, &failingTransport{operation: operation, code: code}, c.line)
		switch {
		case slices.Contains(c.ignores, operation),
			code == forbidden && slices.Contains(c.ignoresForbidden, operation),
			code == forbidden && c.spec == variables && operation == tagQuery,
			code == forbidden && !c.hasIdentity() && slices.Contains(c.identityQueries(), operation),
			code == forbidden && !strings.Contains(c.spec, accessLogs) && operation == bucketQuery,
			code == forbidden && slices.Contains(c.alertQueries(), operation):
			if got != c.code {
				t.Errorf("%s: exit code %d, want %d\n%s", code, got, c.code, stderr)
			}
		default:
			c.checkReport(t, operation, code, got, stderr)
		}
	}
}

// checkReport checks what a command printed about a call that failed.
func (c commandCase) checkReport(t *testing.T, operation, code string, exitCode int, stderr string) {
	t.Helper()
	rolledBack := c.release+c.edits != "" && exitCode == ExitNotVerified
	if exitCode != ExitError && !rolledBack {
		t.Errorf("%s: exit code %d, want %d", code, exitCode, ExitError)
	}
	_, report, _ := strings.Cut(stderr, "Error: ")
	for what, words := range map[string]string{
		"operation":  strings.TrimPrefix(awsapi.ActionOf("s3:"+operation), "s3:"),
		"AWS's code": code, "AWS's message": awsMessage, "remedy": "  → ",
	} {
		if !strings.Contains(report, words) {
			t.Errorf("%s: the report lacks the %s", code, what)
		}
	}
	if t.Failed() {
		t.Log(stderr)
	}
}
