//go:build linux

// Package metadata is the instance metadata service, at which a machine reads facts about
// its instance from 169.254.169.254 or fd00:ec2::254 (Amazon EC2 User Guide, Instance metadata).
package metadata

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// Instance holds the facts that the service returns.
type Instance struct {
	ID, ImageID, Type  string
	AccountID, Region  string
	Zone, ZoneID       string
	VPCID              string
	VPCCIDRs           []netip.Prefix // of IPv4, the primary one first
	VPCIPv6            []netip.Prefix
	Interface          // the primary one
	Others             []Interface
	KeyName, PublicKey string // PublicKey in authorized_keys form; empty: none
	ReservationID      string
	LaunchIndex        int
	LaunchTime         time.Time
	Architecture       string   // "x86_64"
	RootDevice         string   // "/dev/xvda"
	Devices            []string // of the other volumes that it started with
	UserData           []byte   // decoded; nil: none

	Spot bool // it is a Spot Instance, which is never interrupted

	// TargetLifecycleState is the lifecycle state to which the Auto Scaling group moves
	// the instance, for example "InService". Empty: the instance is in no group.
	TargetLifecycleState string

	Profile *Profile // nil: none

	// ActiveKeys are the SSH keys that EC2 Instance Connect has pushed in the last minute, by
	// user.
	ActiveKeys map[string][]string

	Tags            map[string]string
	TagsEnabled     bool // Tags are readable
	EndpointEnabled bool // the service answers
	IPv6Enabled     bool // also at its IPv6 address
	TokensRequired  bool // refuse IMDSv1 requests
	HopLimit        int  // of responses with a token; 0 means 1, as on AWS
}

// Interface is a network interface of an instance.
type Interface struct {
	InterfaceID             string
	DeviceNumber            int
	SubnetID                string
	SubnetCIDR              netip.Prefix
	SubnetIPv6              netip.Prefix // zero: none
	MAC                     net.HardwareAddr
	PrivateIP, PublicIP     netip.Addr // zero: none
	PrivateName, PublicName string     // host names; PublicName empty: none
	Secondary               []Address
	IPv6                    []netip.Addr
	SecurityGroups          []string // names
	SecurityGroupIDs        []string
}

// addresses returns the private addresses of the interface, the primary one first.
func (i Interface) addresses() []Address {
	if !i.PrivateIP.IsValid() {
		return nil
	}
	return append([]Address{{i.PrivateIP, i.PublicIP}}, i.Secondary...)
}

// Address is a secondary private address of a network interface.
type Address struct {
	Private netip.Addr
	Public  netip.Addr // zero: none
}

// Profile is an instance's instance profile.
type Profile struct {
	ARN, ID string // ID empty: the profile does not exist any more
	Role    string // name; empty: none
	// Credentials returns credentials of the role that stay valid for some time. They
	// are the same until it is time for new ones.
	Credentials func() (Credentials, error)
}

// Credentials are temporary credentials of a role.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	Token           string
	Issued, Expires time.Time
}

// ErrNotTrusted is returned by Profile.Credentials if the role does not let instances
// assume it.
var ErrNotTrusted = errors.New("the role does not trust instances")

// Source finds instances.
type Source interface {
	// Instance returns the instance with an address in the VPC, a private one or one of IPv6.
	Instance(vpcID string, address netip.Addr) (Instance, bool)
}
