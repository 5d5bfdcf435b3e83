package route53_test

import (
	"slices"
	"strings"
	"testing"

	client "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/store"
)

// vpcs creates VPCs of ids in eu-west-1.
func (w *world) vpcs(ids ...string) {
	w.t.Helper()
	if err := w.store.Update(func(tx *store.Tx) error {
		for _, id := range ids {
			store.VPCs.Put(tx, &store.VPC{ID: id, Region: "eu-west-1", DNSSupport: true, DNSHostnames: true})
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

func inRegion(id string) *types.VPC { return &types.VPC{VPCId: &id, VPCRegion: types.VPCRegionEuWest1} }

// private creates a zone that is private to a VPC and returns its id.
func (w *world) private(name, vpcID string) string {
	w.t.Helper()
	out, err := w.CreateHostedZone(w.t.Context(), &client.CreateHostedZoneInput{
		Name: &name, CallerReference: new(name + vpcID), VPC: inRegion(vpcID),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if out.DelegationSet != nil || *out.VPC.VPCId != vpcID || !out.HostedZone.Config.PrivateZone {
		w.t.Errorf("created %+v of %+v with %+v", out.HostedZone.Config, out.VPC, out.DelegationSet)
	}
	return strings.TrimPrefix(*out.HostedZone.Id, "/hostedzone/")
}

// answers returns what the resolver of a VPC answers: records, "none" or "unknown".
func (w *world) answers(vpcID, name, kind string) string {
	answer, known := dnsname.Resolver{Store: w.store}.Hosted(vpcID, name, kind)
	switch {
	case !known:
		return "unknown"
	case len(answer.Records) == 0:
		return "none"
	}
	return strings.Join(answer.Records, "|")
}

func TestAPrivateZoneAnswersInItsVPCsAlone(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.vpcs("vpc-1", "vpc-2", "vpc-3")
	private, public := w.private("corp.example.com", "vpc-1"), w.zone("example.com")
	for zone, change := range map[string]string{
		private: "CREATE www.corp.example.com A 60 10.0.0.1",
		public:  "CREATE *.corp.example.com A 60 192.0.2.1",
	} {
		if err := w.change(zone, change); err != nil {
			t.Fatal(err)
		}
	}
	associate := func(vpc string) error {
		_, err := w.AssociateVPCWithHostedZone(ctx, &client.AssociateVPCWithHostedZoneInput{
			HostedZoneId: &private, VPC: inRegion(vpc), Comment: new("why"),
		})
		return err
	}
	check := func(when string, want map[string]string) {
		t.Helper()
		for vpc, want := range want {
			if got := w.answers(vpc, "www.corp.example.com", "A"); got != want {
				t.Errorf("%s: %q answers %s, want %s", when, vpc, got, want)
			}
		}
	}
	const inside, outside = ". 60 IN A 10.0.0.1", ". 60 IN A 192.0.2.1"
	check("created", map[string]string{"vpc-1": inside, "vpc-2": outside, "": outside})
	if got := w.answers("vpc-1", "other.corp.example.com", "A"); got != "none" {
		t.Errorf("what the private zone does not have: got %s", got)
	}
	if err := associate("vpc-2"); err != nil {
		t.Fatal(err)
	}
	check("associated", map[string]string{"vpc-1": inside, "vpc-2": inside, "vpc-3": outside})
	if _, err := w.DisassociateVPCFromHostedZone(ctx, &client.DisassociateVPCFromHostedZoneInput{
		HostedZoneId: &private, VPC: &types.VPC{VPCId: new("vpc-1")},
	}); err != nil {
		t.Fatal(err)
	}
	check("disassociated", map[string]string{"vpc-1": outside, "vpc-2": inside})
	zone, err := w.GetHostedZone(ctx, &client.GetHostedZoneInput{Id: &private})
	if err != nil || zone.DelegationSet != nil || len(zone.VPCs) != 1 || *zone.VPCs[0].VPCId != "vpc-2" ||
		zone.VPCs[0].VPCRegion != "eu-west-1" || *zone.HostedZone.ResourceRecordSetCount != 3 {
		t.Errorf("got %+v, %v", zone, err)
	}
	if err := w.store.Update(func(tx *store.Tx) error {
		store.VPCs.Edit(tx, "vpc-2", func(vpc *store.VPC) { vpc.DNSHostnames = false })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	check("without host names", map[string]string{"vpc-2": outside})
}

func TestAssociationsAreRefusedAsAWSDoes(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.vpcs("vpc-1", "vpc-2")
	private, public := w.private("corp.test", "vpc-1"), w.zone("corp.test")
	w.private("deep.corp.test", "vpc-1") // a name below is no conflict
	associate := func(zone string, vpc *types.VPC) error {
		in := &client.AssociateVPCWithHostedZoneInput{HostedZoneId: &zone, VPC: vpc}
		_, err := w.AssociateVPCWithHostedZone(ctx, in)
		return err
	}
	disassociate := func(vpc string) error {
		_, err := w.DisassociateVPCFromHostedZone(ctx, &client.DisassociateVPCFromHostedZoneInput{
			HostedZoneId: &private, VPC: inRegion(vpc),
		})
		return err
	}
	create := func(in client.CreateHostedZoneInput) error {
		in.Name, in.CallerReference = new("corp.test"), new("again")
		_, err := w.CreateHostedZone(ctx, &in)
		return err
	}
	conflict := "ConflictingDomainExists: The VPC vpc-1 in region eu-west-1 has already been associated with the " +
		"hosted zone " + private + " with the same domain name."
	for _, c := range []struct {
		err  error
		want string
	}{
		{associate(private, inRegion("vpc-1")), conflict},
		{create(client.CreateHostedZoneInput{VPC: inRegion("vpc-1")}), conflict},
		{associate(private, inRegion("vpc-9")), "InvalidVPCId: The VPC vpc-9 in region eu-west-1 that you provided " +
			"is not authorized to make the association."},
		{associate(private, &types.VPC{VPCId: new("vpc-2"), VPCRegion: "us-east-1"}), "InvalidVPCId: The VPC vpc-2 " +
			"in region us-east-1 that you provided is not authorized to make the association."},
		{associate(public, inRegion("vpc-2")), "PublicZoneVPCAssociation: You're trying to associate a VPC with a " +
			"public hosted zone. Amazon Route 53 doesn't support associating a VPC with a public hosted zone."},
		{associate("Z0", inRegion("vpc-2")), "NoSuchHostedZone: No hosted zone found with ID: Z0"},
		{disassociate("vpc-2"), "VPCAssociationNotFound: The VPC: vpc-2 is not currently associated with hosted zone " +
			private + "."},
		{disassociate("vpc-1"), "LastVPCAssociation: Cannot remove last VPC association for the private zone"},
		{create(client.CreateHostedZoneInput{HostedZoneConfig: &types.HostedZoneConfig{PrivateZone: true}}),
			"InvalidInput: When you're creating a private hosted zone (when you specify true for PrivateZone), you " +
				"must also specify values for VPCId and VPCRegion."},
	} {
		if got := refusal(c.err); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestZonesAreListedByVPCAndKind(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.vpcs("vpc-1", "vpc-2")
	want := []string{w.private("a.test", "vpc-1"), w.private("b.test", "vpc-1")}
	slices.Sort(want)
	w.private("c.test", "vpc-2")
	w.zone("a.test")
	in := &client.ListHostedZonesByVPCInput{VPCId: new("vpc-1"), VPCRegion: "eu-west-1", MaxItems: new(int32(1))}
	var got []string
	for {
		page, err := w.ListHostedZonesByVPC(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, zone := range page.HostedZoneSummaries {
			got = append(got, *zone.HostedZoneId)
			if *zone.Owner.OwningAccount != "000000000000" {
				t.Errorf("owner %+v", zone.Owner)
			}
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	list, err := w.ListHostedZones(ctx, &client.ListHostedZonesInput{
		HostedZoneType: types.HostedZoneTypePrivateHostedZone,
	})
	if err != nil || len(list.HostedZones) != 3 {
		t.Errorf("private zones: %+v, %v", list, err)
	}
	limit, err := w.GetHostedZoneLimit(ctx, &client.GetHostedZoneLimitInput{
		HostedZoneId: &want[0], Type: types.HostedZoneLimitTypeMaxVpcsAssociatedByZone,
	})
	if err != nil || limit.Count != 1 || *limit.Limit.Value != 300 {
		t.Errorf("limit: %+v, %v", limit, err)
	}
}

func TestOtherAccountsVPCsNeedAnAuthorization(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.vpcs("vpc-1", "vpc-2")
	zone := w.private("corp.test", "vpc-1")
	// The zone becomes another account's, which authorizes the VPC of this one.
	edit := func(change func(*store.HostedZone)) {
		t.Helper()
		if err := w.store.Update(func(tx *store.Tx) error {
			store.HostedZones.Edit(tx, zone, change)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	edit(func(z *store.HostedZone) { z.Region = "111122223333/" })
	in := &client.AssociateVPCWithHostedZoneInput{HostedZoneId: &zone, VPC: inRegion("vpc-2")}
	_, err := w.AssociateVPCWithHostedZone(ctx, in)
	if !strings.HasPrefix(refusal(err), "NotAuthorizedException: The VPC: vpc-2 has not authorized") {
		t.Errorf("without an authorization: got %v", err)
	}
	edit(func(z *store.HostedZone) { z.Region = "" })
	authorize := &client.CreateVPCAssociationAuthorizationInput{HostedZoneId: &zone, VPC: inRegion("vpc-2")}
	if _, err := w.CreateVPCAssociationAuthorization(ctx, authorize); err != nil {
		t.Fatal(err)
	}
	list, err := w.ListVPCAssociationAuthorizations(ctx, &client.ListVPCAssociationAuthorizationsInput{
		HostedZoneId: &zone,
	})
	if err != nil || len(list.VPCs) != 1 || *list.VPCs[0].VPCId != "vpc-2" {
		t.Errorf("authorized: %+v, %v", list, err)
	}
	edit(func(z *store.HostedZone) { z.Region = "111122223333/" })
	if _, err := w.AssociateVPCWithHostedZone(ctx, in); err != nil {
		t.Errorf("with an authorization: %v", err)
	}
	edit(func(z *store.HostedZone) { z.Region = "" })
	remove := &client.DeleteVPCAssociationAuthorizationInput{HostedZoneId: &zone, VPC: inRegion("vpc-2")}
	if _, err := w.DeleteVPCAssociationAuthorization(ctx, remove); err != nil {
		t.Error(err)
	}
	_, err = w.DeleteVPCAssociationAuthorization(ctx, remove)
	if !strings.HasPrefix(refusal(err), "VPCAssociationAuthorizationNotFound: ") {
		t.Errorf("twice: got %v", err)
	}
}

func TestZonesShareADelegationSet(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	set, err := w.CreateReusableDelegationSet(ctx, &client.CreateReusableDelegationSetInput{CallerReference: new("a")})
	if err != nil {
		t.Fatal(err)
	}
	id := set.DelegationSet.Id
	create := func(name string) (*client.CreateHostedZoneOutput, error) {
		return w.CreateHostedZone(ctx, &client.CreateHostedZoneInput{
			Name: &name, CallerReference: &name, DelegationSetId: id,
		})
	}
	zone, err := create("a.test")
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.GetReusableDelegationSet(ctx, &client.GetReusableDelegationSetInput{Id: id})
	if err != nil || !slices.Equal(got.DelegationSet.NameServers, zone.DelegationSet.NameServers) ||
		*zone.DelegationSet.Id != *id || !strings.HasPrefix(*id, "/delegationset/N") {
		t.Errorf("got %+v and %+v, %v", got, zone.DelegationSet, err)
	}
	if _, err := create("deep.a.test"); !strings.HasPrefix(refusal(err), "ConflictingDomainExists: ") {
		t.Errorf("a name below: got %v", err)
	}
	list, err := w.ListHostedZones(ctx, &client.ListHostedZonesInput{DelegationSetId: id})
	if err != nil || len(list.HostedZones) != 1 {
		t.Errorf("listed %+v, %v", list, err)
	}
	remove := &client.DeleteReusableDelegationSetInput{Id: id}
	if _, err := w.DeleteReusableDelegationSet(ctx, remove); !strings.HasPrefix(refusal(err), "DelegationSetInUse: ") {
		t.Errorf("in use: got %v", err)
	}
	if _, err := w.DeleteHostedZone(ctx, &client.DeleteHostedZoneInput{Id: zone.HostedZone.Id}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.DeleteReusableDelegationSet(ctx, remove); err != nil {
		t.Error(err)
	}
	sets, err := w.ListReusableDelegationSets(ctx, &client.ListReusableDelegationSetsInput{})
	if err != nil || len(sets.DelegationSets) != 0 {
		t.Errorf("left: %+v, %v", sets, err)
	}
	_, err = w.GetReusableDelegationSet(ctx, &client.GetReusableDelegationSetInput{Id: id})
	if !strings.HasPrefix(refusal(err), "NoSuchDelegationSet: ") {
		t.Errorf("deleted: got %v", err)
	}
}
