package route53

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/hostedzone"
)

// TestDNSAnswer returns what a name server of a public zone answers. No policy depends on where the question
// comes from, so addresses of resolvers and clients change nothing.
func (a *API) TestDNSAnswer(
	ctx context.Context, in *route53.TestDNSAnswerInput,
) (*route53.TestDNSAnswerOutput, error) {
	if err := checkQuestion(in); err != nil {
		return nil, err
	}
	view := a.Store.Read(ctx)
	zone, err := findZone(ctx, view, in.HostedZoneId)
	if err != nil {
		return nil, err
	}
	name, err := hostedzone.ParseName(*in.RecordName)
	switch {
	case err != nil:
		return nil, model.Errorf("FATAL problem: %v encountered with '%s'", err, *in.RecordName)
	case zone.Private:
		return nil, model.Errorf("TestDNSAnswer does not support private hosted zones.")
	}
	out := &route53.TestDNSAnswerOutput{
		Nameserver: aws.String(strings.TrimSuffix(zone.NameServers[0], ".")), Protocol: aws.String("UDP"),
		RecordName: in.RecordName, RecordType: in.RecordType, RecordData: []string{},
		ResponseCode: aws.String("NOERROR"),
	}
	if !hostedzone.Covers(zone.Name, name) {
		out.ResponseCode = aws.String("REFUSED")
		return out, nil
	}
	answer := dnsname.Resolver{Store: a.Store}.InZone(view, zone, "", name, string(in.RecordType))
	if !answer.Exists {
		out.ResponseCode = aws.String("NXDOMAIN")
	}
	for _, line := range answer.Records {
		fields := strings.SplitN(line, " ", 5) // owner, TTL, class, type, value
		out.RecordData = append(out.RecordData, fields[len(fields)-1])
	}
	return out, nil
}

// checkQuestion refuses a question that is invalid whatever the zone contains.
func checkQuestion(in *route53.TestDNSAnswerInput) error {
	switch {
	case in.RecordName == nil:
		return model.Null("recordName")
	case in.RecordType == "":
		return model.Null("recordType")
	case !hostedzone.HasType(string(in.RecordType)):
		return model.Refuse("recordType", in.RecordType, "satisfy enum value set: %v", in.RecordType.Values())
	}
	for member, given := range map[string]*string{
		"resolverIP": in.ResolverIP, "edns0ClientSubnetIP": in.EDNS0ClientSubnetIP,
	} {
		if _, err := netip.ParseAddr(aws.ToString(given)); given != nil && err != nil {
			return model.Errorf("Invalid IP address for %s: %s", member, *given)
		}
	}
	if mask := in.EDNS0ClientSubnetMask; mask != nil {
		address, _ := netip.ParseAddr(aws.ToString(in.EDNS0ClientSubnetIP)) // without one, no mask is valid but 0
		if bits, err := strconv.Atoi(*mask); err != nil || bits < 0 || bits > address.BitLen() {
			return model.Errorf("Invalid subnet mask: %s", *mask)
		}
	}
	return nil
}
