package store

import (
	"net/netip"
	"time"
)

// Tags are the keys and values that a user gave a resource.
type Tags map[string]string

// Region is a region that has been used: it holds the default VPC and the
// public images from then on.
type Region struct{ Name string }

// VPC is a virtual private cloud.
type VPC struct {
	ID, Region                 string
	CIDR                       netip.Prefix
	CIDRAssociationID          string
	DHCPOptionsID              string
	Tenancy                    string // "default", "dedicated"
	IsDefault                  bool
	DNSSupport, DNSHostnames   bool
	NetworkAddressUsageMetrics bool
	Tags                       Tags
	State                      string // observed: "pending", "available"
}

func (r *VPC) region() string { return r.Region }

// DHCPOptions is a DHCP options set.
type DHCPOptions struct {
	ID, Region        string
	DomainName        string
	DomainNameServers []string
	Tags              Tags
}

func (r *DHCPOptions) region() string { return r.Region }

// Subnet is a range of a VPC's addresses in one Availability Zone.
type Subnet struct {
	ID, Region, VPCID   string
	CIDR                netip.Prefix
	Zone                string // "us-east-1a"
	ZoneID              string // "use1-az1"
	DefaultForAZ        bool
	MapPublicIPOnLaunch bool
	HostnameType        string // "ip-name", "resource-name"
	ResourceNameDNSA    bool
	ResourceNameDNSAAAA bool
	Tags                Tags
	State               string // observed: "pending", "available"
}

func (r *Subnet) region() string { return r.Region }

// InternetGateway is the way between a VPC and the internet. VPCID is empty
// while it is detached.
type InternetGateway struct {
	ID, Region, VPCID string
	Tags              Tags
}

func (r *InternetGateway) region() string { return r.Region }

// RouteTable directs the traffic that leaves the subnets associated with it.
type RouteTable struct {
	ID, Region, VPCID string
	Routes            []Route // the local route first
	Associations      []RouteTableAssociation
	Tags              Tags
}

func (r *RouteTable) region() string { return r.Region }

// Route is one line of a route table.
type Route struct {
	Destination netip.Prefix
	GatewayID   string // "local" or an internet gateway's id
	Origin      string // "CreateRouteTable", "CreateRoute"
}

// RouteTableAssociation says for which subnet a route table holds. The main
// table's has no subnet.
type RouteTableAssociation struct {
	ID, SubnetID string
	Main         bool
}

// NetworkACL is a stateless filter at the edge of subnets.
type NetworkACL struct {
	ID, Region, VPCID string
	IsDefault         bool
	Entries           []NetworkACLEntry
	Associations      []NetworkACLAssociation
	Tags              Tags
}

func (r *NetworkACL) region() string { return r.Region }

// NetworkACLEntry is one numbered rule of a network ACL; the lowest number
// that matches decides.
type NetworkACLEntry struct {
	Number             int
	Egress, Allow      bool
	Protocol           string // "-1" or an IANA protocol number
	FromPort, ToPort   int
	ICMPType, ICMPCode int
	CIDR               netip.Prefix
}

// NetworkACLAssociation binds a subnet to its network ACL.
type NetworkACLAssociation struct{ ID, SubnetID string }

// SecurityGroup is a stateful filter around network interfaces.
type SecurityGroup struct {
	ID, Region, VPCID string
	Name, Description string
	Rules             []SecurityGroupRule
	Tags              Tags
}

func (r *SecurityGroup) region() string { return r.Region }

// SecurityGroupRule allows one source or destination: a CIDR or the members of
// a group. For protocol "-1" the ports are -1.
type SecurityGroupRule struct {
	ID               string
	Egress           bool
	Protocol         string // "-1", "tcp", "udp", "icmp", "icmpv6" or a number
	FromPort, ToPort int
	CIDR             netip.Prefix // IPv4 or IPv6; zero when GroupID is set
	GroupID          string
	Description      string
	Tags             Tags
}

// NetworkInterface is an elastic network interface.
type NetworkInterface struct {
	ID, Region, VPCID, SubnetID, Zone string
	MAC                               string
	PrivateIP                         netip.Addr
	PublicIP                          netip.Addr // zero: none
	PublicOnStart                     bool       // launched with a public address: a start after a stop brings a new one
	GroupIDs                          []string
	Description                       string
	Type                              string // "interface", "load_balancer"
	RequesterID                       string // "amazon-elb" when a load balancer owns it
	RequesterManaged                  bool
	SourceDestCheck                   bool
	DeleteOnTermination               bool
	InstanceID                        string
	LoadBalancerARN                   string
	AttachmentID                      string
	DeviceIndex                       int32
	AttachedAt                        time.Time
	Tags                              Tags
	State                             string // "available", "in-use"
}

func (r *NetworkInterface) region() string { return r.Region }

// KeyPair is a public key that instances accept for their first login.
type KeyPair struct {
	ID, Region, Name string
	Type             string // "rsa", "ed25519"
	Fingerprint      string
	PublicKey        string // in authorized_keys form
	Created          time.Time
	Tags             Tags
}

func (r *KeyPair) region() string { return r.Region }

// ClientToken remembers the answer to a request that carried a client token.
type ClientToken struct {
	Region, Operation, Token string
	Parameters               string // digest of the request
	Results                  []string
	Created                  time.Time
}

// Day is the day of a time in UTC, by which client tokens are indexed.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
