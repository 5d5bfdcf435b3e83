//go:build linux

package release

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/adoption"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// byHand makes everything of an application look as if a person had made it: without the tags
// of Aloft.
func byHand(t *testing.T, c *simulation.Cloud) {
	t.Helper()
	own := func(tags store.Tags) store.Tags {
		kept := maps.Clone(tags)
		maps.DeleteFunc(kept, func(key, _ string) bool { return strings.HasPrefix(key, "aloft:") })
		return kept
	}
	if err := c.Store.Update(func(tx *store.Tx) error {
		for _, r := range store.LoadBalancers.List(tx) {
			store.LoadBalancers.Edit(tx, r.ARN, func(r *store.LoadBalancer) { r.Tags = own(r.Tags) })
		}
		for _, r := range store.TargetGroups.List(tx) {
			store.TargetGroups.Edit(tx, r.ARN, func(r *store.TargetGroup) { r.Tags = own(r.Tags) })
		}
		for _, r := range store.Instances.List(tx) {
			store.Instances.Edit(tx, r.ID, func(r *store.Instance) { r.Tags = own(r.Tags) })
		}
		for _, r := range store.SecurityGroups.List(tx) {
			store.SecurityGroups.Edit(tx, r.ID, func(r *store.SecurityGroup) { r.Tags = own(r.Tags) })
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// kindsOf lists the kinds in a report about the application: "load balancer", "instance" …
func kindsOf(r *adoption.Report, fate adoption.Fate) string {
	var all []string
	for _, item := range r.Items {
		if item.Fate == fate && item.Likely {
			all = append(all, string(item.Kind))
		}
	}
	return strings.Join(all, ", ")
}

// readOnly is a transport that fails the test if a call changes something.
type readOnly struct {
	next http.RoundTripper
	t    *testing.T
}

func (r readOnly) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	if name := simulation.Operation(request, body); simulation.ChangesState(name) {
		r.t.Errorf("the call %s changes something", name)
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	return r.next.RoundTrip(request)
}

func TestAdoptFindsWhatWasMadeByHandAndChangesNothing(t *testing.T) {
	s := &simulation.Application{Cloud: simulation.New(t), Keys: t.TempDir(), Spec: simulation.Tutorial(t)}
	s.Spec.Domain = spec.Domains{"api.example.com"}
	s.HostedZone(t, "example.com")
	s.Release(t, "r1")
	api := s.Client(t, func(next http.RoundTripper) http.RoundTripper { return readOnly{next, t} })
	list := func() *adoption.Report {
		t.Helper()
		return simulation.Must(adoption.List(t.Context(), api, s.Spec))(t)
	}
	if r := list(); kindsOf(r, adoption.Replaced) != "" {
		t.Errorf("what Aloft has made is listed: %+v", r.Items)
	}
	byHand(t, s.Cloud)
	r := list()
	want := "load balancer, target group, instance, instance, instance, " +
		"security group, security group, security group"
	if got := kindsOf(r, adoption.Replaced); got != want {
		t.Errorf("replaced: %s\nwant %s", got, want)
	}
	if got := kindsOf(r, adoption.Used); got != "VPC, hosted zone, certificate" {
		t.Errorf("used: %s", got)
	}
	if got := kindsOf(r, adoption.Moved); got != "DNS record" {
		t.Errorf("moved: %s", got)
	}
	view := s.Store.View()
	simulation.Contains(t, r.Spec, "machines: {count: 3, type: [t3.micro]}", "port: 3000\n",
		"vpc: "+store.LoadBalancers.List(view)[0].VPCID, "certificate: "+store.Certificates.List(view)[0].ARN)
	text := "app: tutorial\nstart: node .\nsource: {git: https://example.com/a}\n" + r.Spec
	if _, err := spec.Parse([]byte(text), "aloft.yaml", "."); err != nil {
		t.Errorf("the settings are no part of an aloft.yaml: %v\n%s", err, r.Spec)
	}
}

// Names lead from one resource to others, and ports alone lead nowhere.
func TestAdoptFollowsWhatIsFound(t *testing.T) {
	c := simulation.New(t)
	api, s := c.Client(t, nil), simulation.Tutorial(t)
	s.Port = 8080
	vpcs := simulation.Must(api.EC2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{}))(t)
	subnets := simulation.Must(api.EC2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{}))(t)
	group := func(name string, port int32) string {
		out := simulation.Must(api.ELB.CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
			Name: &name, Port: &port, Protocol: elbtypes.ProtocolEnumHttp, VpcId: vpcs.Vpcs[0].VpcId,
		}))(t)
		return *out.TargetGroups[0].TargetGroupArn
	}
	behind, _ := group("blue", 9000), group("mytutorial", 9000)
	weak := group("of-others", 8080)
	balancer := simulation.Must(api.ELB.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
		Name:    aws.String("Prod-Tutorial-lb"),
		Subnets: []string{*subnets.Subnets[0].SubnetId, *subnets.Subnets[1].SubnetId},
	}))(t)
	simulation.Must(api.ELB.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Port: aws.Int32(80),
		Protocol:       elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &behind}},
	}))(t)
	images := simulation.Must(api.EC2.DescribeImages(t.Context(), &ec2.DescribeImagesInput{}))(t)
	run := simulation.Must(api.EC2.RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: images.Images[0].ImageId, InstanceType: types.InstanceTypeT3Small, MinCount: aws.Int32(1),
		MaxCount: aws.Int32(1), SubnetId: subnets.Subnets[0].SubnetId,
	}))(t)
	instance := *run.Instances[0].InstanceId
	c.Until(t, "the instance runs", func(r store.Reader) bool {
		i, ok := store.Instances.Get(r, instance)
		return ok && i.State == store.Running
	})
	simulation.Must(api.ELB.RegisterTargets(t.Context(), &elb.RegisterTargetsInput{
		TargetGroupArn: &behind, Targets: []elbtypes.TargetDescription{{Id: &instance}},
	}))(t)
	r := simulation.Must(adoption.List(t.Context(), api, s))(t)
	reasons := map[string]string{}
	for _, item := range r.Items {
		reasons[item.ID] = strings.Join(item.Why, "; ")
	}
	for id, want := range map[string]string{
		behind: "Prod-Tutorial-lb forwards to it", weak: "its port 8080", instance: "it is registered with blue",
		*balancer.LoadBalancers[0].LoadBalancerArn: "it forwards to blue; its name",
	} {
		if reasons[id] != want {
			t.Errorf("%s: %q, want %q", id, reasons[id], want)
		}
	}
	likely := slices.IndexFunc(r.Items, func(i adoption.Item) bool { return i.ID == weak && i.Likely })
	if likely >= 0 || strings.Contains(strings.Join(slices.Collect(maps.Keys(reasons)), " "), "mytutorial") {
		t.Errorf("found too much: %v", reasons)
	}
	simulation.Contains(t, r.Spec, "type: [t3.small]", "port: 9000\n", "path: \"/\"")
}
