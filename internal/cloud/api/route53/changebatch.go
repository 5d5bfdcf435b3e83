package route53

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/hostedzone"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of a change batch (Amazon Route 53 Developer Guide, "Quotas", "Maximums on
// ChangeResourceRecordSets requests"). UPSERT counts twice.
const (
	maxChanged    = 1000
	maxCharacters = 32000
)

// ChangeResourceRecordSets makes all changes of a batch, or none.
func (a *API) ChangeResourceRecordSets(
	ctx context.Context, in *route53.ChangeResourceRecordSetsInput,
) (*route53.ChangeResourceRecordSetsOutput, error) {
	changes, err := parseChanges(in.ChangeBatch)
	if err != nil {
		return nil, err
	}
	out := &route53.ChangeResourceRecordSetsOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		zone, err := findZone(ctx, tx, in.HostedZoneId)
		if err != nil {
			return err
		}
		b := &batch{tx: tx, zone: zone}
		for _, c := range changes {
			b.check(c)
		}
		if len(b.problems) == 0 {
			b.apply(changes)
		}
		if len(b.problems) > 0 {
			return invalidBatch(b.problems...)
		}
		out.ChangeInfo = a.recordChange(ctx, tx, aws.ToString(in.ChangeBatch.Comment))
		return nil
	})
}

// invalidBatch returns the error for a batch whose changes cannot be made.
func invalidBatch(problems ...string) error {
	return &wire.Error{
		Code: "InvalidChangeBatch", Message: "[" + strings.Join(problems, ", ") + "]", Status: http.StatusBadRequest,
	}
}

// change is a change of a record set.
type change struct {
	action types.ChangeAction
	given  string // the name as the client wrote it
	set    *store.RecordSet
}

// parseChanges validates what can be validated without the zone.
func parseChanges(in *types.ChangeBatch) ([]change, error) {
	switch {
	case in == nil:
		return nil, model.Null("changeBatch")
	case len(in.Changes) == 0:
		return nil, model.RefuseWithoutValue("changeBatch.changes", "have length greater than or equal to 1")
	case utf8.RuneCountInString(aws.ToString(in.Comment)) > maxComment:
		return nil, model.TooLong("changeBatch.comment", maxComment)
	}
	var out []change
	records, characters := 0, 0
	for i := range in.Changes {
		c, err := parseChange(&in.Changes[i])
		if err != nil {
			return nil, err
		}
		weight := 1
		if c.action == types.ChangeActionUpsert {
			weight = 2
		}
		records += weight * max(1, len(c.set.Values))
		for _, value := range c.set.Values {
			characters += weight * utf8.RuneCountInString(value)
		}
		out = append(out, c)
	}
	switch {
	case records > maxChanged:
		return nil, invalidBatch(fmt.Sprintf("Number of records limit of %d exceeded.", maxChanged))
	case characters > maxCharacters:
		return nil, invalidBatch(fmt.Sprintf("Number of characters limit of %d exceeded.", maxCharacters))
	}
	return out, nil
}

func parseChange(in *types.Change) (change, error) {
	set := in.ResourceRecordSet
	switch {
	case in.Action == "":
		return change{}, model.Null("changeBatch.changes.member.action")
	case !slices.Contains(in.Action.Values(), in.Action):
		return change{}, model.OutOfSet("changeBatch.changes.member.action", in.Action, "CREATE", "DELETE", "UPSERT")
	case set == nil:
		return change{}, model.Null("changeBatch.changes.member.resourceRecordSet")
	case set.Name == nil:
		return change{}, model.Null("changeBatch.changes.member.resourceRecordSet.name")
	case set.Type == "":
		return change{}, model.Null("changeBatch.changes.member.resourceRecordSet.type")
	}
	if err := checkParameters(set); err != nil {
		return change{}, err
	}
	if err := checkShape(in); err != nil {
		return change{}, err
	}
	routing, err := parseRouting(in)
	if err != nil {
		return change{}, err
	}
	row := &store.RecordSet{Type: string(set.Type), TTL: aws.ToInt64(set.TTL), Routing: routing}
	for _, r := range set.ResourceRecords {
		row.Values = append(row.Values, aws.ToString(r.Value))
	}
	name, err := hostedzone.ParseName(*set.Name)
	if err != nil {
		return change{}, invalidBatch(invalidRecord(err, *set.Name))
	}
	row.Name = name
	if alias := set.AliasTarget; alias != nil {
		target, err := hostedzone.ParseName(aws.ToString(alias.DNSName))
		if err != nil {
			return change{}, invalidBatch(invalidRecord(err, aws.ToString(alias.DNSName)))
		}
		row.Alias = &store.RecordAlias{
			ZoneID: aws.ToString(alias.HostedZoneId), Name: target, EvaluateHealth: alias.EvaluateTargetHealth,
		}
	}
	return change{action: in.Action, given: *set.Name, set: row}, nil
}

// checkParameters refuses what the local cloud does not implement, by name.
func checkParameters(set *types.ResourceRecordSet) error {
	for name, given := range map[string]bool{
		"GeoLocation": set.GeoLocation != nil, "GeoProximityLocation": set.GeoProximityLocation != nil,
		"CidrRoutingConfig": set.CidrRoutingConfig != nil,
	} {
		if given {
			return wire.NotImplemented("routing by location (%s)", name)
		}
	}
	switch {
	case set.HealthCheckId != nil:
		return wire.NotImplemented("health checks (HealthCheckId)")
	case set.TrafficPolicyInstanceId != nil:
		return wire.NotImplemented("traffic policies (TrafficPolicyInstanceId)")
	case !slices.Contains(set.Type.Values(), set.Type):
		return model.Refuse("changeBatch.changes.member.resourceRecordSet.type", set.Type,
			"satisfy enum value set: %v", set.Type.Values())
	case !hostedzone.HasType(string(set.Type)):
		return wire.NotImplemented("records of type %s", set.Type)
	}
	return nil
}

// where describes a change in an error.
func where(in *types.Change) string {
	set := in.ResourceRecordSet
	identifier := "null"
	if set.SetIdentifier != nil {
		identifier = *set.SetIdentifier
	}
	return fmt.Sprintf("Change with [Action=%s, Name=%s, Type=%s, SetIdentifier=%s]",
		in.Action, *set.Name, set.Type, identifier)
}

// maxTTL is the greatest TTL in seconds (Amazon Route 53 API Reference,
// ResourceRecordSet).
const maxTTL = 2147483647

// checkShape refuses a record set that is neither an alias nor has TTL and values.
func checkShape(in *types.Change) error {
	set := in.ResourceRecordSet
	where := where(in)
	const exactlyOne = "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], " +
		"or TrafficPolicyInstanceId], but found "
	ttl, records := set.TTL != nil, len(set.ResourceRecords) > 0
	switch {
	case set.AliasTarget != nil && (ttl || records):
		return model.Errorf(exactlyOne+"more than one in %s", where)
	case set.AliasTarget != nil && set.AliasTarget.HostedZoneId == nil:
		return model.Null("changeBatch.changes.member.resourceRecordSet.aliasTarget.hostedZoneId")
	case set.AliasTarget != nil:
		return nil
	case !ttl && !records:
		return model.Errorf(exactlyOne+"none in %s", where)
	case !ttl:
		return model.Errorf("Invalid request: Missing field 'TTL' in %s", where)
	case !records:
		return model.Errorf("Invalid request: Missing field 'ResourceRecords' in %s", where)
	case *set.TTL < 0 || *set.TTL > maxTTL:
		return model.OutOfRange("changeBatch.changes.member.resourceRecordSet.tTL", *set.TTL, 0, maxTTL)
	}
	return nil
}

// batch is a batch of changes of a zone in a transaction.
type batch struct {
	tx       *store.Tx
	zone     *store.HostedZone
	problems []string
}

func (b *batch) refuse(format string, args ...any) {
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

// check validates one change against the zone, and completes its record set.
func (b *batch) check(c change) {
	set := c.set
	set.ZoneID = b.zone.ID
	if !hostedzone.Covers(b.zone.Name, set.Name) {
		b.refuse("RRSet with DNS name %s is not permitted in zone %s", set.Name, b.zone.Name)
		return
	}
	if set.Type == "CNAME" && set.Name == b.zone.Name {
		b.refuse("RRSet of type CNAME with DNS name %s is not permitted at apex in zone %s", set.Name, b.zone.Name)
	}
	if set.Alias != nil {
		return
	}
	for i, value := range set.Values {
		if slices.Contains(set.Values[:i], value) {
			b.refuse("Duplicate Resource Record: '%s'", value)
		}
		if _, err := hostedzone.ZoneFileValue(set.Type, value); err != nil {
			b.refuse("%s", invalidRecord(err, value))
		}
	}
	if len(set.Values) > 1 && (set.Type == "CNAME" || set.Type == "SOA") {
		b.refuse("The RRSet of type %s with DNS name %s must have exactly one value", set.Type, set.Name)
	}
}

// invalidRecord returns the message for a value that its type does not allow.
func invalidRecord(err error, value string) string {
	return fmt.Sprintf("Invalid Resource Record: 'FATAL problem: %v encountered with '%s''", err, value)
}

// apply makes the changes in the transaction, which the caller undoes if there are
// problems. Deletions come first: a batch may replace a record set by one of another type.
func (b *batch) apply(changes []change) {
	seen := map[string]bool{}
	for _, c := range changes {
		key := string(c.action) + c.set.Key()
		if seen[key] || c.action != types.ChangeActionDelete && seen[string(types.ChangeActionUpsert)+c.set.Key()] {
			b.refuse("The request contains an invalid set of changes for a resource record set '%s %s'",
				c.set.Type, c.set.Name)
		}
		seen[key] = true
		if c.action == types.ChangeActionDelete {
			b.remove(c.set)
		}
	}
	for _, c := range changes {
		if c.action != types.ChangeActionDelete {
			b.put(c)
		}
	}
	for _, c := range changes {
		if c.action != types.ChangeActionDelete {
			b.checkNeighbours(c.set)
			b.checkRouting(c.set)
			b.checkAlias(c.set)
		}
	}
	b.checkApex()
	if len(store.RecordSetsByZone.List(b.tx, b.zone.ID)) > maxRecordSets {
		b.refuse("Number of records limit of %d of the hosted zone exceeded.", maxRecordSets)
	}
}

func (b *batch) remove(set *store.RecordSet) {
	what := "Tried to delete resource record set " + identified(set)
	old, ok := store.RecordSets.Get(b.tx, set.Key())
	switch {
	case !ok:
		b.refuse("%s but it was not found", what)
	case !sameRecords(old, set):
		b.refuse("%s but the values provided do not match the current values", what)
	default:
		store.RecordSets.Delete(b.tx, set.Key())
	}
}

// sameRecords reports whether two record sets agree. The order of values has no meaning.
func sameRecords(a, b *store.RecordSet) bool {
	if a.Routing != b.Routing {
		return false
	}
	if a.Alias != nil && b.Alias != nil {
		return *a.Alias == *b.Alias
	}
	return a.Alias == nil && b.Alias == nil && a.TTL == b.TTL &&
		slices.Equal(slices.Sorted(slices.Values(a.Values)), slices.Sorted(slices.Values(b.Values)))
}

// identified returns what tells a record set from others, for errors.
func identified(set *store.RecordSet) string {
	if id := set.Routing.SetIdentifier; id != "" {
		return fmt.Sprintf("[name='%s', type='%s', set identifier='%s']", set.Name, set.Type, id)
	}
	return fmt.Sprintf("[name='%s', type='%s']", set.Name, set.Type)
}

func (b *batch) put(c change) {
	if _, exists := store.RecordSets.Get(b.tx, c.set.Key()); exists && c.action == types.ChangeActionCreate {
		b.refuse("Tried to create resource record set %s but it already exists", identified(c.set))
		return
	}
	store.RecordSets.Put(b.tx, c.set)
}

// checkNeighbours refuses a CNAME beside records of other types (RFC 1034, section
// 3.6.2).
func (b *batch) checkNeighbours(set *store.RecordSet) {
	for _, other := range store.RecordSetsByZone.List(b.tx, b.zone.ID) {
		switch {
		case other.Name != set.Name || other.Type == set.Type:
		case set.Type == "CNAME":
			b.refuse("RRSet of type CNAME with DNS name %s is not permitted as it conflicts with other records with "+
				"the same DNS name in zone %s", set.Name, b.zone.Name)
			return
		case other.Type == "CNAME":
			b.refuse("RRSet of type %s with DNS name %s is not permitted because a conflicting RRSet of type CNAME "+
				"with the same DNS name already exists in zone %s", set.Type, set.Name, b.zone.Name)
			return
		}
	}
}

// checkAlias refuses an alias whose target does not exist.
func (b *batch) checkAlias(set *store.RecordSet) {
	alias := set.Alias
	if alias == nil {
		return
	}
	problem := fmt.Sprintf("Tried to create an alias that targets %s, type %s in zone %s, but ",
		alias.Name, set.Type, alias.ZoneID)
	if alias.ZoneID == b.zone.ID {
		target := hostedzone.LookupIn(b.tx, b.zone, alias.Name, set.Type)
		if !hostedzone.Covers(b.zone.Name, alias.Name) {
			b.refuse("%sthe alias target name does not lie within the target zone", problem)
		} else if len(target.Records) == 0 || target.Records[0].Type != set.Type {
			b.refuse("%sthat target was not found", problem)
		}
		return
	}
	switch known := hostedzone.LoadBalancer(b.tx, alias.Name) != nil || isEndpoint(b.tx, alias.Name); {
	case !known:
		b.refuse("%sthe alias target name was not found", problem)
	case set.Type != "A" && set.Type != "AAAA":
		b.refuse("%sload balancers and endpoints have no records of this type", problem)
	}
}

// isEndpoint reports whether a name is that of an interface endpoint, everywhere or in a zone.
func isEndpoint(r store.Reader, name string) bool {
	host := strings.TrimSuffix(name, ".")
	return slices.ContainsFunc(store.VPCEndpoints.List(r), func(row *store.VPCEndpoint) bool {
		return row.DNSName != "" && (host == row.DNSName ||
			slices.ContainsFunc(row.InterfaceIDs, func(id string) bool {
				eni, ok := store.NetworkInterfaces.Get(r, id)
				return ok && host == dnsname.EndpointInZone(row.DNSName, eni.Zone)
			}))
	})
}

// checkApex refuses a zone without its own NS and SOA.
func (b *batch) checkApex() {
	for kind, problem := range map[string]string{
		"SOA": "A HostedZone must contain exactly one SOA record.",
		"NS":  "A HostedZone must contain at least one NS record for the zone itself.",
	} {
		if _, ok := store.RecordSets.Get(b.tx, store.RecordSetKey(b.zone.ID, b.zone.Name, kind)); !ok {
			b.refuse("%s", problem)
		}
	}
}
