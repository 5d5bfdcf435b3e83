package ec2

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

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

// endpointService is a service that endpoints can lead to.
type endpointService struct{ name, region string }

var serviceFilters = filters[endpointService]{
	"owner":                      constant[endpointService]("amazon"),
	"service-name":               field(func(s endpointService) string { return s.name }),
	"service-region":             field(func(s endpointService) string { return s.region }),
	"service-type":               constant[endpointService](string(types.ServiceTypeGateway)),
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
	names := []string{s3Service(region)}
	for _, name := range in.ServiceNames {
		if !slices.Contains(names, name) {
			return nil, wire.Errorf("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", name)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return !serviceFilters.match(view, endpointService{name, region.Name()}, nil, in.Filters)
	})
	rows, next, err := paginate(
		pageRequest{in.MaxResults, in.NextToken}, names, func(name string) string { return name },
	)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeVpcEndpointServicesOutput{
		NextToken:    next,
		ServiceNames: list(rows, func(name string) string { return name }),
		ServiceDetails: list(rows, func(name string) types.ServiceDetail {
			return types.ServiceDetail{
				ServiceName: aws.String(name), ServiceId: aws.String("vpce-svc-" + digits(name, 17)),
				ServiceRegion: aws.String(region.Name()), Owner: aws.String("amazon"),
				ServiceType:                []types.ServiceTypeDetail{{ServiceType: types.ServiceTypeGateway}},
				AvailabilityZones:          list(a.zones(region), func(z zone) string { return z.name }),
				BaseEndpointDnsNames:       []string{"s3." + region.Name() + ".amazonaws.com"},
				VpcEndpointPolicySupported: aws.Bool(true), AcceptanceRequired: aws.Bool(false),
				ManagesVpcEndpoints:     aws.Bool(false),
				SupportedIpAddressTypes: []types.ServiceConnectivityType{types.ServiceConnectivityTypeIpv4},
				Tags:                    []types.Tag{},
			}
		}),
	}, nil
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
