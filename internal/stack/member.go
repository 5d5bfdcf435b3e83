package stack

// KindMember is the kind of an instance of an Auto Scaling group. No stack lists
// members: their group launches and terminates them.
const KindMember Kind = "member"

var memberKind = properties{kind: KindMember, deletedWithOwner: true}

// AddressMember is the address that all members carry.
const AddressMember = "member"
