package ec2

import (
	"context"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ModifyManagedPrefixList changes the entries of a prefix list, which makes a new version of
// it, or its name and its size. The rules that refer to it follow at once.
func (a *API) ModifyManagedPrefixList(
	ctx context.Context, in *ec2.ModifyManagedPrefixListInput,
) (*ec2.ModifyManagedPrefixListOutput, error) {
	if err := required(parameter{"prefixListId", in.PrefixListId}); err != nil {
		return nil, err
	}
	if err := unsupported(map[string]bool{
		"ipamPrefixListResolverSyncEnabled": aws.ToBool(in.IpamPrefixListResolverSyncEnabled),
	}); err != nil {
		return nil, err
	}
	entries := len(in.AddEntries)+len(in.RemoveEntries) > 0
	if entries && in.MaxEntries != nil {
		return nil, wire.Errorf("InvalidParameterCombination",
			"You cannot modify the entries and the maximum entries for the prefix list in the same request.")
	}
	out := &ec2.ModifyManagedPrefixListOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		old, err := ownPrefixList(tx, region, *in.PrefixListId)
		if err != nil {
			return err
		}
		row := *old
		if entries {
			if err := checkVersion(old, in.CurrentVersion); err != nil {
				return err
			}
			if err := changeEntries(&row, in); err != nil {
				return err
			}
		}
		if in.MaxEntries != nil {
			row.MaxEntries = int(*in.MaxEntries)
			if row.MaxEntries < len(row.Entries()) {
				return invalidValue("maxEntries", "", "The prefix list has more entries.")
			}
		}
		setIfGiven(&row.Name, aws.ToString(in.PrefixListName))
		if err := checkPrefixList(row.Name, row.MaxEntries); err != nil {
			return err
		}
		row.State = string(types.PrefixListStateModifyComplete)
		store.PrefixLists.Put(tx, &row)
		for _, group := range groupsWithPrefixList(tx, &row) {
			for _, egress := range []bool{false, true} {
				if err := a.limitRules(countRules(tx, group.Rules, egress)); err != nil {
					return err
				}
			}
		}
		item := prefixListItem(&row)
		item.State = types.PrefixListStateModifyInProgress
		out.PrefixList = &item
		return nil
	})
}

// checkVersion refuses a change of a version that is not the present one.
func checkVersion(row *store.PrefixList, version *int64) error {
	switch {
	case version == nil:
		return missingParameter("currentVersion")
	case *version != int64(row.Version()):
		return wire.Errorf("PrefixListVersionMismatch", "The prefix list has the incorrect version number.")
	}
	return nil
}

// changeEntries gives a row a version with the entries that a request makes of the last.
func changeEntries(row *store.PrefixList, in *ec2.ModifyManagedPrefixListInput) error {
	entries := slices.Clone(row.Entries())
	for _, removed := range in.RemoveEntries {
		if slices.ContainsFunc(in.AddEntries, func(added types.AddPrefixListEntry) bool {
			return aws.ToString(added.Cidr) == aws.ToString(removed.Cidr)
		}) {
			return wire.Errorf("InvalidParameterValue",
				"Request cannot contain Cidr %s in both AddPrefixListEntries and RemovePrefixListEntries",
				aws.ToString(removed.Cidr))
		}
		block, err := netip.ParsePrefix(aws.ToString(removed.Cidr))
		same := func(e store.PrefixListEntry) bool { return e.CIDR == block.Masked() }
		if err != nil || !slices.ContainsFunc(entries, same) {
			return wire.Errorf("InvalidParameterValue",
				"The entry %s does not exist in the prefix list", aws.ToString(removed.Cidr))
		}
		entries = slices.DeleteFunc(entries, same)
	}
	entries, err := addEntries(row, entries, in.AddEntries)
	row.Versions = append(slices.Clip(row.Versions), entries)
	return err
}

// RestoreManagedPrefixListVersion makes the entries of an earlier version those of a new one.
func (a *API) RestoreManagedPrefixListVersion(
	ctx context.Context, in *ec2.RestoreManagedPrefixListVersionInput,
) (*ec2.RestoreManagedPrefixListVersionOutput, error) {
	if err := required(parameter{"prefixListId", in.PrefixListId}); err != nil {
		return nil, err
	}
	if in.PreviousVersion == nil {
		return nil, missingParameter("previousVersion")
	}
	out := &ec2.RestoreManagedPrefixListVersionOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		old, err := ownPrefixList(tx, region, *in.PrefixListId)
		if err != nil {
			return err
		}
		if err := checkVersion(old, in.CurrentVersion); err != nil {
			return err
		}
		entries, err := entriesOf(old, *in.PreviousVersion)
		if err != nil {
			return err
		}
		row := *old
		row.Versions = append(slices.Clip(row.Versions), entries)
		row.State = string(types.PrefixListStateRestoreComplete)
		store.PrefixLists.Put(tx, &row)
		item := prefixListItem(&row)
		item.State = types.PrefixListStateRestoreInProgress
		out.PrefixList = &item
		return nil
	})
}

// DeleteManagedPrefixList deletes a prefix list that no rule and no route refers to.
func (a *API) DeleteManagedPrefixList(
	ctx context.Context, in *ec2.DeleteManagedPrefixListInput,
) (*ec2.DeleteManagedPrefixListOutput, error) {
	if err := required(parameter{"prefixListId", in.PrefixListId}); err != nil {
		return nil, err
	}
	out := &ec2.DeleteManagedPrefixListOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := ownPrefixList(tx, region, *in.PrefixListId)
		if err != nil {
			return err
		}
		if len(prefixListUsers(tx, row)) > 0 {
			return dependencyViolation("prefixList", row.ID)
		}
		store.PrefixLists.Delete(tx, row.ID)
		item := prefixListItem(row)
		item.State = types.PrefixListStateDeleteInProgress
		out.PrefixList = &item
		return nil
	})
}
