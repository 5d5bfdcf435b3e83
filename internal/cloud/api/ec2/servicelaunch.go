package ec2

import (
	"context"
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

// Launch is a launch that another service, such as Auto Scaling, requests for the user.
type Launch struct {
	Template store.TemplateRef
	// Base has the parameters of a launch without a template, which the other fields
	// complete.
	Base     *ec2.RunInstancesInput
	Type     string // if set, replaces the template's
	SubnetID string // if set, replaces the template's, also in its network interfaces
	// PlacementGroup, if set, is the name of the placement group, instead of the template's.
	PlacementGroup string `json:",omitempty"`
	// Spot launches Spot Instances of one-time requests, for no more than MaxPrice if that is set.
	Spot     bool   `json:",omitempty"`
	MaxPrice string `json:",omitempty"`

	Count    int32
	Token    string     // client token; empty: none
	Tags     store.Tags // tags of instances; override the template's
	Reserved store.Tags // tags of instances with the prefix "aws:", which users cannot set

	// Also, if set, runs in the launch's transaction with the ids of its
	// instances. If Token was used before, they are those of the earlier launch.
	Also func(tx *store.Tx, ids []string) error `json:"-"`
}

// RunInstancesFor launches instances and returns their ids. It runs Launch.Also in the
// same transaction. Its errors are those of RunInstances.
func (a *API) RunInstancesFor(ctx context.Context, region identity.Region, l Launch) ([]string, error) {
	var ids []string
	request := launchRequest{in: l.input(), subnetID: l.SubnetID, identity: l, reserved: l.Reserved}
	ctx = wire.WithCaller(ctx, wire.Caller{Region: region})
	err := a.change(ctx, nil, func(tx *store.Tx, region identity.Region) (err error) {
		if ids, err = a.launchOnce(ctx, tx, region, request); err != nil || l.Also == nil {
			return err
		}
		return l.Also(tx, ids)
	})
	return ids, err
}

// CheckLaunch returns the error with which RunInstancesFor would refuse a launch at
// present, or an error if the caller of ctx may not make the launch or pass the role of
// its instance profile: later the service launches in the caller's place. Without a launch
// template the service launches with its own permissions, and the caller needs to be allowed
// the profile alone (Amazon EC2 Auto Scaling User Guide, "Control Amazon EC2 launch template
// usage in Auto Scaling groups"). CheckLaunch does not check whether the subnet has free
// addresses, and changes nothing.
func (a *API) CheckLaunch(ctx context.Context, region identity.Region, l Launch) error {
	if err := a.EnsureRegion(region); err != nil {
		return err
	}
	view := a.Store.View()
	resolved, err := a.resolveLaunch(view, region, l.input(), l.SubnetID)
	if err != nil {
		return err
	}
	if l.Base == nil {
		in := l.input()
		in.SubnetId = optionalString(l.SubnetID)
		if err := a.Authorize(ctx, wire.Call{Service: "ec2", Operation: "RunInstances", Input: in}); err != nil {
			return err
		}
	}
	return a.passProfile(ctx, view, resolved.profile)
}

// ResolveTemplate completes a reference to a launch template with its id, its name and
// the number of the version that the reference names at present. Its errors are those
// of RunInstances.
func (a *API) ResolveTemplate(region identity.Region, ref store.TemplateRef) (store.TemplateRef, error) {
	row, v, err := findTemplateVersion(a.Store.View(), region, templateSpecification(ref))
	if err != nil {
		return store.TemplateRef{}, err
	}
	return store.TemplateRef{ID: row.ID, Name: row.Name, Version: strconv.FormatInt(v.Number, 10)}, nil
}

// UsesImageAlias reports whether a version of a launch template names its image by a
// parameter of Systems Manager.
func (a *API) UsesImageAlias(r store.Reader, region identity.Region, ref store.TemplateRef) (bool, error) {
	_, v, err := findTemplateVersion(r, region, templateSpecification(ref))
	if err != nil {
		return false, err
	}
	data, err := decodeData(v)
	if err != nil {
		return false, err
	}
	return strings.HasPrefix(aws.ToString(data.ImageId), imageAlias), nil
}

func templateSpecification(ref store.TemplateRef) *types.LaunchTemplateSpecification {
	s := &types.LaunchTemplateSpecification{
		LaunchTemplateId: optionalString(ref.ID), Version: optionalString(ref.Version),
	}
	if ref.ID == "" {
		s.LaunchTemplateName = optionalString(ref.Name)
	}
	return s
}

// input returns the launch as RunInstances' input. With a template it lacks the subnet:
// where that belongs depends on the template.
func (l Launch) input() *ec2.RunInstancesInput {
	in := &ec2.RunInstancesInput{LaunchTemplate: templateSpecification(l.Template)}
	if l.Base != nil {
		in = withSubnet(l.Base, l.SubnetID)
	}
	count := aws.Int32(max(l.Count, 1))
	in.MinCount, in.MaxCount, in.ClientToken = count, count, optionalString(l.Token)
	if l.Type != "" {
		in.InstanceType = types.InstanceType(l.Type)
	}
	if l.PlacementGroup != "" {
		placement := types.Placement{}
		if in.Placement != nil {
			placement = *in.Placement
		}
		placement.GroupName, in.Placement = &l.PlacementGroup, &placement
	}
	if l.Spot {
		in.InstanceMarketOptions = &types.InstanceMarketOptionsRequest{
			MarketType:  types.MarketTypeSpot,
			SpotOptions: &types.SpotMarketOptions{MaxPrice: optionalString(l.MaxPrice)},
		}
	}
	if len(l.Tags) > 0 {
		in.TagSpecifications = []types.TagSpecification{
			{ResourceType: types.ResourceTypeInstance, Tags: tagSet(l.Tags)},
		}
	}
	return in
}

// withSubnet returns a copy of the input with a subnet, unless that is empty: in all network
// interfaces if the launch has some. The subnet decides the zone, whatever a template says.
func withSubnet(in *ec2.RunInstancesInput, subnetID string) *ec2.RunInstancesInput {
	out := *in
	if subnetID != "" && in.Placement != nil {
		placement := *in.Placement
		placement.AvailabilityZone, placement.AvailabilityZoneId, out.Placement = nil, nil, &placement
	}
	switch {
	case subnetID == "":
	case len(in.NetworkInterfaces) == 0:
		out.SubnetId = &subnetID
	default:
		out.NetworkInterfaces = slices.Clone(in.NetworkInterfaces)
		for i := range out.NetworkInterfaces {
			out.NetworkInterfaces[i].SubnetId = &subnetID
		}
	}
	return &out
}
