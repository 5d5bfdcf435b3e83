package authorization

import (
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

var zoneOperations = operations{
	"CreateHostedZone":         {},
	"ListHostedZones":          {},
	"ListHostedZonesByName":    {},
	"GetHostedZoneCount":       {},
	"GetHostedZone":            onNew("Id", zone),
	"GetDNSSEC":                onNew("HostedZoneId", zone),
	"DeleteHostedZone":         onNew("Id", zone),
	"UpdateHostedZoneComment":  onNew("Id", zone),
	"ChangeResourceRecordSets": onNew("HostedZoneId", zone),
	"ListResourceRecordSets":   onNew("HostedZoneId", zone),
	"GetChange":                onNew("Id", recordChange),
	"ChangeTagsForResource":    onNew("ResourceId", zone),
	"ListTagsForResource":      onNew("ResourceId", zone),
	"ListTagsForResources":     onNew("ResourceIds", zone),

	"AssociateVPCWithHostedZone":        onNew("HostedZoneId", zone),
	"DisassociateVPCFromHostedZone":     onNew("HostedZoneId", zone),
	"CreateVPCAssociationAuthorization": onNew("HostedZoneId", zone),
	"DeleteVPCAssociationAuthorization": onNew("HostedZoneId", zone),
	"ListVPCAssociationAuthorizations":  onNew("HostedZoneId", zone),
	"ListHostedZonesByVPC":              {},

	"ListTrafficPolicyInstancesByHostedZone": onNew("HostedZoneId", zone),

	"GetHostedZoneLimit":            onNew("HostedZoneId", zone),
	"GetAccountLimit":               {},
	"TestDNSAnswer":                 {},
	"ListHealthChecks":              {},
	"GetHealthCheckCount":           {},
	"ListTrafficPolicies":           {},
	"ListTrafficPolicyInstances":    {},
	"GetTrafficPolicyInstanceCount": {},
	"ListCidrCollections":           {},
	"ListQueryLoggingConfigs":       {},

	"CreateReusableDelegationSet":   {},
	"ListReusableDelegationSets":    {},
	"GetReusableDelegationSet":      onNew("Id", delegationSet),
	"DeleteReusableDelegationSet":   onNew("Id", delegationSet),
	"GetReusableDelegationSetLimit": onNew("DelegationSetId", delegationSet),
}

func zone(s *subject, id string) []target {
	id = strings.TrimPrefix(strings.TrimPrefix(id, "/"), "hostedzone/")
	t := target{arn: "arn:aws:route53:::hostedzone/" + id}
	if row, ok := store.HostedZones.Get(s, id); ok {
		t.tags = row.Tags
	}
	return []target{t}
}

func delegationSet(_ *subject, id string) []target {
	id = strings.TrimPrefix(strings.TrimPrefix(id, "/"), "delegationset/")
	return []target{{arn: "arn:aws:route53:::delegationset/" + id}}
}

func recordChange(_ *subject, id string) []target {
	return []target{{arn: "arn:aws:route53:::change/" + strings.TrimPrefix(strings.TrimPrefix(id, "/"), "change/")}}
}
