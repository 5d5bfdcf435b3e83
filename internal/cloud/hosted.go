//go:build linux

package cloud

import (
	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/plane/dns"
)

// hosted returns the hosted zones' answers for the resolvers of VPCs.
func hosted(names dnsname.Resolver) dns.Hosted {
	return func(vpcID, name, kind string) (dns.HostedAnswer, bool) {
		records, authority, exists, known := names.Hosted(vpcID, name, kind)
		return dns.HostedAnswer{Exists: exists, Records: records, Authority: authority}, known
	}
}
