package route53_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	client "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/store"
)

// routed returns records with a routing policy and an identifier.
func routed(text, identifier string, policy func(*types.ResourceRecordSet)) *types.ResourceRecordSet {
	set := records(text)
	set.SetIdentifier = &identifier
	policy(set)
	return set
}

func weight(n int64) func(*types.ResourceRecordSet) {
	return func(set *types.ResourceRecordSet) { set.Weight = &n }
}

func region(name types.ResourceRecordSetRegion) func(*types.ResourceRecordSet) {
	return func(set *types.ResourceRecordSet) { set.Region = name }
}

func failover(role types.ResourceRecordSetFailover) func(*types.ResourceRecordSet) {
	return func(set *types.ResourceRecordSet) {
		set.Failover = role
		if set.AliasTarget != nil {
			set.AliasTarget.EvaluateTargetHealth = true
		}
	}
}

func multivalue(set *types.ResourceRecordSet) { set.MultiValueAnswer = new(true) }

// put makes changes of one action.
func (w *world) put(zone string, action types.ChangeAction, sets ...*types.ResourceRecordSet) error {
	batch := &types.ChangeBatch{}
	for _, set := range sets {
		batch.Changes = append(batch.Changes, types.Change{Action: action, ResourceRecordSet: set})
	}
	_, err := w.ChangeResourceRecordSets(w.t.Context(), &client.ChangeResourceRecordSetsInput{
		HostedZoneId: &zone, ChangeBatch: batch,
	})
	return err
}

func TestRoutingPoliciesChooseTheAnswer(t *testing.T) {
	w := newWorld(t)
	w.vpcs("vpc-1")
	target := func(group, state string) {
		if err := w.store.Update(func(tx *store.Tx) error {
			store.Targets.Put(tx, &store.Target{TargetGroupARN: group, Region: "r", ID: "i-1", Port: 80, State: state})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.store.Update(func(tx *store.Tx) error {
		for name, host := range map[string]string{"one": "10.0.0.1", "two": "10.0.0.2"} {
			putBalancer(tx, name, host)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	zone := w.zone("example.com")
	if err := w.put(zone, types.ChangeActionCreate,
		routed("w.example.com A 60 192.0.2.1", "a", weight(1)), routed("w.example.com A 60 192.0.2.2", "b", weight(3)),
		routed("w.example.com A 60 192.0.2.3", "c", weight(0)),
		routed("zero.example.com CNAME 60 x.test", "a", weight(0)),
		routed("l.example.com A 60 192.0.2.1", "a", region("us-east-1")),
		routed("l.example.com A 60 192.0.2.2", "b", region("eu-west-1")),
		routed("m.example.com A 60 192.0.2.1", "a", multivalue),
		routed("m.example.com A 60 192.0.2.2", "b", multivalue),
		routed("f.example.com A alias Z1 one.elb.test", "a", failover("PRIMARY")),
		routed("f.example.com A alias Z1 two.elb.test", "b", failover("SECONDARY")),
	); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, one, two string // the states of the targets behind the load balancers
		number         int    // what the source of random numbers returns at most
		want           string
	}{
		{"w.example.com", "", "", 0, "192.0.2.1"}, {"w.example.com", "", "", 1, "192.0.2.2"},
		{"w.example.com", "", "", 3, "192.0.2.2"}, {"zero.example.com", "", "", 0, "x.test."},
		{"l.example.com", "", "", 0, "192.0.2.2"},
		{"m.example.com", "", "", 0, "192.0.2.1 192.0.2.2"}, {"m.example.com", "", "", 1, "192.0.2.2 192.0.2.1"},
		{"f.example.com", "healthy", "healthy", 0, "10.0.0.1"},
		{"f.example.com", "unhealthy", "healthy", 0, "10.0.0.2"},
		{"f.example.com", "unhealthy", "unhealthy", 0, "10.0.0.1"}, // then all are taken for healthy
	} {
		target("one", c.one)
		target("two", c.two)
		names := dnsname.Resolver{Store: w.store, Number: func(n int) int { return min(c.number, n-1) }}
		answer, _ := names.Hosted("vpc-1", c.name, "A")
		var values []string
		for _, line := range answer.Records {
			values = append(values, line[strings.LastIndexByte(line, ' ')+1:])
		}
		if got := strings.Join(values, " "); got != c.want {
			t.Errorf("%s (%s, %s) with %d: got %s, want %s", c.name, c.one, c.two, c.number, got, c.want)
		}
	}
}

// putBalancer puts a load balancer with one node, which forwards to a target group of its name.
func putBalancer(tx *store.Tx, name, address string) {
	store.LoadBalancers.Put(tx, &store.LoadBalancer{
		ARN: name, Region: "r", DNSName: name + ".elb.test", Nodes: []store.Node{{InterfaceID: "eni-" + name}},
	})
	store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
		ID: "eni-" + name, Region: "r", PrivateIP: netip.MustParseAddr(address),
	})
	store.Listeners.Put(tx, &store.Listener{
		ARN: "listener-" + name, Region: "r", LoadBalancerARN: name,
		Actions: []store.Action{{Type: "forward", Forward: []store.WeightedTargetGroup{{ARN: name}}}},
	})
}

func TestRecordSetsOfANameAgreeOnTheirRouting(t *testing.T) {
	w := newWorld(t)
	zone := w.zone("example.com")
	if err := w.put(zone, types.ChangeActionCreate,
		routed("w.example.com A 60 192.0.2.1", "a", weight(1)), records("s.example.com A 60 192.0.2.1"),
		routed("l.example.com A 60 192.0.2.1", "a", region("us-east-1")),
	); err != nil {
		t.Fatal(err)
	}
	in := func(name, identifier string) string {
		return " in Change with [Action=CREATE, Name=" + name + ", Type=A, SetIdentifier=" + identifier + "]"
	}
	const exactlyOne = "InvalidInput: Invalid request: Expected exactly one of [Weight, Region, Failover, " +
		"GeoLocation, MultiValueAnswer, GeoProximityLocation, or CidrRoutingConfig], but found "
	batch := func(text string) string { return "InvalidChangeBatch: [" + text + "]" }
	rrset := func(name, identifier string) string {
		return "RRSet with DNS name " + name + ".example.com., type A, SetIdentifier " + identifier +
			" cannot be created "
	}
	alone := records("n.example.com A 60 192.0.2.1")
	weight(1)(alone)
	for _, c := range []struct {
		set  *types.ResourceRecordSet
		want string
	}{
		{alone, "InvalidInput: Invalid request: Missing field 'SetIdentifier'" + in("n.example.com", "null")},
		{routed("n.example.com A 60 192.0.2.1", "a", func(*types.ResourceRecordSet) {}),
			exactlyOne + "none" + in("n.example.com", "a")},
		{routed("n.example.com A 60 192.0.2.1", "a", func(set *types.ResourceRecordSet) {
			weight(1)(set)
			multivalue(set)
		}), exactlyOne + "more than one" + in("n.example.com", "a")},
		{routed("w.example.com A 60 192.0.2.1", "a", weight(1)), batch("Tried to create resource record set " +
			"[name='w.example.com.', type='A', set identifier='a'] but it already exists")},
		{routed("w.example.com A 61 192.0.2.1", "b", weight(1)),
			batch(rrset("w", "b") + "as weighted sets must contain the same TTL.")},
		{routed("s.example.com A 60 192.0.2.1", "b", weight(1)),
			batch(rrset("s", "b") + "as a non-weighted set exists with the same name and type.")},
		{routed("w.example.com A 60 192.0.2.1", "b", multivalue), batch(rrset("w", "b") +
			"because a non multivalue answer rrset exists with the same name and type.")},
		{routed("l.example.com A 60 192.0.2.1", "b", region("us-east-1")),
			batch(rrset("l", "b") + "as a latency set exists with the same name, type and region.")},
		{records("w.example.com A 60 192.0.2.1"), batch("RRSet with DNS name w.example.com., type A cannot be " +
			"created as other RRSets exist with the same name and type.")},
		{routed("f.example.com A 60 192.0.2.1", "a", failover("PRIMARY")), batch("A non-alias primary " +
			"ResourceRecordSet must have an associated health check. No changes made.")},
		{routed("x.example.com NS 60 ns.test", "a", weight(1)), batch("RRSet with DNS name x.example.com., type NS, " +
			"SetIdentifier a cannot be created as weighted routing is not supported for the type.")},
	} {
		if got := refusal(w.put(zone, types.ChangeActionCreate, c.set)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestRoutedRecordsAreListedChangedAndDeletedByIdentifier(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	zone := w.zone("example.com")
	a := routed("w.example.com A 60 192.0.2.1", "a", weight(1))
	b := routed("w.example.com A 60 192.0.2.2", "b", weight(2))
	if err := w.put(zone, types.ChangeActionCreate, b, a); err != nil {
		t.Fatal(err)
	}
	weight(9)(b)
	if err := w.put(zone, types.ChangeActionUpsert, b); err != nil {
		t.Fatal(err)
	}
	list := func() (out []string) {
		in := &client.ListResourceRecordSetsInput{
			HostedZoneId: &zone, MaxItems: new(int32(1)), StartRecordName: new("w.example.com"),
		}
		for {
			page, err := w.ListResourceRecordSets(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, set := range page.ResourceRecordSets {
				out = append(out, fmt.Sprint(*set.SetIdentifier, " ", *set.Weight))
			}
			if !page.IsTruncated {
				return out
			}
			in.StartRecordName, in.StartRecordType = page.NextRecordName, page.NextRecordType
			in.StartRecordIdentifier = page.NextRecordIdentifier
		}
	}
	if got := list(); !slices.Equal(got, []string{"a 1", "b 9"}) {
		t.Errorf("listed %q", got)
	}
	if err := w.put(zone, types.ChangeActionDelete, a); err != nil {
		t.Fatal(err)
	}
	if got := list(); !slices.Equal(got, []string{"b 9"}) {
		t.Errorf("listed %q", got)
	}
}

func TestDNSAnswersAreThoseOfTheZone(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	zone := w.zone("example.com")
	if err := w.change(zone, "CREATE www.example.com A 60 192.0.2.1|192.0.2.2",
		"CREATE m.example.com MX 60 10 mail.example.com"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, kind, code string
		data             []string
	}{
		{"www.example.com", "A", "NOERROR", []string{"192.0.2.1", "192.0.2.2"}},
		{"m.example.com", "MX", "NOERROR", []string{"10 mail.example.com."}},
		{"m.example.com", "A", "NOERROR", nil}, {"no.example.com", "A", "NXDOMAIN", nil},
		{"example.org", "A", "REFUSED", nil},
	} {
		got, err := w.TestDNSAnswer(ctx, &client.TestDNSAnswerInput{
			HostedZoneId: &zone, RecordName: &c.name, RecordType: types.RRType(c.kind),
		})
		if err != nil || *got.ResponseCode != c.code || !slices.Equal(got.RecordData, c.data) ||
			*got.Protocol != "UDP" {
			t.Errorf("%s %s: got %+v, %v", c.name, c.kind, got, err)
		}
	}
}

func TestQuestionsAboutAnswersAreValidated(t *testing.T) {
	w := newWorld(t)
	zone := w.zone("example.com")
	for mask, want := range map[string]string{
		"24": "<nil>", "33": "InvalidInput: Invalid subnet mask: 33", "x": "InvalidInput: Invalid subnet mask: x",
	} {
		_, err := w.TestDNSAnswer(t.Context(), &client.TestDNSAnswerInput{
			HostedZoneId: &zone, RecordName: new("a.example.com"), RecordType: types.RRTypeA,
			EDNS0ClientSubnetIP: new("192.0.2.0"), EDNS0ClientSubnetMask: &mask,
		})
		if got := refusal(err); got != want {
			t.Errorf("%s: got %s, want %s", mask, got, want)
		}
	}
}
