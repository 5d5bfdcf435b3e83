package stack

import "fmt"

// KindLaunchTemplate is the kind of a launch template.
const KindLaunchTemplate Kind = "launch-template"

var launchTemplateKind = properties{
	kind: KindLaunchTemplate, replaceable: true, versioned: true,
	mayReferTo: []Kind{KindImage, KindKeyPair, KindSecurityGroup, KindEnvironment, KindInstanceProfile},
}

// AddressLaunchTemplate is the address of the application's launch template.
const AddressLaunchTemplate = "launch-template"

// Attributes of a launch template.
const (
	AttrImage      AttributeKey = "image"
	AttrMetadata   AttributeKey = "metadata"   // access to the instance metadata service
	AttrMonitoring AttributeKey = "monitoring" // how often CPU metrics are reported
)

// MetadataIMDSv2 is the AttrMetadata of instances that require IMDSv2.
const MetadataIMDSv2 = "IMDSv2 only"

// MonitoringDetailed is the AttrMonitoring of instances that report their metrics every
// minute. By default they do so every five minutes, and a policy that follows CPU reacts
// too late (Amazon EC2 User Guide, "Manage detailed monitoring for your EC2 instances").
const MonitoringDetailed = "detailed, every minute"

// LaunchTemplate configures the instances of an Auto Scaling group. It changes by
// getting another version, which becomes its default version.
type LaunchTemplate struct {
	TemplateName string
	Image        Ref
	Type         string
	Access
	Groups  []Ref
	Release string
	Private bool // instances get no public address
	Identity
}

// Kind implements Body.
func (LaunchTemplate) Kind() Kind { return KindLaunchTemplate }

// Title implements Body.
func (t LaunchTemplate) Title() string {
	return fmt.Sprintf("launch template %s: %s with release %s", t.TemplateName, t.Type, t.Release)
}

// Attributes implements Body.
func (t LaunchTemplate) Attributes() []Attribute {
	return append([]Attribute{
		ref(AttrImage, t.Image),
		text(AttrRelease, t.Release),
		text(AttrType, t.Type),
		t.Access.attribute(),
		refs(AttrSecurityGroups, t.Groups),
		text(AttrPublicAddresses, onUnless(t.Private)),
		text(AttrMetadata, MetadataIMDSv2),
		text(AttrMonitoring, MonitoringDetailed),
	}, t.Identity.attributes()...)
}

// Needs implements Body.
func (t LaunchTemplate) Needs() []Ref { return t.launchNeeds() }
