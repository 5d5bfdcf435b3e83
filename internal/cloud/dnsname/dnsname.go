// Package dnsname builds and resolves the DNS names of instances and load
// balancers.
package dnsname

import (
	"net/netip"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

// Private returns the name of a private IP address (Amazon VPC User Guide, DNS
// attributes for your VPC): ip-10-0-1-5.ec2.internal in us-east-1,
// ip-10-0-1-5.eu-west-1.compute.internal elsewhere. Without an address there is no name.
func Private(region string, addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return "ip-" + dashes(addr) + "." + privateDomain(region)
}

// Resource returns the name of an instance that has its id (Amazon EC2 User Guide, "EC2 instance
// hostnames and domains"): i-0123456789abcdef0.ec2.internal in us-east-1.
func Resource(region, instanceID string) string { return instanceID + "." + privateDomain(region) }

// PrivateOf returns the private DNS name of an instance with a primary private address.
func PrivateOf(row *store.Instance, primary netip.Addr) string {
	if row.ResourceNames.Hostname {
		return Resource(row.Region.Name(), row.ID)
	}
	return Private(row.Region.Name(), primary)
}

// privateAddress returns the address in a name that Private returned.
func privateAddress(name string) (netip.Addr, bool) {
	host, _, _ := strings.Cut(strings.TrimPrefix(name, "ip-"), ".")
	address, err := netip.ParseAddr(strings.ReplaceAll(host, "-", "."))
	return address, err == nil
}

func privateDomain(region string) string {
	if region == "us-east-1" {
		return "ec2.internal"
	}
	return region + ".compute.internal"
}

// Public returns the name of a public IP address, or "" if DNS host names or
// DNS support are disabled in the VPC.
func Public(r store.Reader, vpcID string, addr netip.Addr) string {
	vpc, ok := store.VPCs.Get(r, vpcID)
	if !ok || !vpc.DNSHostnames || !vpc.DNSSupport || !addr.IsValid() {
		return ""
	}
	domain := vpc.Region.Name() + ".compute.amazonaws.com"
	if vpc.Region.Name() == "us-east-1" {
		domain = "compute-1.amazonaws.com"
	}
	return "ec2-" + dashes(addr) + "." + domain
}

func dashes(addr netip.Addr) string { return strings.ReplaceAll(addr.String(), ".", "-") }
