package ec2

import (
	"net/netip"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

// privateDNSName is the name of a private address (Amazon VPC User Guide, DNS
// attributes for your VPC): ip-10-0-1-5.ec2.internal in us-east-1,
// ip-10-0-1-5.eu-west-1.compute.internal elsewhere.
func privateDNSName(region string, addr netip.Addr) string {
	domain := region + ".compute.internal"
	if region == "us-east-1" {
		domain = "ec2.internal"
	}
	return "ip-" + dashes(addr) + "." + domain
}

// publicDNSName is the name of a public address, empty unless the VPC gives
// such names.
func publicDNSName(r store.Reader, vpcID string, addr netip.Addr) string {
	vpc, ok := store.VPCs.Get(r, vpcID)
	if !ok || !vpc.DNSHostnames || !vpc.DNSSupport || !addr.IsValid() {
		return ""
	}
	domain := vpc.Region + ".compute.amazonaws.com"
	if vpc.Region == "us-east-1" {
		domain = "compute-1.amazonaws.com"
	}
	return "ec2-" + dashes(addr) + "." + domain
}

func dashes(addr netip.Addr) string { return strings.ReplaceAll(addr.String(), ".", "-") }
