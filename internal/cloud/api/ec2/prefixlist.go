package ec2

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxPrefixListSize is the most entries that a prefix list can be created for (Amazon VPC User
// Guide, Prefix lists: Quotas).
const maxPrefixListSize = 1000

var prefixLists = resourceType[store.PrefixList]{
	table: store.PrefixLists, kind: types.ResourceTypePrefixList, prefix: "pl-",
	notFoundCode: "InvalidPrefixListID.NotFound", notFoundText: "The prefix list ID",
	malformedCode: "InvalidPrefixListId.Malformed",
	key:           func(row *store.PrefixList) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row *store.PrefixList) *store.Tags { return &row.Tags },
	shared: func(row *store.PrefixList, region identity.Region) bool {
		return row.Owner == ownerAWS && row.Region == region.Own()
	},
	filters: withTagFilters(func(row *store.PrefixList) store.Tags { return row.Tags }, filters[*store.PrefixList]{
		"owner-id":         field(prefixListOwner),
		"prefix-list-id":   field(func(row *store.PrefixList) string { return row.ID }),
		"prefix-list-name": field(func(row *store.PrefixList) string { return row.Name }),
	}),
}

// CreateManagedPrefixList creates a prefix list, to which rules of security groups can refer.
func (a *API) CreateManagedPrefixList(
	ctx context.Context, in *ec2.CreateManagedPrefixListInput,
) (*ec2.CreateManagedPrefixListOutput, error) {
	row, err := newPrefixList(in)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateManagedPrefixListOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{operation: "CreateManagedPrefixList", token: in.ClientToken, input: in}
		created, err := prefixLists.createOnce(a, tx, region, q, func() (*store.PrefixList, error) {
			row.ID, row.Region = a.ids.ID(prefixLists.prefix), region
			store.PrefixLists.Put(tx, row)
			return row, nil
		})
		if err != nil {
			return err
		}
		item := prefixListItem(created)
		item.State = types.PrefixListStateCreateInProgress
		out.PrefixList = &item
		return nil
	})
}

// newPrefixList validates a request and returns the row without its id.
func newPrefixList(in *ec2.CreateManagedPrefixListInput) (*store.PrefixList, error) {
	if err := required(
		parameter{"prefixListName", in.PrefixListName}, parameter{"addressFamily", in.AddressFamily},
	); err != nil {
		return nil, err
	}
	if in.MaxEntries == nil {
		return nil, missingParameter("maxEntries")
	}
	row := &store.PrefixList{
		Name: *in.PrefixListName, IPv6: *in.AddressFamily == "IPv6", MaxEntries: int(*in.MaxEntries),
		State: string(types.PrefixListStateCreateComplete),
	}
	if !row.IPv6 && *in.AddressFamily != "IPv4" {
		return nil, invalidValue("addressFamily", *in.AddressFamily, "Valid values are IPv4 and IPv6.")
	}
	if err := checkPrefixList(row.Name, row.MaxEntries); err != nil {
		return nil, err
	}
	entries, err := addEntries(row, nil, in.Entries)
	if err != nil {
		return nil, err
	}
	row.Versions = [][]store.PrefixListEntry{entries}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypePrefixList)
	row.Tags = tags[types.ResourceTypePrefixList]
	return row, err
}

// checkPrefixList refuses a name or a size that no prefix list can have.
func checkPrefixList(name string, size int) error {
	switch {
	case len(name) > 255 || strings.HasPrefix(name, "com.amazonaws"):
		return invalidValue("prefixListName", name, "It has more than 255 characters, or begins with com.amazonaws.")
	case size < 1 || size > maxPrefixListSize:
		return invalidValue("maxEntries", strconv.Itoa(size), "It must be from 1 to 1000.")
	}
	return nil
}

// addEntries returns entries with those that a request adds, in the order of their blocks. An
// entry with the block of another one replaces it.
func addEntries(
	row *store.PrefixList, entries []store.PrefixListEntry, added []types.AddPrefixListEntry,
) ([]store.PrefixListEntry, error) {
	entries = slices.Clone(entries)
	for i, entry := range added {
		block, err := netip.ParsePrefix(aws.ToString(entry.Cidr))
		if err != nil || block.Addr().Is6() != row.IPv6 {
			return nil, wire.Errorf("InvalidParameterValue", "CIDR block %s is malformed", aws.ToString(entry.Cidr))
		}
		block = block.Masked()
		same := func(e store.PrefixListEntry) bool { return e.CIDR == block }
		if slices.ContainsFunc(added[:i], func(e types.AddPrefixListEntry) bool {
			other, err := netip.ParsePrefix(aws.ToString(e.Cidr))
			return err == nil && other.Masked() == block
		}) {
			return nil, wire.Errorf("InvalidRequest", "The request contains the CIDR %s more than once", block)
		}
		entries = append(slices.DeleteFunc(entries, same), store.PrefixListEntry{
			CIDR: block, Description: aws.ToString(entry.Description),
		})
	}
	if len(entries) > row.MaxEntries {
		return nil, wire.Errorf("PrefixListMaxEntriesExceeded",
			"You have reached the maximum number of entries for your prefix list: %d", row.MaxEntries)
	}
	slices.SortFunc(entries, func(a, b store.PrefixListEntry) int { return a.CIDR.Compare(b.CIDR) })
	return entries, nil
}

// DescribeManagedPrefixLists lists prefix lists.
func (a *API) DescribeManagedPrefixLists(
	ctx context.Context, in *ec2.DescribeManagedPrefixListsInput,
) (*ec2.DescribeManagedPrefixListsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := prefixLists.describe(view, region, describeQuery{
		ids: in.PrefixListIds, idParameter: "prefixListIds", filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeManagedPrefixListsOutput{PrefixLists: list(rows, prefixListItem), NextToken: next}, nil
}

func prefixListItem(row *store.PrefixList) types.ManagedPrefixList {
	family := "IPv4"
	if row.IPv6 {
		family = "IPv6"
	}
	item := types.ManagedPrefixList{
		PrefixListId: aws.String(row.ID), PrefixListName: aws.String(row.Name), AddressFamily: aws.String(family),
		PrefixListArn: aws.String(resourceARN(row.Region, "prefix-list", row.ID)),
		State:         types.PrefixListState(row.State), OwnerId: aws.String(prefixListOwner(row)),
		Tags: tagSet(row.Tags),
	}
	if row.Owner == ownerAWS {
		item.PrefixListArn = aws.String("arn:aws:ec2:" + row.Region.Name() + ":aws:prefix-list/" + row.ID)
		return item
	}
	item.MaxEntries, item.Version = aws.Int32(int32(row.MaxEntries)), aws.Int64(int64(row.Version()))
	return item
}

func prefixListOwner(row *store.PrefixList) string { return cmp.Or(row.Owner, row.Region.Account()) }

// ownPrefixList returns a prefix list that the account can change: one that AWS does not
// manage.
func ownPrefixList(r store.Reader, region identity.Region, id string) (*store.PrefixList, error) {
	row, err := prefixLists.get(r, region, id)
	if err == nil && row.Owner == ownerAWS {
		return nil, wire.Errorf("OperationNotPermitted", "The prefix list %s is managed by AWS.", row.ID)
	}
	return row, err
}

// GetManagedPrefixListEntries lists the entries of a version of a prefix list.
func (a *API) GetManagedPrefixListEntries(
	ctx context.Context, in *ec2.GetManagedPrefixListEntriesInput,
) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	row, _, err := a.prefixList(ctx, in.DryRun, in.PrefixListId)
	if err != nil {
		return nil, err
	}
	entries := row.Entries()
	if in.TargetVersion != nil {
		if entries, err = entriesOf(row, *in.TargetVersion); err != nil {
			return nil, err
		}
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("", false); err != nil {
		return nil, err
	}
	key := func(e store.PrefixListEntry) string { return e.CIDR.Addr().StringExpanded() + e.CIDR.String() }
	entries, next, err := paginate(pages, entries, key)
	if err != nil {
		return nil, err
	}
	return &ec2.GetManagedPrefixListEntriesOutput{
		NextToken: next,
		Entries: list(entries, func(e store.PrefixListEntry) types.PrefixListEntry {
			return types.PrefixListEntry{
				Cidr: aws.String(e.CIDR.String()), Description: optionalString(e.Description),
			}
		}),
	}, nil
}

// prefixList returns the prefix list that a request to read names.
func (a *API) prefixList(
	ctx context.Context, dryRun *bool, id *string,
) (*store.PrefixList, store.Reader, error) {
	return named(ctx, a, &prefixLists, dryRun, parameter{"prefixListId", id})
}

// entriesOf returns the entries of a version.
func entriesOf(row *store.PrefixList, version int64) ([]store.PrefixListEntry, error) {
	if version < 1 || version > int64(row.Version()) {
		return nil, wire.Errorf("InvalidPrefixListVersion.NotFound",
			"The prefix list version %d does not exist for prefix list %s", version, row.ID)
	}
	return row.Versions[version-1], nil
}

// GetManagedPrefixListAssociations lists the security groups and the route tables that refer to
// a prefix list.
func (a *API) GetManagedPrefixListAssociations(
	ctx context.Context, in *ec2.GetManagedPrefixListAssociationsInput,
) (*ec2.GetManagedPrefixListAssociationsOutput, error) {
	row, view, err := a.prefixList(ctx, in.DryRun, in.PrefixListId)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("", false); err != nil {
		return nil, err
	}
	users, next, err := paginate(pages, prefixListUsers(view, row), func(id string) string { return id })
	if err != nil {
		return nil, err
	}
	return &ec2.GetManagedPrefixListAssociationsOutput{
		NextToken: next,
		PrefixListAssociations: list(users, func(id string) types.PrefixListAssociation {
			return types.PrefixListAssociation{
				ResourceId: aws.String(id), ResourceOwner: aws.String(row.Region.Account()),
			}
		}),
	}, nil
}

// prefixListUsers returns the ids of the security groups and the route tables that refer to a
// prefix list, in order.
func prefixListUsers(r store.Reader, row *store.PrefixList) []string {
	var users []string
	for _, table := range store.RouteTables.InRegion(r, row.Region) {
		if slices.ContainsFunc(table.Routes, func(route store.Route) bool { return route.PrefixListID == row.ID }) {
			users = append(users, table.ID)
		}
	}
	return append(users, list(groupsWithPrefixList(r, row), securityGroups.id)...)
}

// groupsWithPrefixList returns the security groups with a rule that refers to a prefix list.
func groupsWithPrefixList(r store.Reader, row *store.PrefixList) []*store.SecurityGroup {
	return slices.DeleteFunc(store.SecurityGroups.InRegion(r, row.Region), func(g *store.SecurityGroup) bool {
		return !slices.ContainsFunc(g.Rules, func(rule store.SecurityGroupRule) bool {
			return rule.PrefixListID == row.ID
		})
	})
}
