package stack

// KindInstanceProfile is the kind of an IAM instance profile.
const KindInstanceProfile Kind = "instance-profile"

var instanceProfileKind = properties{
	kind: KindInstanceProfile, mayReferTo: []Kind{KindRole}, uniqueName: true,
}

// AddressInstanceProfile is the address of the servers' instance profile.
const AddressInstanceProfile = "instance-profile"

// AttrRole is the role in an instance profile.
const AttrRole AttributeKey = "role"

// InstanceProfile hands a role to instances.
type InstanceProfile struct {
	ProfileName string
	Role        Ref
}

// Kind implements Body.
func (InstanceProfile) Kind() Kind { return KindInstanceProfile }

// Title implements Body.
func (p InstanceProfile) Title() string { return "instance profile " + p.ProfileName }

// Attributes implements Body.
func (p InstanceProfile) Attributes() []Attribute {
	return []Attribute{fixed(text(AttrName, p.ProfileName)), ref(AttrRole, p.Role)}
}

// Needs implements Body.
func (InstanceProfile) Needs() []Ref { return nil }
