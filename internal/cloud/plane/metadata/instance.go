// Package metadata is the instance metadata service: what a machine can ask
// about itself at 169.254.169.254 (Amazon EC2 User Guide, Instance metadata).
package metadata

import (
	"net"
	"net/netip"
	"time"
)

// Instance is what the service tells a machine.
type Instance struct {
	ID, ImageID, Type       string
	AccountID, Region       string
	Zone, ZoneID            string
	VPCID, SubnetID         string
	VPCCIDR, SubnetCIDR     netip.Prefix
	InterfaceID             string
	MAC                     net.HardwareAddr
	PrivateIP, PublicIP     netip.Addr // PublicIP zero: none
	PrivateName, PublicName string     // host names; PublicName empty: none
	SecurityGroups          []string   // names
	SecurityGroupIDs        []string
	KeyName, PublicKey      string // PublicKey in authorized_keys form; empty: none
	ReservationID           string
	LaunchIndex             int
	LaunchTime              time.Time
	Architecture            string // "x86_64"
	UserData                []byte // decoded; nil: none
	TargetLifecycleState    string // the state in its Auto Scaling group that it is to reach: "InService"; empty: it is in none
	Tags                    map[string]string
	TagsEnabled             bool
	EndpointEnabled         bool // the service answers
	TokensRequired          bool // the first version of the protocol is refused
	HopLimit                int  // of answers that carry a token; 0 means 1, as on AWS
}

// Source knows the machines.
type Source interface {
	// Instance gives the machine that has the private address in the VPC.
	Instance(vpcID string, address netip.Addr) (Instance, bool)
}
