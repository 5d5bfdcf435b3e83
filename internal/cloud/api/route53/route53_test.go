package route53_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	client "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/cloud/api/route53"
	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// world is an API with a client.
type world struct {
	*client.Client
	t     *testing.T
	store *store.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	api := route53.New(route53.Config{Store: s, Now: func() time.Time {
		return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	}})
	config := wiretest.Serve(t, "eu-west-1", wire.Service{Name: "route53", API: api})
	return &world{client.NewFromConfig(config), t, s}
}

// zone creates a zone and returns its id.
func (w *world) zone(name string) string {
	w.t.Helper()
	out, err := w.CreateHostedZone(w.t.Context(), &client.CreateHostedZoneInput{
		Name: &name, CallerReference: new(name + fmt.Sprint(len(store.HostedZones.List(w.store.View())))),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.HostedZone.Id
}

// records parses "www A 60 192.0.2.1 192.0.2.2" or "www A alias zone target".
func records(text string) *types.ResourceRecordSet {
	f := strings.SplitN(text, " ", 4)
	set := &types.ResourceRecordSet{Name: &f[0], Type: types.RRType(f[1])}
	if f[2] == "alias" {
		zone, target, _ := strings.Cut(f[3], " ")
		set.AliasTarget = &types.AliasTarget{HostedZoneId: &zone, DNSName: &target}
		return set
	}
	var ttl int64
	_, _ = fmt.Sscan(f[2], &ttl)
	set.TTL = &ttl
	for value := range strings.SplitSeq(f[3], "|") {
		set.ResourceRecords = append(set.ResourceRecords, types.ResourceRecord{Value: &value})
	}
	return set
}

// change makes changes such as "CREATE www.example.com A 60 192.0.2.1".
func (w *world) change(zone string, changes ...string) error {
	batch := &types.ChangeBatch{}
	for _, c := range changes {
		action, rest, _ := strings.Cut(c, " ")
		batch.Changes = append(batch.Changes, types.Change{
			Action: types.ChangeAction(action), ResourceRecordSet: records(rest),
		})
	}
	_, err := w.ChangeResourceRecordSets(w.t.Context(), &client.ChangeResourceRecordSetsInput{
		HostedZoneId: &zone, ChangeBatch: batch,
	})
	return err
}

// names lists a zone's records by name and type.
func (w *world) names(zone string, size int32) []string {
	w.t.Helper()
	var out []string
	in := &client.ListResourceRecordSetsInput{HostedZoneId: &zone, MaxItems: &size}
	for {
		page, err := w.ListResourceRecordSets(w.t.Context(), in)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, set := range page.ResourceRecordSets {
			out = append(out, *set.Name+" "+string(set.Type))
		}
		if !page.IsTruncated {
			return out
		}
		in.StartRecordName, in.StartRecordType = page.NextRecordName, page.NextRecordType
	}
}

func refusal(err error) string {
	var aws smithy.APIError
	if errors.As(err, &aws) {
		return aws.ErrorCode() + ": " + aws.ErrorMessage()
	}
	return fmt.Sprint(err)
}

func TestZonesAreCreatedListedAndDeleted(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	zone := w.zone("Example.com")
	other := w.zone("example.com.")
	third := w.zone("api.example.com")
	_, err := w.CreateHostedZone(ctx, &client.CreateHostedZoneInput{
		Name: new("example.org"), CallerReference: new("Example.com0"),
	})
	if want := "HostedZoneAlreadyExists: A hosted zone has already been created with the specified caller " +
		"reference."; refusal(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	got, err := w.GetHostedZone(ctx, &client.GetHostedZoneInput{Id: &zone})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := w.GetDNSSEC(ctx, &client.GetDNSSECInput{HostedZoneId: &zone})
	if err != nil || *signed.Status.ServeSignature != "NOT_SIGNING" {
		t.Errorf("DNSSEC: %+v, %v", signed, err)
	}
	if *got.HostedZone.Name != "example.com." || *got.HostedZone.ResourceRecordSetCount != 2 ||
		len(got.DelegationSet.NameServers) != 4 || got.HostedZone.Config.PrivateZone {
		t.Errorf("got %+v", got.HostedZone)
	}
	var names []string
	in := &client.ListHostedZonesByNameInput{DNSName: new("example.com"), MaxItems: new(int32(1))}
	for {
		page, err := w.ListHostedZonesByName(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, *page.HostedZones[0].Name)
		if !page.IsTruncated {
			break
		}
		in.DNSName, in.HostedZoneId = page.NextDNSName, page.NextHostedZoneId
	}
	if !slices.Equal(names, []string{"example.com.", "example.com.", "api.example.com."}) {
		t.Errorf("by name: got %q", names)
	}
	pager, ids := client.NewListHostedZonesPaginator(w, &client.ListHostedZonesInput{MaxItems: new(int32(2))}), 0
	for pager.HasMorePages() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		ids += len(page.HostedZones)
	}
	if ids != 3 {
		t.Errorf("listed %d zones", ids)
	}
	if err := w.change(zone, "CREATE www.example.com A 60 192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	_, err = w.DeleteHostedZone(ctx, &client.DeleteHostedZoneInput{Id: &zone})
	if !strings.HasPrefix(refusal(err), "HostedZoneNotEmpty: ") {
		t.Errorf("delete a zone with records: got %v", err)
	}
	for _, id := range []string{other, third} {
		if _, err := w.DeleteHostedZone(ctx, &client.DeleteHostedZoneInput{Id: &id}); err != nil {
			t.Error(err)
		}
	}
	count, err := w.GetHostedZoneCount(ctx, &client.GetHostedZoneCountInput{})
	if err != nil || *count.HostedZoneCount != 1 {
		t.Errorf("count: %+v, %v", count, err)
	}
	_, err = w.GetHostedZone(ctx, &client.GetHostedZoneInput{Id: &other})
	if want := "NoSuchHostedZone: No hosted zone found with ID: "; !strings.HasPrefix(refusal(err), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRecordsAreListedInTheOrderOfReversedNames(t *testing.T) {
	w := newWorld(t)
	zone := w.zone("example.com")
	if err := w.change(zone, `CREATE www.example.com TXT 60 "a" "b"`, "CREATE *.example.com CNAME 60 a.test",
		"CREATE b.example.com MX 60 10 mail.example.com", "CREATE a.b.example.com AAAA 60 2001:db8::1",
		"CREATE www.example.com A 60 192.0.2.1|192.0.2.2"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"example.com. NS", "example.com. SOA", `\052.example.com. CNAME`, "b.example.com. MX", "a.b.example.com. AAAA",
		"www.example.com. A", "www.example.com. TXT",
	}
	for _, size := range []int32{1, 2, 300} {
		if got := w.names(zone, size); !slices.Equal(got, want) {
			t.Errorf("%d a page: got %q", size, got)
		}
	}
}

func TestABatchChangesAllOrNothing(t *testing.T) {
	w := newWorld(t)
	zone := w.zone("example.com")
	err := w.change(zone, "CREATE a.example.com A 60 192.0.2.1|192.0.2.2", "CREATE c.example.com CNAME 60 d")
	if err != nil {
		t.Fatal(err)
	}
	before := w.names(zone, 300)
	invalid := func(text string) string { return "InvalidChangeBatch: [" + text + "]" }
	fatal := func(problem, value string) string {
		return invalid("Invalid Resource Record: 'FATAL problem: " + problem + " encountered with '" + value + "''")
	}
	for want, changes := range map[string][]string{
		invalid("Tried to create resource record set [name='a.example.com.', type='A'] but it already exists"): {
			"CREATE new.example.com A 60 192.0.2.1", "CREATE a.example.com A 60 192.0.2.1",
		},
		invalid("Tried to delete resource record set [name='no.example.com.', type='A'] but it was not found"): {
			"DELETE no.example.com A 60 192.0.2.1",
		},
		invalid("Tried to delete resource record set [name='a.example.com.', type='A'] but the values provided do " +
			"not match the current values"): {"DELETE a.example.com A 61 192.0.2.1|192.0.2.2"},
		invalid("RRSet with DNS name a.example.org. is not permitted in zone example.com."): {
			"CREATE a.example.org A 60 192.0.2.1",
		},
		invalid("RRSet of type CNAME with DNS name example.com. is not permitted at apex in zone example.com., " +
			"RRSet with DNS name x. is not permitted in zone example.com."): {
			"CREATE example.com CNAME 60 x", "CREATE x A 60 192.0.2.1",
		},
		invalid("RRSet of type CNAME with DNS name a.example.com. is not permitted as it conflicts with other " +
			"records with the same DNS name in zone example.com."): {"CREATE a.example.com CNAME 60 x"},
		invalid("RRSet of type A with DNS name c.example.com. is not permitted because a conflicting RRSet of type " +
			"CNAME with the same DNS name already exists in zone example.com."): {
			"UPSERT c.example.com A 60 192.0.2.1",
		},
		invalid("A HostedZone must contain at least one NS record for the zone itself."): nil,
		fatal("ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)", "x"): {
			"CREATE x.example.com A 60 x",
		},
		fatal("InvalidCharacterString (Value should be enclosed in quotation marks)", "x"): {
			"CREATE x.example.com TXT 60 x",
		},
		fatal("MXRRDATANotTwoFields (MX record doesn't have 2 fields)", "x"): {"CREATE x.example.com MX 60 x"},
		fatal("DomainLabelEmpty (Domain label is empty)", "x..y.example.com"): {
			"CREATE x..y.example.com A 60 192.0.2.1",
		},
		invalid("Duplicate Resource Record: '192.0.2.1'"): {
			"CREATE x.example.com A 60 192.0.2.1|192.0.2.1",
		},
		invalid("Tried to create an alias that targets lb.test., type A in zone Z1, but the alias target name was " +
			"not found"): {"CREATE x.example.com A alias Z1 lb.test"},
		fatal("SRVRRDATANotFourFields (SRV record doesn't have 4 fields)", "1 1 x"): {
			"CREATE x.example.com SRV 60 1 1 x",
		},
		fatal("CAARRDATAInvalidNumber (256 is not a number of 8 bits)", `256 issue "ca.test"`): {
			`CREATE x.example.com CAA 60 256 issue "ca.test"`,
		},
		fatal("InvalidCharacterString (Value should be enclosed in quotation marks)", "0 issue ca.test"): {
			"CREATE x.example.com CAA 60 0 issue ca.test",
		},
		"NotImplemented: aloft's local cloud does not implement records of type HTTPS": {
			"CREATE x.example.com HTTPS 60 1 .",
		},
	} {
		if changes == nil { // the zone's own servers
			page, err := w.ListResourceRecordSets(
				t.Context(), &client.ListResourceRecordSetsInput{HostedZoneId: &zone},
			)
			if err != nil {
				t.Fatal(err)
			}
			var values []string
			for _, r := range page.ResourceRecordSets[0].ResourceRecords {
				values = append(values, *r.Value)
			}
			changes = []string{"DELETE example.com NS 172800 " + strings.Join(values, "|")}
		}
		if got := refusal(w.change(zone, changes...)); got != want {
			t.Errorf("%q:\n got %s\nwant %s", changes, got, want)
		}
	}
	if after := w.names(zone, 300); !slices.Equal(after, before) {
		t.Errorf("refused batches changed the records: %q", after)
	}
	if err := w.change(zone, "DELETE c.example.com CNAME 60 d", "CREATE c.example.com A 60 192.0.2.1",
		"UPSERT a.example.com A 5 192.0.2.9"); err != nil {
		t.Errorf("replace a CNAME: %v", err)
	}
}

func TestRecordsNeedTTLAndValuesOrAnAlias(t *testing.T) {
	w := newWorld(t)
	zone := w.zone("example.com")
	where := " in Change with [Action=CREATE, Name=x.example.com, Type=A, SetIdentifier=null]"
	const expected = "InvalidInput: Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and " +
		"ResourceRecords], or TrafficPolicyInstanceId], but found "
	values := []types.ResourceRecord{{Value: new("192.0.2.1")}}
	alias := &types.AliasTarget{HostedZoneId: &zone, DNSName: new("a.example.com")}
	for want, set := range map[string]types.ResourceRecordSet{
		expected + "none" + where:                                                {},
		"InvalidInput: Invalid request: Missing field 'TTL'" + where:             {ResourceRecords: values},
		"InvalidInput: Invalid request: Missing field 'ResourceRecords'" + where: {TTL: new(int64(1))},
		expected + "more than one" + where: {
			ResourceRecords: values, AliasTarget: alias,
		},
		"NotImplemented: aloft's local cloud does not implement routing by location (GeoLocation)": {
			SetIdentifier: new("a"), GeoLocation: &types.GeoLocation{CountryCode: new("*")},
		},
	} {
		set.Name, set.Type = new("x.example.com"), types.RRTypeA
		_, err := w.ChangeResourceRecordSets(t.Context(), &client.ChangeResourceRecordSetsInput{
			HostedZoneId: &zone,
			ChangeBatch: &types.ChangeBatch{
				Changes: []types.Change{{Action: types.ChangeActionCreate, ResourceRecordSet: &set}},
			},
		})
		if got := refusal(err); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}

func TestChangesAndTags(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	out, err := w.CreateHostedZone(ctx, &client.CreateHostedZoneInput{Name: new("a.test"), CallerReference: new("x")})
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.GetChange(ctx, &client.GetChangeInput{Id: out.ChangeInfo.Id})
	if err != nil || got.ChangeInfo.Status != types.ChangeStatusInsync {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = w.GetChange(ctx, &client.GetChangeInput{Id: new("C0")})
	if want := "NoSuchChange: Could not find resource with ID: C0"; refusal(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	id := strings.TrimPrefix(*out.HostedZone.Id, "/hostedzone/")
	tag := func(add []types.Tag, remove ...string) {
		t.Helper()
		if _, err := w.ChangeTagsForResource(ctx, &client.ChangeTagsForResourceInput{
			ResourceType: types.TagResourceTypeHostedzone, ResourceId: &id, AddTags: add, RemoveTagKeys: remove,
		}); err != nil {
			t.Fatal(err)
		}
	}
	tag([]types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("2")}})
	tag([]types.Tag{{Key: new("c"), Value: new("3")}}, "a")
	tags, err := w.ListTagsForResource(ctx, &client.ListTagsForResourceInput{
		ResourceType: types.TagResourceTypeHostedzone, ResourceId: &id,
	})
	if err != nil || len(tags.ResourceTagSet.Tags) != 2 || *tags.ResourceTagSet.Tags[1].Key != "c" {
		t.Errorf("got %+v, %v", tags, err)
	}
}

// What a resolver answers for the records of a zone.
func TestRecordsResolve(t *testing.T) {
	w := newWorld(t)
	if err := w.store.Update(func(tx *store.Tx) error {
		store.LoadBalancers.Put(tx, &store.LoadBalancer{ARN: "lb", Region: "r", DNSName: "web-1.r.elb.localhost"})
		store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
			ID: "eni-1", Region: "r", PrivateIP: netip.MustParseAddr("10.0.0.5"),
			IPv6: []netip.Addr{netip.MustParseAddr("2001:db8::5")},
		})
		store.LoadBalancers.Put(tx, &store.LoadBalancer{
			ARN: "dual", Region: "r", DNSName: "dual-1.r.elb.localhost", Nodes: []store.Node{{InterfaceID: "eni-1"}},
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	zone := w.zone("example.com")
	w.zone("deep.example.com")
	if err := w.change(zone, "CREATE example.com A 60 192.0.2.1", "CREATE *.w.example.com A 60 192.0.2.2",
		"CREATE x.y.w.example.com A 60 192.0.2.3", "CREATE c.example.com CNAME 60 Elsewhere.test",
		`CREATE t.example.com TXT 60 "a\"b" "\344"`, "CREATE a.deep.example.com A 60 192.0.2.4",
		"CREATE api.example.com A alias Z1 dualstack.web-1.r.elb.localhost",
		"CREATE dual.example.com A alias Z1 dualstack.dual-1.r.elb.localhost",
		"CREATE dual.example.com AAAA alias Z1 dualstack.dual-1.r.elb.localhost",
		"CREATE _x._tcp.example.com SRV 60 1 2 8080 api.example.com", `CREATE example.com CAA 60 0 issue "ca.test"`,
		"CREATE 5.example.com PTR 60 host.example.com", `CREATE n.example.com NAPTR 60 1 2 "U" "a b" "!\041!" .`,
		"CREATE ds.example.com DS 60 1 2 3 0aFF", `CREATE example.com SPF 60 "v=spf1 -all"`,
		"CREATE up.example.com A alias "+strings.TrimPrefix(zone, "/hostedzone/")+" api.example.com"); err != nil {
		t.Fatal(err)
	}
	names := dnsname.Resolver{Store: w.store}
	for _, c := range []struct{ name, kind, want string }{
		{"example.com", "A", ". 60 IN A 192.0.2.1"},
		{"example.com", "AAAA", "exists"},
		{"any.w.example.com", "A", ". 60 IN A 192.0.2.2"},
		{"deep.any.w.example.com", "A", ". 60 IN A 192.0.2.2"},
		{"y.w.example.com", "A", "exists"},   // between names, so no wildcard
		{"z.y.w.example.com", "A", "absent"}, // its closest existing name is y.w, not w
		{"c.example.com", "A", ". 60 IN CNAME Elsewhere.test."},
		{"t.example.com", "TXT", `. 60 IN TXT "a\034b" "\228"`},
		{"_x._tcp.example.com", "SRV", ". 60 IN SRV 1 2 8080 api.example.com."},
		{"example.com", "CAA", `. 60 IN CAA 0 issue "ca.test"`},
		{"5.example.com", "PTR", ". 60 IN PTR host.example.com."},
		{"n.example.com", "NAPTR", `. 60 IN NAPTR 1 2 "U" "a b" "!!!" .`},
		{"ds.example.com", "DS", ". 60 IN DS 1 2 3 0aFF"},
		{"example.com", "SPF", `. 60 IN SPF "v=spf1 -all"`},
		{"a.deep.example.com", "A", "absent"}, // the other zone answers
		{"no.example.com", "A", "absent"},
		{"api.example.com", "A", "exists"}, // the load balancer has no nodes here
		{"dual.example.com", "A", ". 60 IN A 10.0.0.5"},
		{"dual.example.com", "AAAA", ". 60 IN AAAA 2001:db8::5"},
		{"example.org", "A", "unknown"},
	} {
		answer, known := names.Hosted("vpc-1", c.name, c.kind)
		got := strings.Join(answer.Records, "|")
		switch {
		case !known:
			got = "unknown"
		case got == "" && answer.Exists:
			got = "exists"
		case got == "":
			got = "absent"
		}
		if got != c.want || known && !strings.Contains(answer.Authority, " 900 IN SOA ns-") {
			t.Errorf("%s %s: got %s (authority %s), want %s", c.name, c.kind, got, answer.Authority, c.want)
		}
	}
}
