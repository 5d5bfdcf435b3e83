package route53

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/cloud/hostedzone"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of the model (Amazon Route 53 API Reference, CreateHostedZone).
const (
	maxReference = 128
	maxComment   = 256
)

// The records of a new zone (Amazon Route 53 Developer Guide, "NS and SOA records that
// Amazon Route 53 creates for a public hosted zone").
const (
	soaTTL, nsTTL = 900, 172800
	soaRest       = " awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
)

// CreateHostedZone creates a public zone, or one that is private to a VPC, with its NS and SOA records.
func (a *API) CreateHostedZone(
	ctx context.Context, in *route53.CreateHostedZoneInput,
) (*route53.CreateHostedZoneOutput, error) {
	zone, err := a.newZone(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &route53.CreateHostedZoneOutput{}
	err = a.Store.Update(func(tx *store.Tx) error {
		for _, old := range store.HostedZones.InRegion(tx, wire.GlobalFrom(ctx)) {
			if old.CallerReference == zone.CallerReference {
				return &wire.Error{
					Code:    "HostedZoneAlreadyExists",
					Message: "A hosted zone has already been created with the specified caller reference.",
					Status:  http.StatusConflict,
				}
			}
		}
		if err := completeZone(ctx, tx, zone, in); err != nil {
			return err
		}
		store.HostedZones.Put(tx, zone)
		store.RecordSets.Put(tx, &store.RecordSet{
			ZoneID: zone.ID, Name: zone.Name, Type: "NS", TTL: nsTTL, Values: zone.NameServers,
		})
		store.RecordSets.Put(tx, &store.RecordSet{
			ZoneID: zone.ID, Name: zone.Name, Type: "SOA", TTL: soaTTL, Values: []string{zone.NameServers[0] + soaRest},
		})
		out.ChangeInfo = a.recordChange(ctx, tx, "")
		out.HostedZone, out.DelegationSet = describeZone(tx, zone), delegation(zone)
		if zone.Private {
			out.VPC = in.VPC
		}
		return nil
	})
	out.Location = aws.String("https://route53.amazonaws.com/2013-04-01/hostedzone/" + zone.ID)
	return out, err
}

// newZone returns the zone that a request describes.
func (a *API) newZone(ctx context.Context, in *route53.CreateHostedZoneInput) (*store.HostedZone, error) {
	comment, private := "", in.VPC != nil
	if c := in.HostedZoneConfig; c != nil {
		comment, private = aws.ToString(c.Comment), private || c.PrivateZone
	}
	switch n := utf8.RuneCountInString(aws.ToString(in.CallerReference)); {
	case in.Name == nil:
		return nil, model.Null("name")
	case in.CallerReference == nil:
		return nil, model.Null("callerReference")
	case n == 0:
		return nil, model.Empty("callerReference")
	case n > maxReference:
		return nil, model.TooLong("callerReference", maxReference)
	case utf8.RuneCountInString(comment) > maxComment:
		return nil, model.TooLong("hostedZoneConfig.comment", maxComment)
	case private && in.VPC == nil:
		return nil, model.Errorf("When you're creating a private hosted zone (when you specify true for PrivateZone)," +
			" you must also specify values for VPCId and VPCRegion.")
	case private && in.DelegationSetId != nil:
		return nil, model.Errorf("A private hosted zone cannot have a reusable delegation set.")
	}
	name, err := hostedzone.ParseName(*in.Name)
	if err != nil {
		return nil, wire.Errorf("InvalidDomainName", "%v", err)
	}
	zone := &store.HostedZone{
		Region: wire.GlobalFrom(ctx),
		ID:     a.ids.UniqueID("Z"), Name: name, CallerReference: *in.CallerReference, Comment: comment,
		Created: a.Now().UTC(), Private: private, NameServers: privateServers,
	}
	if !private {
		zone.NameServers = a.newServers()
	}
	return zone, nil
}

// privateServers are the name servers of private zones. They are not reachable (as AWS lists them in the zones'
// NS records).
var privateServers = []string{
	"ns-1536.awsdns-00.co.uk.", "ns-0.awsdns-00.com.", "ns-1024.awsdns-00.org.", "ns-512.awsdns-00.net.",
}

// newServers returns the names of four name servers.
func (a *API) newServers() (servers []string) {
	for _, domain := range []string{"com", "net", "org", "co.uk"} {
		server := fmt.Sprintf("ns-%d.awsdns-%02d.%s.", a.ids.Number(2048), a.ids.Number(64), domain)
		servers = append(servers, server)
	}
	return servers
}

// completeZone gives a zone what other rows decide: the VPC of a private one, and the name servers of one with a
// delegation set.
func completeZone(ctx context.Context, tx *store.Tx, zone *store.HostedZone, in *route53.CreateHostedZoneInput) error {
	if len(store.HostedZones.InRegion(tx, zone.Region)) >= maxOwnZones {
		return wire.Errorf("TooManyHostedZones", "The account cannot have more than %d hosted zones.", maxOwnZones)
	}
	if zone.Private {
		vpc, err := ownVPC(ctx, tx, in.VPC)
		if err != nil {
			return err
		}
		return associate(tx, zone, vpc)
	}
	if in.DelegationSetId == nil {
		return nil
	}
	set, err := findDelegationSet(ctx, tx, in.DelegationSetId)
	if err != nil {
		return err
	}
	if zonesOf(tx, set) >= maxSetZones {
		return wire.Errorf("LimitsExceeded", "The delegation set %s cannot have more than %d hosted zones.",
			set.ID, maxSetZones)
	}
	for _, other := range store.HostedZones.InRegion(tx, zone.Region) {
		if other.DelegationSetID == set.ID &&
			(hostedzone.Covers(other.Name, zone.Name) || hostedzone.Covers(zone.Name, other.Name)) {
			return wire.Errorf("ConflictingDomainExists", "Cannot create hosted zone with DelegationSetId %s as the "+
				"DNSName %s conflicts with existing ones sharing the delegation set", set.ID, zone.Name)
		}
	}
	zone.DelegationSetID, zone.NameServers = set.ID, set.NameServers
	return nil
}

func describeZone(r store.Reader, zone *store.HostedZone) *types.HostedZone {
	out := &types.HostedZone{
		Id: aws.String("/hostedzone/" + zone.ID), Name: aws.String(zone.Name),
		CallerReference:        aws.String(zone.CallerReference),
		Config:                 &types.HostedZoneConfig{PrivateZone: zone.Private},
		ResourceRecordSetCount: aws.Int64(int64(len(store.RecordSetsByZone.List(r, zone.ID)))),
	}
	if zone.Comment != "" {
		out.Config.Comment = aws.String(zone.Comment)
	}
	return out
}

// delegation returns the name servers of a public zone.
func delegation(zone *store.HostedZone) *types.DelegationSet {
	if zone.Private {
		return nil
	}
	out := describeServers(zone.NameServers)
	if zone.DelegationSetID != "" {
		out.Id = aws.String(setPrefix + zone.DelegationSetID)
	}
	return out
}

// GetHostedZone returns a zone, and its name servers or its VPCs.
func (a *API) GetHostedZone(
	ctx context.Context, in *route53.GetHostedZoneInput,
) (*route53.GetHostedZoneOutput, error) {
	view := a.Store.Read(ctx)
	zone, err := findZone(ctx, view, in.Id)
	if err != nil {
		return nil, err
	}
	return &route53.GetHostedZoneOutput{
		HostedZone: describeZone(view, zone), DelegationSet: delegation(zone), VPCs: describeVPCs(zone.VPCs),
	}, nil
}

// GetDNSSEC reports that a zone is not signed: none is. Clients ask before they delete a zone.
func (a *API) GetDNSSEC(ctx context.Context, in *route53.GetDNSSECInput) (*route53.GetDNSSECOutput, error) {
	if _, err := findZone(ctx, a.Store.Read(ctx), in.HostedZoneId); err != nil {
		return nil, err
	}
	return &route53.GetDNSSECOutput{
		Status: &types.DNSSECStatus{ServeSignature: aws.String("NOT_SIGNING")}, KeySigningKeys: []types.KeySigningKey{},
	}, nil
}

// GetHostedZoneCount returns the number of zones.
func (a *API) GetHostedZoneCount(
	ctx context.Context, _ *route53.GetHostedZoneCountInput,
) (*route53.GetHostedZoneCountOutput, error) {
	n := int64(len(store.HostedZones.InRegion(a.Store.Read(ctx), wire.GlobalFrom(ctx))))
	return &route53.GetHostedZoneCountOutput{HostedZoneCount: &n}, nil
}

// UpdateHostedZoneComment replaces the comment of a zone.
func (a *API) UpdateHostedZoneComment(
	ctx context.Context, in *route53.UpdateHostedZoneCommentInput,
) (*route53.UpdateHostedZoneCommentOutput, error) {
	comment, out := aws.ToString(in.Comment), &route53.UpdateHostedZoneCommentOutput{}
	if utf8.RuneCountInString(comment) > maxComment {
		return nil, model.TooLong("comment", maxComment)
	}
	return out, a.Store.Update(func(tx *store.Tx) error {
		zone, err := findZone(ctx, tx, in.Id)
		if err != nil {
			return err
		}
		edited := *zone
		edited.Comment = comment
		store.HostedZones.Put(tx, &edited)
		out.HostedZone = describeZone(tx, &edited)
		return nil
	})
}

// DeleteHostedZone deletes a zone that has no records besides its own NS and SOA.
func (a *API) DeleteHostedZone(
	ctx context.Context, in *route53.DeleteHostedZoneInput,
) (*route53.DeleteHostedZoneOutput, error) {
	out := &route53.DeleteHostedZoneOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		zone, err := findZone(ctx, tx, in.Id)
		if err != nil {
			return err
		}
		sets := store.RecordSetsByZone.List(tx, zone.ID)
		for _, set := range sets {
			if !required(zone, set) {
				return wire.Errorf("HostedZoneNotEmpty",
					"The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
			}
		}
		for _, set := range sets {
			store.RecordSets.Delete(tx, set.Key())
		}
		store.HostedZones.Delete(tx, zone.ID)
		out.ChangeInfo = a.recordChange(ctx, tx, "")
		return nil
	})
}

// required reports whether each zone must have the record set.
func required(zone *store.HostedZone, set *store.RecordSet) bool {
	return set.Name == zone.Name && (set.Type == "NS" || set.Type == "SOA")
}

// byName orders zones as ListHostedZonesByName does.
func byName(a, b *store.HostedZone) int {
	return cmp.Or(cmp.Compare(store.ReversedName(a.Name), store.ReversedName(b.Name)), cmp.Compare(a.ID, b.ID))
}
