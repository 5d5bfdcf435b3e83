package ssm

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// pingInterval is the time between two reports of an agent. After twice that time without
// one, its connection counts as lost.
const pingInterval = 5 * time.Minute

// maxAgentText is the length of the longest text that an agent reports.
const maxAgentText = 256

// UpdateInstanceInformationInput is an agent's report about itself and its machine. The
// SDK lacks the operation, which only agents call (github.com/aws/amazon-ssm-agent).
type UpdateInstanceInformationInput struct {
	InstanceId                                  *string
	AgentName, AgentVersion, AgentStatus        *string
	PlatformType, PlatformName, PlatformVersion *string
	ComputerName, IPAddress                     *string
	AvailabilityZone, AvailabilityZoneId        *string
	SSMConnectionChannel                        *string
}

// UpdateInstanceInformationOutput is empty.
type UpdateInstanceInformationOutput struct{}

// UpdateInstanceInformation records the report of an instance's agent, which makes the
// instance a managed one.
func (a *API) UpdateInstanceInformation(
	ctx context.Context, in *UpdateInstanceInformationInput,
) (*UpdateInstanceInformationOutput, error) {
	id := aws.ToString(in.InstanceId)
	switch {
	case id == "":
		return nil, model.Null("instanceId")
	case wire.CallerFrom(ctx).Instance() != id:
		return nil, wire.Errorf("AccessDeniedException", "The credentials are not those of the instance %s.", id)
	case in.PlatformType != nil && *in.PlatformType != string(types.PlatformTypeLinux):
		return nil, model.OutOfSet("platformType", *in.PlatformType, string(types.PlatformTypeLinux))
	}
	for _, text := range []*string{
		in.AgentName, in.AgentVersion, in.AgentStatus, in.PlatformName, in.PlatformVersion, in.ComputerName,
		in.IPAddress,
	} {
		if len(aws.ToString(text)) > maxAgentText {
			return nil, model.Errorf("A text of the report has more than %d characters.", maxAgentText)
		}
	}
	return &UpdateInstanceInformationOutput{}, a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		row, ok := store.Instances.Get(tx, id)
		if !ok || row.Region != region || row.State == store.Terminated {
			return &wire.Error{Code: "InvalidInstanceId"}
		}
		old, ok := store.ManagedInstances.Get(tx, id)
		if !ok {
			old = &store.ManagedInstance{ID: id, Region: region}
		}
		store.ManagedInstances.Put(tx, reported(*old, in, a.Now().UTC()))
		return nil
	})
}

// reported returns a row with what an agent reports. Reports may leave out what has not
// changed.
func reported(row store.ManagedInstance, in *UpdateInstanceInformationInput, now time.Time) *store.ManagedInstance {
	for _, member := range []struct {
		field *string
		given *string
	}{
		{&row.AgentName, in.AgentName}, {&row.AgentVersion, in.AgentVersion}, {&row.AgentStatus, in.AgentStatus},
		{&row.PlatformType, in.PlatformType}, {&row.PlatformName, in.PlatformName},
		{&row.PlatformVersion, in.PlatformVersion}, {&row.ComputerName, in.ComputerName},
		{&row.IPAddress, in.IPAddress},
	} {
		if member.given != nil {
			*member.field = *member.given
		}
	}
	row.LastPing = now
	return &row
}

// The sizes of DescribeInstanceInformation's pages.
const (
	minInformation     = 5
	maxInformation     = 50
	defaultInformation = 10
)

// DescribeInstanceInformation describes the instances whose agents have reported, without
// those that are stopped.
func (a *API) DescribeInstanceInformation(
	ctx context.Context, in *ssm.DescribeInstanceInformationInput,
) (*ssm.DescribeInstanceInformationOutput, error) {
	if err := model.Between("maxResults", in.MaxResults, minInformation, maxInformation); err != nil {
		return nil, err
	}
	filters, err := informationFilters(in)
	if err != nil {
		return nil, err
	}
	last, ok := pageTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	view, region, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	var found []types.InstanceInformation
	for _, row := range store.ManagedInstances.InRegion(view, region) {
		instance, ok := store.Instances.Get(view, row.ID)
		if !ok || instance.State == store.Stopped || instance.State == store.Terminated {
			continue
		}
		information := a.describeManaged(row)
		fails := func(f informationFilter) bool { return !f.matches(information, instance.Tags) }
		if !slices.ContainsFunc(filters, fails) {
			found = append(found, information)
		}
	}
	id := func(i types.InstanceInformation) string { return *i.InstanceId }
	size := int(constraint.Default(in.MaxResults, defaultInformation))
	found, next := page.First(pageTokens, page.After(found, last, id), size, id)
	return &ssm.DescribeInstanceInformationOutput{
		InstanceInformationList: append([]types.InstanceInformation{}, found...), NextToken: next,
	}, nil
}

func (a *API) describeManaged(row *store.ManagedInstance) types.InstanceInformation {
	status := types.PingStatusOnline
	if a.Now().Sub(row.LastPing) > 2*pingInterval {
		status = types.PingStatusConnectionLost
	}
	return types.InstanceInformation{
		InstanceId: &row.ID, PingStatus: status, LastPingDateTime: &row.LastPing,
		AgentVersion:    optional(row.AgentVersion),
		IsLatestVersion: aws.Bool(true), PlatformType: types.PlatformType(row.PlatformType),
		PlatformName: optional(row.PlatformName), PlatformVersion: optional(row.PlatformVersion),
		ResourceType: types.ResourceTypeEc2Instance, IPAddress: optional(row.IPAddress),
		ComputerName: optional(row.ComputerName), SourceId: &row.ID, SourceType: types.SourceTypeAwsEc2Instance,
	}
}

// informationFilter is a filter of DescribeInstanceInformation.
type informationFilter struct {
	key    string
	values []string
}

// informationKeys are the keys of filters besides those for tags.
var informationKeys = []string{
	"InstanceIds", "AgentVersion", "PingStatus", "PlatformTypes", "ActivationIds", "IamRole", "ResourceType",
	"AssociationStatus", "SourceIds", "SourceTypes",
}

// informationFilters returns the filters of a request, which has them in one of two forms.
func informationFilters(in *ssm.DescribeInstanceInformationInput) ([]informationFilter, error) {
	if len(in.Filters) > 0 && len(in.InstanceInformationFilterList) > 0 {
		return nil, model.Errorf("Filters and InstanceInformationFilterList cannot be specified together.")
	}
	malformed := func(id string) bool { return checkInstance(&id) != nil }
	var all []informationFilter
	for _, f := range in.Filters {
		all = append(all, informationFilter{aws.ToString(f.Key), f.Values})
	}
	for _, f := range in.InstanceInformationFilterList {
		all = append(all, informationFilter{string(f.Key), f.ValueSet})
	}
	for _, f := range all {
		switch {
		case !slices.Contains(informationKeys, f.key) && !f.byTag():
			return nil, wire.Errorf("InvalidFilterKey", "The filter key %q is not valid.", f.key)
		case len(f.values) == 0:
			return nil, wire.Errorf("InvalidInstanceInformationFilterValue", "The filter %s has no values.", f.key)
		case f.byTag() && slices.ContainsFunc(all, func(other informationFilter) bool { return !other.byTag() }):
			return nil, wire.Errorf("InvalidFilterKey", "Filters for tags cannot be combined with others.")
		case f.key == runcommand.InstancesKey && slices.ContainsFunc(f.values, malformed):
			return nil, wire.Errorf("InvalidInstanceInformationFilterValue",
				"A value of the filter InstanceIds is not the id of an instance.")
		}
	}
	return all, nil
}

func (f informationFilter) byTag() bool {
	return f.key == "tag-key" || strings.HasPrefix(f.key, "tag:")
}

// matches reports whether the filter matches an instance with the tags.
func (f informationFilter) matches(i types.InstanceInformation, tags store.Tags) bool {
	has := func(value string) bool { return slices.Contains(f.values, value) }
	switch f.key {
	case "InstanceIds", "SourceIds":
		return has(*i.InstanceId)
	case "AgentVersion":
		return has(aws.ToString(i.AgentVersion))
	case "PingStatus":
		return has(string(i.PingStatus))
	case "PlatformTypes":
		return has(string(i.PlatformType))
	case "ResourceType":
		return has(string(i.ResourceType))
	case "SourceTypes":
		return has(string(i.SourceType))
	case "tag-key":
		return slices.ContainsFunc(f.values, func(key string) bool { _, ok := tags[key]; return ok })
	case "ActivationIds", "IamRole", "AssociationStatus": // no instance has these
		return false
	}
	value, ok := tags[strings.TrimPrefix(f.key, "tag:")]
	return ok && has(value)
}
