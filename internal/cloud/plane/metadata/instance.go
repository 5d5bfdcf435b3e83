//go:build linux

// Package metadata is the instance metadata service, at which a machine reads facts about
// its instance from 169.254.169.254 (Amazon EC2 User Guide, Instance metadata).
package metadata

import (
	"net"
	"net/netip"
	"time"
)

// Instance holds the facts that the service returns.
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
	RootDevice              string // "/dev/xvda"
	UserData                []byte // decoded; nil: none

	// TargetLifecycleState is the lifecycle state to which the Auto Scaling group moves
	// the instance, for example "InService". Empty: the instance is in no group.
	TargetLifecycleState string

	Tags            map[string]string
	TagsEnabled     bool // Tags are readable
	EndpointEnabled bool // the service answers
	TokensRequired  bool // refuse IMDSv1 requests
	HopLimit        int  // of responses with a token; 0 means 1, as on AWS
}

// Source finds instances.
type Source interface {
	// Instance returns the instance with a private address in the VPC.
	Instance(vpcID string, address netip.Addr) (Instance, bool)
}
