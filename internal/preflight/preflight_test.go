//go:build linux

package preflight_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/preflight"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
	"aloft.dev/aloft/test/simulation"
)

// answers is a transport that answers some operations itself.
type answers struct {
	next    http.RoundTripper
	codes   map[string]string    // error codes by operation
	dryRuns bool                 // only dry runs are answered
	replace map[string][2]string // what to replace in responses, by operation
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	name := simulation.Operation(r, body)
	code, ok := a.codes[name]
	if !ok || a.dryRuns && !simulation.IsDryRun(body) {
		answer, err := a.next.RoundTrip(r)
		if change, ok := a.replace[name]; ok && err == nil {
			text, err := io.ReadAll(answer.Body)
			if err != nil {
				return nil, err
			}
			text = bytes.ReplaceAll(text, []byte(change[0]), []byte(change[1]))
			answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			answer.Header.Del("Content-Length")
		}
		return answer, err
	}
	text := fmt.Sprintf(`<Response><Errors><Error><Code>%s</Code><Message>no %s here</Message></Error></Errors>`+
		`<RequestID>-</RequestID></Response>`, code, name)
	if r.Header.Get("X-Amz-Target") != "" {
		text = fmt.Sprintf(`{"__type": %q, "message": "no %s here"}`, code, name)
	}
	return &http.Response{
		StatusCode: http.StatusForbidden, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(text)), Request: r,
	}, nil
}

// deployment returns a deployment whose calls go through a.
func deployment(t *testing.T, c *simulation.Cloud, s *spec.Spec, a *answers) *apply.Deployment {
	t.Helper()
	client := c.Client(t, func(next http.RoundTripper) http.RoundTripper {
		a.next = next
		return a
	})
	return simulation.Deployment(t, client, s, &simulation.Builder{ReleaseName: "r1"}, t.TempDir())
}

func checks(t *testing.T, d *apply.Deployment) preflight.Report {
	t.Helper()
	_, report, err := d.PlanWithChecks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func find(t *testing.T, report preflight.Report, name string) preflight.Check {
	t.Helper()
	for _, c := range report {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("there is no check %q in %+v", name, report)
	return preflight.Check{}
}

func TestEverythingIsCheckedBeforeTheFirstUp(t *testing.T) {
	c := simulation.New(t)
	for name, s := range map[string]*spec.Spec{
		"fixed": simulation.Tutorial(t), "scaling": simulation.ScalingTutorial(t),
	} {
		report := checks(t, deployment(t, c, s, &answers{}))
		if len(report) < 10 || report.Err() != nil {
			t.Errorf("%s: got %+v", name, report)
		}
		for _, check := range report {
			if check.State != preflight.OK || check.Detail == "" {
				t.Errorf("%s: got %+v", name, check)
			}
		}
	}
}

func TestAPlanThatCreatesNothingIsNotChecked(t *testing.T) {
	app := simulation.NewApplication(t)
	if report := checks(t, app.Deployment(t, &simulation.Builder{ReleaseName: "r1"})); report != nil {
		t.Errorf("got %+v", report)
	}
}

func TestUpNamesAllMissingPermissionsAndCreatesNothing(t *testing.T) {
	c := simulation.New(t)
	denied := &answers{dryRuns: true, codes: map[string]string{
		"CreateVpc": "UnauthorizedOperation", "ImportKeyPair": "UnauthorizedOperation",
		"RunInstances": "UnauthorizedOperation",
	}}
	err := simulation.RunUp(t.Context(), deployment(t, c, simulation.Tutorial(t), denied))
	problems := diag.From(err)
	if len(problems) != 1 {
		t.Fatalf("got %v", problems)
	}
	simulation.Contains(t, problems[0].Summary, "3 of the actions")
	simulation.Contains(t, problems[0].Detail, "ec2:CreateVpc: UnauthorizedOperation: no CreateVpc here",
		"ec2:ImportKeyPair: ", "ec2:RunInstances: ")
	simulation.Contains(t, problems[0].Hint, "aloft policy deploy")
	view := c.Store.View()
	for _, p := range store.Parameters.List(view) {
		if strings.HasPrefix(p.Name, "/aloft/") {
			t.Errorf("%s was created", p.Name)
		}
	}
	simulation.NothingLeft(t, c)
}

func TestQuotasAreComparedWithWhatExists(t *testing.T) {
	c := simulation.New(t)
	c.Manners.Use(manners.Settings{Manners: []manners.Manner{manners.Limits}})
	s := simulation.Tutorial(t)
	s.Machines.Types = spec.InstanceTypes{"m5.4xlarge"} // 3 × 16 vCPUs exceed what a new account gets
	sdk := c.Client(t, nil).EC2
	for n := range 4 { // and there is a default VPC
		cidr := fmt.Sprintf("10.%d.0.0/16", n+1)
		_, err := sdk.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: &cidr})
		if err != nil {
			t.Fatal(err)
		}
	}
	d := deployment(t, c, s, &answers{})
	report := checks(t, d)
	for name, words := range map[string]string{
		"quota of VPCs":  "5 VPCs in us-east-1; 5 are in use, and the plan needs 1 more",
		"quota of vCPUs": "0 are in use, and the plan needs 48 more",
	} {
		check := find(t, report, name)
		if check.State != preflight.Failed || len(check.Problems) != 1 {
			t.Fatalf("%s: got %+v", name, check)
		}
		simulation.Contains(t, check.Problems[0].Summary, words)
		simulation.Contains(t, check.Problems[0].Hint, "servicequotas/home/services/")
	}
	if got := find(t, report, "quota of internet gateways"); got.State != preflight.OK {
		t.Errorf("got %+v", got)
	}
	if problems := diag.From(simulation.RunUp(t.Context(), d)); len(problems) != 2 {
		t.Errorf("up reports %v, want both problems", problems)
	}
}

func TestWhatCannotBeCheckedIsNoFailure(t *testing.T) {
	c := simulation.New(t)
	limited := manners.Settings{Manners: []manners.Manner{manners.Limits}}
	for code, words := range map[string]string{
		"AccessDeniedException":     "the credentials do not allow servicequotas:GetServiceQuota",
		"UnknownOperationException": "the endpoint does not offer servicequotas:GetServiceQuota",
	} {
		s := simulation.Tutorial(t)
		s.Machines.Types = spec.InstanceTypes{"t3.micro"}
		c.Manners.Use(limited)
		a := &answers{codes: map[string]string{"GetServiceQuota": code, "DescribeRegions": "UnauthorizedOperation"}}
		report := checks(t, deployment(t, c, s, a))
		if report.Err() != nil {
			t.Errorf("%s: got %v", code, report.Err())
		}
		vcpus := find(t, report, "quota of vCPUs")
		simulation.Contains(t, vcpus.Detail, words, "AWS's default would not suffice")
		simulation.Contains(t, find(t, report, "quota of VPCs").Detail, words, "AWS's default would suffice")
		region := find(t, report, "region")
		if vcpus.State != preflight.NotChecked || region.State != preflight.NotChecked {
			t.Errorf("%s: got %+v, %+v", code, vcpus, region)
		}
	}
}

func TestAQuotaThatWasNeverAppliedHasItsDefault(t *testing.T) {
	c := simulation.New(t)
	a := &answers{codes: map[string]string{"GetServiceQuota": "NoSuchResourceException"}}
	got := find(t, checks(t, deployment(t, c, simulation.Tutorial(t), a)), "quota of VPCs")
	if got.State != preflight.OK || !strings.Contains(got.Detail, "5 allowed") {
		t.Errorf("got %+v", got)
	}
}

func TestDisabledRegionsAreFoundAndZonesWithoutTheTypeAreAvoided(t *testing.T) {
	c := simulation.New(t)
	a := &answers{replace: map[string][2]string{
		"DescribeRegions":               {"opt-in-not-required", "not-opted-in"},
		"DescribeInstanceTypeOfferings": {"us-east-1b", "us-east-1x"},
	}}
	report := checks(t, deployment(t, c, simulation.Tutorial(t), a))
	region, instanceType := find(t, report, "region"), find(t, report, "instance type")
	if region.State != preflight.Failed || instanceType.State != preflight.OK ||
		strings.Contains(instanceType.Detail, "us-east-1b") {
		t.Fatalf("got %+v, %+v", region, instanceType)
	}
	simulation.Contains(t, region.Problems[0].Summary, "us-east-1 is not enabled")
}

func TestAZoneWithoutTheTypeIsFound(t *testing.T) {
	c := simulation.New(t)
	p, _, err := deployment(t, c, simulation.Tutorial(t), &answers{}).PlanWithChecks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	report := preflight.Run(t.Context(), preflight.Config{
		Client: c.Client(t, nil), App: "tutorial", Plan: p, InstanceTypes: []string{"t3.micro", "t3a.micro"},
		Zones: []stack.Zone{{Name: "us-east-1a", Offers: []string{"t3a.micro"}}, {Name: "us-east-1e"}},
	})
	check := find(t, report, "instance type")
	if check.State != preflight.Failed {
		t.Fatalf("got %+v", check)
	}
	simulation.Contains(t, check.Problems[0].Error(), "machines.type: us-east-1e does not offer t3.micro or t3a.micro")
}

func TestALoadBalancerNeedsRoomInSubnetsThatExist(t *testing.T) {
	app := simulation.NewApplication(t)
	status, err := app.Deployment(t, &simulation.Builder{ReleaseName: "r1"}).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = app.Client(t, nil).ELB.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{
		LoadBalancerArn: &status.LoadBalancerARN,
	})
	if err != nil {
		t.Fatal(err)
	}
	for free, state := range map[string]preflight.State{"7": preflight.Failed, "8": preflight.OK} {
		a := &answers{replace: map[string][2]string{"DescribeSubnets": {
			"<availableIpAddressCount>250<", "<availableIpAddressCount>" + free + "<",
		}}}
		report := checks(t, deployment(t, app.Cloud, app.Spec, a))
		if got := find(t, report, "subnets"); got.State != state {
			t.Errorf("%s free: got %+v", free, got)
		}
	}
}

func TestABuilderCountsWithItsOwnType(t *testing.T) {
	c := simulation.New(t)
	s := simulation.Tutorial(t)
	s.Machines.Types, s.Machines.Builder = spec.InstanceTypes{"t3.micro"}, spec.InstanceTypes{"m5.4xlarge"}
	d := deployment(t, c, s, &answers{})
	check := find(t, checks(t, d), "quota of vCPUs")
	simulation.Contains(t, check.Detail, "0 in use, 22 more needed") // 16 + 3 × 2
	p, _, err := d.PlanWithChecks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	report := preflight.Run(t.Context(), preflight.Config{
		Client: c.Client(t, nil), App: "tutorial", Plan: p, InstanceTypes: []string{"t3.micro"},
		Zones: []stack.Zone{{Name: "us-east-1a", Offers: []string{"t3.micro"}}},
	})
	check = find(t, report, "instance type")
	if check.State != preflight.Failed {
		t.Fatalf("got %+v", check)
	}
	simulation.Contains(t, check.Problems[0].Error(), "machines.builder: m5.4xlarge is offered in none of us-east-1a")
}
