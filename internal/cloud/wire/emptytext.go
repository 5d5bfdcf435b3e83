package wire

import "strings"

// emptyText describes how a service treats a parameter of a query whose text is empty, as in
// "ProtocolVersion=". Clients write such parameters for members that their users left out.
type emptyText uint8

const (
	// emptyGiven: the operation gets the empty text, and decides.
	emptyGiven emptyText = iota
	// emptyOmitted: the parameter counts as not given.
	emptyOmitted
	// emptyRefused: the service's model demands at least one character.
	emptyRefused
)

// emptyTexts holds what each service does with empty texts, apart from the members in
// emptyMembers. Services that are not listed give them to the operation.
//
//   - Elastic Load Balancing treats them as not given: Terraform's provider writes
//     "ProtocolVersion=" for every target group without one, and "" is the value that
//     the API takes for the health check path of TCP (terraform-provider-aws#2978).
//   - EC2 does the same with optional members, and reports required ones as missing.
//   - Auto Scaling enforces the lengths of its model: "Value ” at
//     'targetTrackingConfiguration.customizedMetricSpecification.unit' failed to satisfy
//     constraint: Member must have length greater than or equal to 1"
//     (terraform-provider-aws#14989).
var emptyTexts = map[string]emptyText{
	"ec2":                  emptyOmitted,
	"elasticloadbalancing": emptyOmitted,
	"autoscaling":          emptyRefused,
}

// emptyMembers are the members for which the empty text is a value of its own, in all types
// (".Value") or in one ("RedirectActionConfig.Query"): the API models give them no least
// length, or one of 0.
var emptyMembers = map[string]map[string]bool{
	"ec2": {
		".Value": true, ".Description": true, ".NoDevice": true, "RequestLaunchTemplateData.UserData": true,
		"ModifyInstancePlacementInput.GroupName": true, // out of its group
	},
	"elasticloadbalancing": {
		".Value": true, "RedirectActionConfig.Query": true,
		"FixedResponseActionConfig.MessageBody": true, "FixedResponseActionConfig.ContentType": true,
	},
	"autoscaling": {
		".Value": true, ".NextToken": true, ".ResourceId": true, ".ResourceType": true, ".UserData": true,
		".LifecycleTransition": true, ".LifecycleActionResult": true, ".DefaultResult": true, ".Label": true,
		".NotificationTargetARN": true, "Filter.Name": true,
		"InstancesDistribution.OnDemandAllocationStrategy": true,
		"InstancesDistribution.SpotAllocationStrategy":     true,
		"InstancesDistribution.SpotMaxPrice":               true,
		"UpdateAutoScalingGroupInput.PlacementGroup":       true,
	},
}

// emptyTextOf returns what a service does with the empty text of a member of a type.
func emptyTextOf(service, typ, member string) emptyText {
	if kept := emptyMembers[service]; kept["."+member] || kept[typ+"."+member] {
		return emptyGiven
	}
	return emptyTexts[service]
}

// emptyTextRefused returns the error for the parameter with the path, in the form of the
// services that check lengths.
func emptyTextRefused(path string) error {
	names := strings.Split(path, ".")
	for i, name := range names {
		if name != "" {
			names[i] = strings.ToLower(name[:1]) + name[1:]
		}
	}
	return Errorf("ValidationError",
		"1 validation error detected: Value '' at '%s' failed to satisfy constraint: "+
			"Member must have length greater than or equal to 1", strings.Join(names, "."))
}
