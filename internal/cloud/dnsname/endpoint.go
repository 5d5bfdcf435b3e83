package dnsname

import (
	"net/netip"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

// awsDomain ends the names of AWS's services, and of endpoints for them. Machines alone use them: the
// resolvers of VPCs lead them to the local cloud.
const awsDomain = "amazonaws.com"

// EndpointService returns the name of a service of AWS for endpoints: "com.amazonaws.us-east-1.ec2".
func EndpointService(service, region string) string { return "com.amazonaws." + region + "." + service }

// CutEndpointService returns the service and the region of a name for endpoints.
func CutEndpointService(name string) (service, region string) {
	region, service, _ = strings.Cut(strings.TrimPrefix(name, "com.amazonaws."), ".")
	return service, region
}

// Service returns the host name of a service of AWS, whose name for endpoints is given:
// "ec2.us-east-1.amazonaws.com".
func Service(endpointService string) string {
	service, region := CutEndpointService(endpointService)
	return service + "." + region + "." + awsDomain
}

// EndpointDomain returns what the host names of all interface endpoints for a service end with:
// "ec2.us-east-1.vpce.amazonaws.com".
func EndpointDomain(endpointService string) string {
	service, region := CutEndpointService(endpointService)
	return service + "." + region + ".vpce." + awsDomain
}

// Endpoint returns the host name of an interface endpoint. The suffix makes it hard to guess:
// "vpce-0123456789abcdef0-01234567.ec2.us-east-1.vpce.amazonaws.com" (Amazon VPC User Guide, DNS names
// of interface endpoints).
func Endpoint(id, suffix, endpointService string) string {
	return id + "-" + suffix + "." + EndpointDomain(endpointService)
}

// EndpointInZone returns the host name of an interface endpoint's network interface in a zone:
// "vpce-0123456789abcdef0-01234567-us-east-1a.ec2.us-east-1.vpce.amazonaws.com".
func EndpointInZone(name, zone string) string {
	host, domain, _ := strings.Cut(name, ".")
	return host + "-" + zone + "." + domain
}

// endpointAddresses returns the addresses of the network interfaces of an interface endpoint that is
// available. Its own names lead to it everywhere, and the service's in its VPC alone, if that has host names.
func endpointAddresses(view store.Reader, vpcID, name string) (addresses []netip.Addr, known bool) {
	if !strings.HasSuffix(name, "."+awsDomain) {
		return nil, false
	}
	for _, row := range store.VPCEndpoints.List(view) {
		if row.State != store.EndpointAvailable {
			continue
		}
		whole := name == row.DNSName || name == Service(row.Service) && isPrivatelyNamed(view, vpcID, row)
		for _, id := range row.InterfaceIDs {
			eni, ok := store.NetworkInterfaces.Get(view, id)
			if ok && (whole || name == EndpointInZone(row.DNSName, eni.Zone)) {
				addresses = append(addresses, eni.PrivateIP)
			}
		}
		if whole || len(addresses) > 0 {
			return addresses, true
		}
	}
	return nil, false
}

// isPrivatelyNamed reports whether the service's name leads to an endpoint in a VPC.
func isPrivatelyNamed(view store.Reader, vpcID string, row *store.VPCEndpoint) bool {
	vpc, ok := store.VPCs.Get(view, vpcID)
	return ok && row.VPCID == vpcID && row.PrivateDNS && vpc.DNSHostnames
}
