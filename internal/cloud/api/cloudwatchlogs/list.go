package cloudwatchlogs

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxListed is the largest page of ListLogGroups, maxDescribed the default.
const maxListed = 1000

const (
	listTokens page.Prefix = "listed-log-groups-after:"
	// listPattern is the form of up to five patterns (CloudWatch Logs API Reference, ListLogGroups).
	listPattern = `(\^?[\.\-_\/#A-Za-z0-9]{3,24})(\|\^?[\.\-_\/#A-Za-z0-9]{3,24}){0,4}`
)

var listForm = regexp.MustCompile("^" + listPattern + "$")

// ListLogGroups lists the names of log groups: those that match one of the patterns.
func (a *API) ListLogGroups(
	ctx context.Context, in *cloudwatchlogs.ListLogGroupsInput,
) (*cloudwatchlogs.ListLogGroupsOutput, error) {
	if err := checkList(in); err != nil {
		return nil, err
	}
	last, ok := listTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	var found []*store.LogGroup
	for _, row := range store.LogGroups.InRegion(a.Store.Read(ctx), wire.RegionFrom(ctx)) {
		if in.LogGroupNamePattern == nil || matchesPatterns(row.Name, *in.LogGroupNamePattern) {
			found = append(found, row)
		}
	}
	name := func(row *store.LogGroup) string { return row.Name }
	slices.SortFunc(found, func(x, y *store.LogGroup) int { return strings.Compare(x.Name, y.Name) })
	size := int(constraint.Default(in.Limit, maxDescribed))
	found, next := page.First(listTokens, page.After(found, last, name), size, name)
	out := &cloudwatchlogs.ListLogGroupsOutput{LogGroups: []types.LogGroupSummary{}, NextToken: next}
	for _, row := range found {
		out.LogGroups = append(out.LogGroups, types.LogGroupSummary{
			LogGroupName: &row.Name, LogGroupArn: aws.String(arnOf(row)), LogGroupClass: types.LogGroupClassStandard,
		})
	}
	return out, nil
}

func checkList(in *cloudwatchlogs.ListLogGroupsInput) error {
	pattern := aws.ToString(in.LogGroupNamePattern)
	switch {
	case aws.ToBool(in.IncludeLinkedAccounts) || len(in.AccountIdentifiers) > 0:
		return wire.NotImplemented("log groups of other accounts")
	case len(in.DataSources) > 0 || len(in.FieldIndexNames) > 0:
		return wire.NotImplemented("data sources and field indexes of CloudWatch Logs")
	case len(in.LogGroupTags) > 0:
		return wire.NotImplemented("the parameter LogGroupTags of CloudWatch Logs")
	case in.LogGroupNamePattern != nil && !listForm.MatchString(pattern):
		return model.Refuse("logGroupNamePattern", pattern, "satisfy regular expression pattern: %s", listPattern)
	}
	if err := checkClass(in.LogGroupClass); err != nil {
		return err
	}
	return model.Between("limit", in.Limit, 1, maxListed)
}

// matchesPatterns reports whether a name contains one of the patterns, or starts with one that starts with ^.
func matchesPatterns(name, patterns string) bool {
	for pattern := range strings.SplitSeq(patterns, "|") {
		prefix, anchored := strings.CutPrefix(pattern, "^")
		if anchored && strings.HasPrefix(name, prefix) || !anchored && strings.Contains(name, pattern) {
			return true
		}
	}
	return false
}
