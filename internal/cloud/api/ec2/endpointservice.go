package ec2

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ownerAWS owns the prefix lists of AWS's services.
const ownerAWS = "AWS"

// serviceAddress is where machines reach the services of the local cloud.
var serviceAddress = netip.MustParsePrefix("169.254.169.254/32")

// s3Service returns the name of Amazon S3 as a service of endpoints.
func s3Service(region identity.Region) string { return "com.amazonaws." + region.Name() + ".s3" }

// s3PrefixListID returns the id of the prefix list with the addresses of Amazon S3.
func s3PrefixListID(region identity.Region) string {
	return prefixLists.prefix + digits(s3Service(region), 8)
}

// digits returns hexadecimal digits that are always the same for a name.
func digits(name string, n int) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])[:n]
}

// seedPrefixLists adds the prefix lists that AWS manages to a region.
func (a *API) seedPrefixLists(tx *store.Tx, region identity.Region) {
	store.PrefixLists.Put(tx, &store.PrefixList{
		ID: s3PrefixListID(region), Region: region, Name: s3Service(region), Owner: ownerAWS,
		State: string(types.PrefixListStateCreateComplete), MaxEntries: 1,
		Versions: [][]store.PrefixListEntry{{{CIDR: serviceAddress}}},
	})
}

// hasPrefixLists reports whether a region has the prefix lists that AWS manages.
func hasPrefixLists(r store.Reader, region identity.Region) bool {
	_, ok := store.PrefixLists.Get(r, s3PrefixListID(region))
	return ok
}

// endpointService is a service that endpoints of a type can lead to.
type endpointService struct {
	name, region string
	kind         types.ServiceType
}

// EndpointServices returns the services that interface endpoints can lead to, by the names that
// signatures of requests to them have.
func EndpointServices() []string {
	return []string{
		"autoscaling", "ec2", "ec2messages", "elasticloadbalancing", "logs", "monitoring", "secretsmanager", "sns",
		"ssm", "sts",
	}
}

// endpointServices returns the services that endpoints in a region can lead to, in the order of their
// names.
func endpointServices(region identity.Region) []endpointService {
	all := []endpointService{{s3Service(region), region.Name(), types.ServiceTypeGateway}}
	for _, name := range EndpointServices() {
		all = append(all, endpointService{
			dnsname.EndpointService(name, region.Name()), region.Name(), types.ServiceTypeInterface,
		})
	}
	slices.SortFunc(all, func(a, b endpointService) int { return strings.Compare(a.name, b.name) })
	return all
}

// checkEndpointService refuses a service to which no endpoint of a type can lead.
func checkEndpointService(region identity.Region, name string, kind types.VpcEndpointType) error {
	for _, s := range endpointServices(region) {
		switch {
		case s.name != name:
		case string(s.kind) == string(kind):
			return nil
		case s.kind == types.ServiceTypeGateway: // AWS has interface endpoints for it too
			return unsupported(map[string]bool{"vpcEndpointType": true})
		default:
			return wire.Errorf("InvalidParameter",
				"Endpoint type (%s) does not match available service types ([%s]).", kind, s.kind)
		}
	}
	return noEndpointService(name)
}

func noEndpointService(name string) error {
	return wire.Errorf("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", name)
}

var serviceFilters = filters[endpointService]{
	"owner":                      constant[endpointService]("amazon"),
	"service-name":               field(func(s endpointService) string { return s.name }),
	"service-region":             field(func(s endpointService) string { return s.region }),
	"service-type":               field(func(s endpointService) string { return string(s.kind) }),
	"supported-ip-address-types": constant[endpointService](string(types.ServiceConnectivityTypeIpv4)),
	byTag:                        noValue[endpointService],
	"tag-key":                    noValue[endpointService],
}

// DescribeVpcEndpointServices lists the services that VPC endpoints can lead to.
func (a *API) DescribeVpcEndpointServices(
	ctx context.Context, in *ec2.DescribeVpcEndpointServicesInput,
) (*ec2.DescribeVpcEndpointServicesOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	if err := unsupported(map[string]bool{
		"serviceRegions": slices.ContainsFunc(in.ServiceRegions, func(name string) bool {
			return name != region.Name()
		}),
	}); err != nil {
		return nil, err
	}
	if err := serviceFilters.check(in.Filters); err != nil {
		return nil, err
	}
	all := endpointServices(region)
	for _, name := range in.ServiceNames {
		if !slices.ContainsFunc(all, func(s endpointService) bool { return s.name == name }) {
			return nil, noEndpointService(name)
		}
	}
	all = slices.DeleteFunc(all, func(s endpointService) bool {
		asked := len(in.ServiceNames) == 0 || slices.Contains(in.ServiceNames, s.name)
		return !asked || !serviceFilters.match(view, s, nil, in.Filters)
	})
	rows, next, err := paginate(
		pageRequest{in.MaxResults, in.NextToken}, all, func(s endpointService) string { return s.name },
	)
	if err != nil {
		return nil, err
	}
	zones := list(a.zones(region), func(z zone) string { return z.name })
	return &ec2.DescribeVpcEndpointServicesOutput{
		NextToken:    next,
		ServiceNames: list(rows, func(s endpointService) string { return s.name }),
		ServiceDetails: list(rows, func(s endpointService) types.ServiceDetail {
			return serviceDetail(s, zones)
		}),
	}, nil
}

func serviceDetail(s endpointService, zones []string) types.ServiceDetail {
	detail := types.ServiceDetail{
		ServiceName: aws.String(s.name), ServiceId: aws.String("vpce-svc-" + digits(s.name, 17)),
		ServiceRegion: aws.String(s.region), Owner: aws.String("amazon"),
		ServiceType:                []types.ServiceTypeDetail{{ServiceType: s.kind}},
		AvailabilityZones:          zones,
		BaseEndpointDnsNames:       []string{dnsname.Service(s.name)},
		VpcEndpointPolicySupported: aws.Bool(true), AcceptanceRequired: aws.Bool(false),
		ManagesVpcEndpoints:     aws.Bool(false),
		SupportedIpAddressTypes: []types.ServiceConnectivityType{types.ServiceConnectivityTypeIpv4},
		Tags:                    []types.Tag{},
	}
	if s.kind == types.ServiceTypeInterface {
		private := aws.String(dnsname.Service(s.name))
		detail.BaseEndpointDnsNames = []string{dnsname.EndpointDomain(s.name)}
		detail.PrivateDnsName, detail.PrivateDnsNames = private, []types.PrivateDnsDetails{{PrivateDnsName: private}}
		detail.PrivateDnsNameVerificationState = types.DnsNameStateVerified
	}
	return detail
}

// DescribePrefixLists lists the prefix lists of AWS's services, which gateway endpoints lead
// to.
func (a *API) DescribePrefixLists(
	ctx context.Context, in *ec2.DescribePrefixListsInput,
) (*ec2.DescribePrefixListsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("prefixListIds", len(in.PrefixListIds) > 0); err != nil {
		return nil, err
	}
	rows, _, err := prefixLists.describe(view, region, describeQuery{ids: in.PrefixListIds, filters: in.Filters})
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(row *store.PrefixList) bool { return row.Owner != ownerAWS })
	rows, next, err := paginate(pages, rows, prefixLists.id)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribePrefixListsOutput{
		NextToken: next,
		PrefixLists: list(rows, func(row *store.PrefixList) types.PrefixList {
			return types.PrefixList{
				PrefixListId: aws.String(row.ID), PrefixListName: aws.String(row.Name),
				Cidrs: list(row.Entries(), func(e store.PrefixListEntry) string { return e.CIDR.String() }),
			}
		}),
	}, nil
}
