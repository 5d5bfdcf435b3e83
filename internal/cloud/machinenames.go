//go:build linux

package cloud

import (
	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/plane/dns"
)

// machineNames returns what the resolvers of VPCs know of names.
func machineNames(names dnsname.Resolver) dns.Names {
	return dns.Names{
		Zone: names.Addresses, Reverse: names.Name, Synthesizes: names.Synthesizes,
		Hosted: func(vpcID, name, kind string) (dns.Answer, bool) {
			answer, known := names.Hosted(vpcID, name, kind)
			return dns.Answer{
				Exists: answer.Exists, Records: answer.Records, Authority: answer.Authority, Private: answer.Private,
			}, known
		},
	}
}
