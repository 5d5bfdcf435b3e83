//go:build linux

package cli

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/policy"
	"aloft.dev/aloft/test/simulation"
)

// recorder is a transport that records the IAM actions of the requests.
type recorder struct {
	next http.RoundTripper

	mu      sync.Mutex
	called  []string
	dryRuns []string // actions that were called as dry runs
}

// signedFor matches the service in the scope of a signature (AWS Signature Version 4).
var signedFor = regexp.MustCompile(`Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request`)

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	service := ""
	if match := signedFor.FindStringSubmatch(request.Header.Get("Authorization")); match != nil {
		service = strings.Replace(match[1], "monitoring", "cloudwatch", 1)
	}
	action := awsapi.ActionOf(service + ":" + simulation.Operation(request, body))
	r.mu.Lock()
	list := &r.called
	if simulation.IsDryRun(body) {
		list = &r.dryRuns
	}
	if !slices.Contains(*list, action) {
		*list = append(*list, action)
	}
	r.mu.Unlock()
	return r.next.RoundTrip(request)
}

// groupOf returns the group of the policy that a command line needs.
func groupOf(t *testing.T, line string) policy.Group {
	t.Helper()
	if strings.HasPrefix(line, "env list ") {
		return policy.Read
	}
	switch command := strings.Fields(line)[0]; command {
	case "plan", "cost", "status", "releases", "verify", "why", "export", "adopt":
		return policy.Read
	case "up", "promote", "rollback", "scale", "env":
		return policy.Deploy
	case "ssh", "logs", "drill":
		return policy.Operate
	case "down":
		return policy.Teardown
	default:
		t.Fatalf("the policy has no group for aloft %s", command)
		return 0
	}
}

// edition is a change of a site between two commands.
type edition struct {
	old, replacement string // in the spec
	release          string
}

// editions are changes of a deployment, each followed by up. Before the first up are
// its price and its plan.
var editions = []struct {
	spec string
	then []edition
	last string
}{
	{
		spec: scalingGroup,
		then: []edition{
			{release: "r2"},
			{old: "max: 4}", replacement: `max: 4, schedule: [{cron: "0 8 * * *", min: 3}]}`},
			{old: `schedule: [{cron: "0 8 * * *", min: 3}]`, replacement: `target: {requests_per_target: 9}`},
		},
		last: "down SITE --yes --images",
	},
	{
		then: []edition{{old: "watch: 0s}\n", replacement: "watch: 0s}\n" + throughEndpoint, release: "r2"}},
		last: "ssh SITE server-1 -- uptime",
	},
	{
		then: []edition{{old: "watch: 0s}\n", replacement: "watch: 0s}\n" + variables, release: "r2"}},
		last: "status SITE",
	},
	{
		spec: alerts,
		then: []edition{
			{old: "me@example.com", replacement: "you@example.com"}, {old: "[you@example.com]", replacement: "[]"},
		},
		last: "status SITE",
	},
	{spec: alerts, last: "drill instance SITE --rate 5 --calm 1s --duration 1s"},
	{spec: alerts, last: "down SITE --yes --images"},
	{
		spec: privateNetwork,
		then: []edition{
			{old: privateNetwork, replacement: "network: {private: true, nat: none}\n"},
			{old: "network: {private: true, nat: none}\n", replacement: privateNetwork},
		},
		last: "down SITE --yes --images",
	},
	{spec: variables + keptLogs, last: "logs SITE"},
	{spec: keptLogs, last: "status SITE"},
	{
		spec: accessLogs, then: []edition{{old: accessLogs, replacement: "access_logs: false\n"}}, last: "status SITE",
	},
	{spec: accessLogs, last: "down SITE --yes --images"},
	{spec: accessLogs, last: "logs SITE"},
	{last: "logs SITE"},
	{
		spec: scalingGroup + variables + "tags: {team: a}\n",
		then: []edition{{old: "{team: a}", replacement: "{cost: b}"}}, last: "status SITE",
	},
	{spec: protected, last: "logs SITE"},
	{spec: protected, last: "verify SITE"},
	{
		spec: domainName,
		then: []edition{
			{
				old:         domainName,
				replacement: "domain: [www.example.com, example.com]\nhsts: true\nmachines: {count: 1}\n",
			},
			{old: "[www.example.com, example.com]\nhsts: true", replacement: "example.com"},
		},
		last: "down SITE --yes --images",
	},
	{spec: domainName, then: []edition{{old: domainName, replacement: ""}}, last: "status SITE"},
	{spec: domainName, last: "verify SITE"},
	{spec: domainName, last: "logs SITE"},
	{spec: scalingGroup, last: "drill instance SITE --rate 5 --calm 1s --duration 1s"},
	{spec: scalingGroup, last: "drill zone SITE --rate 5 --calm 1s --duration 1s"},
	{spec: scalingGroup, last: "verify SITE"},
	{spec: scalingGroup, then: []edition{{old: scalingGroup, replacement: ""}}, last: "status SITE"},
	{
		then: []edition{
			{old: "deregistration_delay: 0s", replacement: "deregistration_delay: 0s, health: {path: /ok}"},
			{release: "r2"},
			{release: "r3"},
			{old: "watch: 0s", replacement: "watch: 0s, keep: 2"},
		},
		last: "down SITE --yes --images",
	},
}

// recording holds the actions that each group's commands were seen to call.
type recording struct {
	mu     sync.Mutex
	called map[policy.Group][]string
}

// run runs a command line and records its calls. Dry runs count for the commands that
// make the calls themselves afterwards; plan shows which are not allowed.
func (r *recording) run(t *testing.T, s *site, line string) {
	t.Helper()
	calls, group := &recorder{}, groupOf(t, line)
	code, stderr := s.runThrough(t, func(next http.RoundTripper) http.RoundTripper {
		calls.next = next
		return calls
	}, line)
	if code != ExitOK && code != ExitChanges && code != ExitOutside {
		t.Errorf("aloft %s: %s", line, stderr)
	}
	all := calls.called
	if group == policy.Deploy {
		all = append(all, calls.dryRuns...)
	}
	r.mu.Lock()
	r.called[group] = append(r.called[group], all...)
	r.mu.Unlock()
}

// commandsAtOnce is the number of commands that record runs at a time. More would make requests
// of their checks time out on a computer with few cores.
const commandsAtOnce = 12

// record runs all commands.
func record(t *testing.T) map[policy.Group][]string {
	t.Helper()
	r := &recording{called: map[policy.Group][]string{}}
	var all errgroup.Group
	all.SetLimit(commandsAtOnce)
	for _, c := range commandCases {
		all.Go(func() error {
			s := newSite(t, c.spec)
			for _, line := range c.before {
				r.run(t, s, line)
			}
			if c.release != "" {
				s.release = c.release
			}
			c.edit(t, s)
			r.run(t, s, c.line)
			return nil
		})
	}
	for _, c := range editions {
		all.Go(func() error {
			s := newSite(t, c.spec)
			r.run(t, s, "cost SITE --on aws")
			r.run(t, s, "plan SITE")
			r.run(t, s, "up SITE")
			for _, e := range c.then {
				if e.old != "" {
					s.edit(t, e.old, e.replacement)
				}
				s.release = cmp.Or(e.release, s.release)
				r.run(t, s, "up SITE")
			}
			r.run(t, s, c.last)
			return nil
		})
	}
	_ = all.Wait() // what goes wrong is reported to t
	return r.called
}

func TestThePolicyAllowsExactlyWhatTheCommandsCall(t *testing.T) {
	for group, called := range record(t) {
		slices.Sort(called)
		called = slices.Compact(called)
		var allowed []string
		for _, a := range policy.Actions(group) {
			allowed = append(allowed, a.Name)
			if a.Why == "" && !slices.Contains(called, a.Name) {
				t.Errorf("no command of the group %s calls %s: "+
					"remove the group from its entry in internal/policy/table.go, "+
					"or say there with rare when it is called", group, a.Name)
			}
			if a.Why != "" && slices.Contains(called, a.Name) {
				t.Errorf("a command of the group %s calls %s: "+
					"remove rare or implied from its entry in internal/policy/table.go", group, a.Name)
			}
		}
		for _, action := range called {
			if !slices.Contains(allowed, action) {
				t.Errorf("a command of the group %s calls %s, which the policy does not allow: "+
					"add the group to its entry in internal/policy/table.go", group, action)
			}
		}
	}
}
