//go:build linux

package client

import (
	"go/types"
	"reflect"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/instancetype"
)

// harmless holds parameters that change nothing, with the reason. A name that other types have too
// follows that of its type. An asterisk stands for all others of a type.
var harmless = map[string]string{
	"AdvertiseTrustStoreCaNames":            "listeners that verify clients are refused",
	"AllAvailabilityZones":                  "every zone is available without opting in",
	"AllRegions":                            "every region is available without opting in",
	"BucketKeyEnabled":                      "there are no KMS keys that it would save calls of",
	"ConfirmRemoveSelfBucketAccess":         "the account's own key keeps its access",
	"DescribeAnomalyDetectorsInput.*":       "there are no anomaly detectors",
	"DescribeDestinationsInput.*":           "the answer is empty",
	"DescribeExportTasksInput.*":            "the answer is empty",
	"DescribeFpgaImagesInput.*":             "the answer is empty",
	"DescribePrincipalIdFormatInput.*":      "the answer is empty",
	"DescribeScheduledInstancesInput.*":     "the answer is empty",
	"DescribeSpotPriceHistoryInput.*":       "the answer is empty",
	"DescribeSubscriptionFiltersInput.*":    "the answer is empty",
	"DescribeVerifiedAccessGroupsInput.*":   "the answer is empty",
	"DescribeVpcEncryptionControlsInput.*":  "the answer is empty",
	"DetachNetworkInterfaceInput.Force":     "a detachment does not wait for the operating system",
	"Entity.Attributes":                     "the answer says that no entity is accepted",
	"Entity.KeyAttributes":                  "the answer says that no entity is accepted",
	"ForceOverwriteReplicaSecret":           "secrets have no replicas",
	"GetObjectAttributesInput.MaxParts":     "the parts of an object are not listed",
	"IgnoreClientCertificateExpiry":         "listeners that verify clients are refused",
	"IncludeManagedResources":               "no service hides what it manages",
	"IncludeUnsupportedInRegion":            "every type is offered in every region",
	"Interleaved":                           "AWS ignores it too",
	"JwtValidationConfig":                   "actions of the type that it is for are refused",
	"LabelOptions":                          "labels have no times",
	"LocalStorageTypes":                     "no type has storage of its own",
	"MessageGroupId":                        "topics have no queues",
	"OptionalObjectAttributes":              "no object is restored from an archive",
	"OutputS3Region":                        "AWS ignores it too",
	"Owner.DisplayName":                     "the ID names the owner",
	"PresignedUrl":                          "a snapshot is copied without a URL for its region",
	"RequestPayer":                          "no bucket lets requesters pay",
	"RotateSecretInput.*":                   "no secret rotates",
	"SequenceToken":                         "AWS ignores it too",
	"SkipZonalShiftValidation":              "no load balancer is validated for zonal shift",
	"SpotMaxPrice":                          "read from the stored policy",
	"SpotMaxPricePercentageOverLowestPrice": "there is Spot capacity at any price",
	"StrictEntityValidation":                "metrics have no entities",
	"TrustStoreArn":                         "listeners that verify clients are refused",
	"TrustStoreAssociationStatus":           "listeners that verify clients are refused",
	"Unmask":                                "nothing is masked",

	"DeleteDocumentInput.Force":                                         "documents of other types need it",
	"DescribeDocumentPermissionInput.MaxResults":                        "documents are not shared",
	"DescribeDocumentPermissionInput.NextToken":                         "documents are not shared",
	"ListServiceSpecificCredentialsInput.AllUsers":                      "the answer is empty",
	"ListServiceSpecificCredentialsInput.ServiceName":                   "the answer is empty",
	"PutObjectLockConfigurationInput.Token":                             "AWS's support once gave tokens",
	"DescribeHostReservationOfferingsInput.*":                           "the answer is empty",
	"DescribeNetworkInsightsAnalysesInput.*":                            "the answer is empty",
	"DescribeReservedInstancesListingsInput.*":                          "the answer is empty",
	"DescribeReservedInstancesOfferingsInput.*":                         "the answer is empty",
	"DescribeVerifiedAccessEndpointsInput.*":                            "the answer is empty",
	"GetObjectAttributesInput.PartNumberMarker":                         "the parts of an object are not listed",
	"ListBucketAnalyticsConfigurationsInput.ContinuationToken":          "the list is empty",
	"ListBucketIntelligentTieringConfigurationsInput.ContinuationToken": "the list is empty",
	"ListBucketInventoryConfigurationsInput.ContinuationToken":          "the list is empty",
	"ListBucketMetricsConfigurationsInput.ContinuationToken":            "the list is empty",
	"MaxSpotPriceAsPercentageOfOptimalOnDemandPrice":                    "there is Spot capacity at any price",

	"ListTrafficPoliciesInput.TrafficPolicyIdMarker":                  "the list is empty",
	"ListTrafficPolicyInstancesInput.HostedZoneIdMarker":              "the list is empty",
	"ListTrafficPolicyInstancesInput.TrafficPolicyInstanceNameMarker": "the list is empty",
	"ListTrafficPolicyInstancesInput.TrafficPolicyInstanceTypeMarker": "the list is empty",

	"ListTrafficPolicyInstancesByHostedZoneInput.TrafficPolicyInstanceNameMarker": "the list is empty",
	"ListTrafficPolicyInstancesByHostedZoneInput.TrafficPolicyInstanceTypeMarker": "the list is empty",
}

// fromRows are fields that the local cloud reads from rows, where the API keeps the JSON of the
// structures that have them.
var fromRows = []string{"Metric.Dimensions", "TargetTrackingMetricStat.Unit"}

// decodedAs are structures whose JSON other packages decode as theirs, with fields of the same names.
var decodedAs = map[string]reflect.Type{
	"InstanceRequirements":        reflect.TypeFor[instancetype.Requirements](),
	"InstanceRequirementsRequest": reflect.TypeFor[instancetype.Requirements](),
}

// kept are structures that operations keep, and return to those who ask, with all that is below. What
// no launch supports is refused by launches, not by templates.
var kept = []string{"RequestLaunchTemplateData"}

// inBodies are the parameters of S3 that package wire or the content of a request carries out.
var inBodies = []string{
	"ChecksumAlgorithm", "ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumSHA256",
	"ContentLength", "ContentMD5",
}

// parameters are those of an operation, by what it does with them.
type parameters struct {
	honoured map[string]bool // and whether some values are refused
	refused  []string        // paths
	ignored  []string        // paths
}

// of returns the parameters of an operation. name returns AWS's name of a field of a type.
func (u *usage) of(operation string, name func(typeName, field string) string) parameters {
	out := parameters{honoured: map[string]bool{}}
	method, _, _ := types.LookupFieldOrMethod(types.NewPointer(u.pkg.Types.Scope().Lookup("API").Type()), true,
		u.pkg.Types, operation)
	input := structure(method.Type().(*types.Signature).Params().At(1).Type())
	if input == nil {
		return out // the SDK has no such operation
	}
	w := walk{usage: u, name: name, out: &out}
	w.fields(input, "", "", u.only[input.Obj()])
	for _, field := range []*[]string{&out.refused, &out.ignored} {
		slices.Sort(*field)
		*field = slices.Compact(*field)
	}
	return out
}

// walk goes through the fields of an input and below.
type walk struct {
	*usage
	name   func(typeName, field string) string
	within []*types.Named
	out    *parameters
}

// fields sorts the fields of a structure into those honoured, refused and ignored. shown is
// AWS's path of the structure, path is that of Go's names from the structure that supportOnly
// gets, and only are supportOnly's paths; none: it was not called.
func (w *walk) fields(of *types.Named, shown, path string, only []string) {
	if slices.Contains(w.within, of) {
		return
	}
	w.within = append(w.within, of)
	defer func() { w.within = w.within[:len(w.within)-1] }()
	fields := of.Underlying().(*types.Struct)
	for i := range fields.NumFields() {
		field := fields.Field(i)
		if field.Exported() {
			w.field(
				of, field, strings.TrimPrefix(shown+"."+w.name(of.Obj().Name(), field.Name()), "."),
				strings.TrimPrefix(path+"."+field.Name(), "."), only,
			)
		}
	}
}

// field sorts one field, and what is below it.
func (w *walk) field(of *types.Named, field *types.Var, shown, path string, only []string) {
	values := w.values(path, only)
	switch {
	case values != "":
		w.out.refused = append(w.out.refused, shown+" (but "+values+")")
	case w.isRefused(of, field, path, only):
		w.out.refused = append(w.out.refused, shown)
	case w.checked[of.Obj()] && !w.read[field] && slices.Contains(w.partly, field.Name()):
		w.out.honoured[shown] = true
	case w.isRead(of, field):
		if len(w.within) == 1 {
			w.out.honoured[shown] = w.refused[field]
		}
		w.below(field, shown, path, only)
	case reachBelow(path, only):
		w.below(field, shown, path, only)
	default:
		name := of.Obj().Name() + "." + field.Name()
		all := of.Obj().Name() + ".*"
		if harmless[name] == "" && harmless[field.Name()] == "" && harmless[all] == "" {
			w.out.ignored = append(w.out.ignored, name)
		}
		w.unread[name], w.unread[field.Name()], w.unread[all] = true, true, true
	}
}

// isRefused reports whether every value of a field is refused.
func (w *walk) isRefused(of *types.Named, field *types.Var, path string, only []string) bool {
	if only != nil && !slices.Contains(only, path) && !reachBelow(path, only) &&
		!slices.ContainsFunc(only, func(p string) bool { return p != "" && strings.HasPrefix(path, p+".") }) {
		return true
	}
	union := types.IsInterface(field.Type()) // package wire refuses them
	return !w.read[field] && (union || w.refused[field] ||
		w.checked[of.Obj()] && slices.Contains(w.lacking, field.Name()))
}

// reachBelow reports whether paths lead to fields below one.
func reachBelow(path string, only []string) bool {
	return slices.ContainsFunc(only, func(p string) bool { return strings.HasPrefix(p, path+".") })
}

// values returns the only values of a field that paths of supportOnly have, or "".
func (w *walk) values(path string, only []string) string {
	var all []string
	for _, p := range only {
		if value, ok := strings.CutPrefix(p, path+"="); ok {
			all = append(all, value)
		}
	}
	return strings.Join(all, ", ")
}

// isRead reports whether something reads a field in order to do what it says.
func (w *walk) isRead(of *types.Named, field *types.Var) bool {
	if decoded, ok := decodedAs[of.Obj().Name()]; ok {
		if _, ok := decoded.FieldByName(field.Name()); ok {
			return true
		}
	} else if slices.ContainsFunc(w.within, func(t *types.Named) bool { return decodedAs[t.Obj().Name()] != nil }) {
		return true
	}
	return w.read[field] || slices.Contains(inBodies, field.Name()) ||
		slices.Contains(fromRows, of.Obj().Name()+"."+field.Name()) ||
		slices.ContainsFunc(w.within, func(t *types.Named) bool { return slices.Contains(kept, t.Obj().Name()) })
}

// below goes through the fields below one.
func (w *walk) below(field *types.Var, shown, path string, only []string) {
	inner := structure(field.Type())
	if inner == nil {
		return
	}
	if own, ok := w.only[inner.Obj()]; ok && !reachBelow(path, only) {
		only, path = own, ""
	}
	w.fields(inner, shown, path, only)
}

// grouped returns a list of paths, where those below one field are together.
func grouped(paths []string) string {
	below := map[string][]string{}
	var parents []string // in order
	for _, p := range paths {
		// The values of "path (but value)" may have points.
		field, _, _ := strings.Cut(p, " ")
		parent := field[:strings.LastIndex(field, ".")+1]
		if below[parent] == nil {
			parents = append(parents, parent)
		}
		below[parent] = append(below[parent], strings.TrimPrefix(p, parent))
	}
	var all []string
	for _, parent := range parents {
		names := strings.Join(below[parent], ", ")
		if parent != "" && len(below[parent]) > 1 {
			names = "{" + names + "}"
		}
		all = append(all, parent+names)
	}
	return strings.Join(all, ", ")
}

// list returns the honoured parameters, with an asterisk after those that refuse some values.
func (p parameters) list() string {
	var names []string
	for name, partly := range p.honoured {
		if partly {
			name += "\\*"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
