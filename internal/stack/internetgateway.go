package stack

// KindInternetGateway is the kind of an internet gateway.
const KindInternetGateway Kind = "internet-gateway"

var internetGatewayKind = properties{kind: KindInternetGateway, mayReferTo: []Kind{KindVPC}}

// AddressInternetGateway is the address of the application's internet gateway.
const AddressInternetGateway = "internet-gateway"

// AttrAttachedTo is the VPC that an internet gateway is attached to.
const AttrAttachedTo AttributeKey = "attached to"

// InternetGateway connects a VPC to the internet.
type InternetGateway struct{ VPC Ref }

// Kind implements Body.
func (InternetGateway) Kind() Kind { return KindInternetGateway }

// Title implements Body.
func (InternetGateway) Title() string { return "internet gateway, attached to the VPC" }

// Attributes implements Body.
func (g InternetGateway) Attributes() []Attribute { return []Attribute{ref(AttrAttachedTo, g.VPC)} }

// Needs implements Body.
func (InternetGateway) Needs() []Ref { return nil }
