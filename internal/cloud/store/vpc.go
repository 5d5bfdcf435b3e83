package store

import (
	"net/netip"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids.
var (
	VPCs           = newTable("vpcs", func(r *VPC) string { return r.ID }, (*VPC).region)
	DHCPOptionSets = newTable(
		"dhcp_options",
		func(r *DHCPOptions) string { return r.ID },
		(*DHCPOptions).region,
	)
	Subnets          = newTable("subnets", func(r *Subnet) string { return r.ID }, (*Subnet).region)
	SubnetsByVPC     = Subnets.indexBy("vpc", func(r *Subnet) string { return r.VPCID })
	InternetGateways = newTable(
		"internet_gateways",
		func(r *InternetGateway) string { return r.ID },
		(*InternetGateway).region,
	)
	InternetGatewaysByVPC = InternetGateways.indexBy("vpc", func(r *InternetGateway) string { return r.VPCID })
)

// VPC is a virtual private cloud.
type VPC struct {
	ID                         string
	Region                     identity.Region
	CIDR                       netip.Prefix // the primary block
	CIDRAssociationID          string
	SecondaryBlocks            []CIDRAssociation
	IPv6                       []CIDRAssociation
	FormerBlocks               []FormerBlock // which are still described for a while
	DHCPOptionsID              string        // "default": none
	Tenancy                    string        // "default", "dedicated"
	IsDefault                  bool
	DNSSupport, DNSHostnames   bool
	NetworkAddressUsageMetrics bool
	Tags                       Tags
	State                      string    // "available"
	AvailableAt                time.Time // it is pending before
}

func (r *VPC) region() identity.Region { return r.Region }

// CIDRAssociation is a block of IP addresses that a VPC has besides its primary one, or a subnet
// besides its IPv4 one.
type CIDRAssociation struct {
	ID   string
	CIDR netip.Prefix
}

// FormerBlock is a block that a VPC had until a time.
type FormerBlock struct {
	CIDRAssociation

	Until time.Time
}

// Blocks returns the blocks of a VPC's IPv4 addresses, the primary one first.
func (r *VPC) Blocks() []netip.Prefix {
	blocks := []netip.Prefix{r.CIDR}
	for _, secondary := range r.SecondaryBlocks {
		blocks = append(blocks, secondary.CIDR)
	}
	return blocks
}

// IPv6Blocks returns the blocks of a VPC's IPv6 addresses.
func (r *VPC) IPv6Blocks() (blocks []netip.Prefix) {
	for _, association := range r.IPv6 {
		blocks = append(blocks, association.CIDR)
	}
	return blocks
}

// Contains reports whether an IP address is in one of the VPC's blocks.
func (r *VPC) Contains(address netip.Addr) bool {
	return slices.ContainsFunc(r.Blocks(), func(block netip.Prefix) bool { return block.Contains(address) })
}

// DHCPOptions is a DHCP options set.
type DHCPOptions struct {
	ID                 string
	Region             identity.Region
	DomainName         string
	DomainNameServers  []string // IP addresses, or "AmazonProvidedDNS"
	NTPServers         []string
	NetBIOSNameServers []string
	NetBIOSNodeType    string // "2"; empty: not set
	IPv6LeaseTime      string // seconds, "1440"; empty: not set
	Tags               Tags
}

func (r *DHCPOptions) region() identity.Region { return r.Region }

// Subnet is a range of a VPC's IP addresses in one Availability Zone.
type Subnet struct {
	ID, VPCID           string
	Region              identity.Region
	CIDR                netip.Prefix    // of IPv4; zero: none
	IPv6                CIDRAssociation // zero: none
	FormerIPv6          CIDRAssociation // the last that was disassociated, which is still described; zero: none
	DNS64               bool            // the resolver makes up IPv6 addresses of names with IPv4 addresses alone
	AssignIPv6          bool            // to new network interfaces
	Zone                string          // "us-east-1a"
	ZoneID              string          // "use1-az1"
	DefaultForAZ        bool
	MapPublicIPOnLaunch bool
	HostnameType        string // "ip-name", "resource-name"
	ResourceNameDNSA    bool
	ResourceNameDNSAAAA bool
	Tags                Tags
	State               string    // "available"
	AvailableAt         time.Time // it is pending before
}

func (r *Subnet) region() identity.Region { return r.Region }

// IPv6Only reports whether a subnet has no IPv4 addresses.
func (r *Subnet) IPv6Only() bool { return !r.CIDR.IsValid() }

// Blocks returns the blocks of a subnet, that of IPv4 first.
func (r *Subnet) Blocks() (blocks []netip.Prefix) {
	for _, block := range []netip.Prefix{r.CIDR, r.IPv6.CIDR} {
		if block.IsValid() {
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// InternetGateway connects a VPC to the internet. VPCID is empty while the gateway
// is detached.
type InternetGateway struct {
	ID, VPCID string
	Region    identity.Region
	Tags      Tags
}

func (r *InternetGateway) region() identity.Region { return r.Region }
