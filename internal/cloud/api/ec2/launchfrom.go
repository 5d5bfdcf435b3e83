package ec2

import (
	"context"
	"maps"
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

// taggedAtLaunch are the kinds of resources that a launch can tag.
var taggedAtLaunch = []types.ResourceType{
	types.ResourceTypeInstance,
	types.ResourceTypeVolume,
	types.ResourceTypeNetworkInterface,
}

// templateFor finds the version of a launch template that a launch names, or
// nils if it names none.
func templateFor(r store.Reader, region string, s *types.LaunchTemplateSpecification) (template, version, error) {
	if s == nil {
		return nil, nil, nil
	}
	row, err := templateOf(r, region, s.LaunchTemplateId, s.LaunchTemplateName, "launch instances")
	if err != nil {
		return nil, nil, err
	}
	v, err := versionOf(r, row, aws.ToString(s.Version))
	return row, v, err
}

// understand reads a launch request, over the launch template that it may name,
// and finds what both name.
func understand(r store.Reader, region string, in *ec2.RunInstancesInput) (*launch, error) {
	tags, err := tagsAtCreation(in.TagSpecifications, taggedAtLaunch...)
	if err != nil {
		return nil, err
	}
	row, v, err := templateFor(r, region, in.LaunchTemplate)
	if err != nil {
		return nil, err
	}
	l := &launch{in: in, tags: tags}
	if v != nil {
		data, err := decodeData(v)
		if err != nil {
			return nil, err
		}
		if l.in, err = over(data, in); err != nil {
			return nil, err
		}
		theirs, err := tagsAtCreation(tagsOfData(data), taggedAtLaunch...)
		if err != nil {
			return nil, err
		}
		for _, kind := range taggedAtLaunch {
			l.tag(kind, theirs[kind], tags[kind])
		}
		l.own = store.Tags{templateOfInstanceTag: row.ID, templateVersionTag: strconv.FormatInt(v.Number, 10)}
	}
	if err := checkLaunch(l.in); err != nil {
		return nil, err
	}
	for _, kind := range taggedAtLaunch {
		if userTags(l.tags[kind]) > maxTags {
			return nil, wire.Errorf("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
		}
	}
	if err := l.resolve(r, region); err != nil {
		return nil, err
	}
	l.tag(types.ResourceTypeInstance, l.tags[types.ResourceTypeInstance], l.own)
	return l, nil
}

// tag gives what is launched tags of a kind, later ones over earlier ones.
func (l *launch) tag(kind types.ResourceType, sets ...store.Tags) {
	all := store.Tags{}
	for _, tags := range sets {
		maps.Copy(all, tags)
	}
	l.tags[kind] = all
}

// over is the request with what a template's data has for the parameters that
// the request lacks. A parameter of the request replaces that of the template
// (Amazon EC2 API Reference, RunInstances: LaunchTemplate), where it is a list
// the item of the same device, and in Placement field by field. Groups by id
// and by name are one parameter.
func over(data *types.RequestLaunchTemplateData, in *ec2.RunInstancesInput) (*ec2.RunInstancesInput, error) {
	out, err := launchWith(data)
	if err != nil {
		return nil, err
	}
	if len(in.SecurityGroupIds)+len(in.SecurityGroups) > 0 {
		out.SecurityGroupIds, out.SecurityGroups = nil, nil
	}
	placement, nic, disks := out.Placement, primary(out.NetworkInterfaces), out.BlockDeviceMappings
	overlay(out, in)
	if placement != nil && in.Placement != nil {
		overlay(placement, in.Placement)
		out.Placement = placement
	}
	if wish := primary(in.NetworkInterfaces); nic != nil && wish != nil && len(in.NetworkInterfaces) == 1 {
		overlay(nic, wish)
		out.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{*nic}
	}
	for _, disk := range disks {
		same := func(d types.BlockDeviceMapping) bool {
			return aws.ToString(d.DeviceName) == aws.ToString(disk.DeviceName)
		}
		if len(in.BlockDeviceMappings) > 0 && !slices.ContainsFunc(in.BlockDeviceMappings, same) {
			out.BlockDeviceMappings = append(slices.Clip(out.BlockDeviceMappings), disk)
		}
	}
	return out, nil
}

// Launch is a launch from a launch template by another service on a user's
// behalf, such as Auto Scaling.
type Launch struct {
	Template store.TemplateRef
	Type     string // in place of the template's, if set
	SubnetID string // in place of the template's, also where that has it in a network interface
	Count    int32
	Token    string     // a launch with the token of one that was made gives that one's instances; "": no token
	Tags     store.Tags // of instances, over those of the template
	Reserved store.Tags // of instances: keys that begin with "aws:", which users may not set

	// Also runs in the launch's transaction with the ids of its instances, those
	// of the earlier launch if the token comes again. Nil: nothing more.
	Also func(tx *store.Tx, ids []string) error `json:"-"`
}

// RunInstancesFor launches instances as RunInstances does, in one transaction
// with Launch.Also, and returns their ids. It returns RunInstances' errors.
func (a *API) RunInstancesFor(ctx context.Context, region string, l Launch) ([]string, error) {
	var ids []string
	ctx = wire.WithCaller(ctx, wire.Caller{AccountID: identity.Account, Region: region})
	err := a.change(ctx, nil, func(tx *store.Tx, region string) (err error) {
		if ids, err = a.run(tx, region, l.request(tx, region), l, l.Reserved); err != nil || l.Also == nil {
			return err
		}
		return l.Also(tx, ids)
	})
	return ids, err
}

// CheckLaunch tells why RunInstancesFor would refuse a launch now, but for the
// room that its subnet has. It changes nothing.
func (a *API) CheckLaunch(region string, l Launch) error {
	if err := a.EnsureRegion(region); err != nil {
		return err
	}
	view := a.Store.View()
	_, err := understand(view, region, l.request(view, region))
	return err
}

// ResolveTemplate returns a reference to a launch template with id, name and the
// number of the version that it means now, or RunInstances' error.
func (a *API) ResolveTemplate(region string, ref store.TemplateRef) (store.TemplateRef, error) {
	row, v, err := templateFor(a.Store.View(), region, specificationOf(ref))
	if err != nil {
		return store.TemplateRef{}, err
	}
	return store.TemplateRef{ID: row.ID, Name: row.Name, Version: strconv.FormatInt(v.Number, 10)}, nil
}

// UsesImageAlias tells whether the version of a launch template that a reference
// means names its image by a parameter of Systems Manager.
func (a *API) UsesImageAlias(r store.Reader, region string, ref store.TemplateRef) (bool, error) {
	_, v, err := templateFor(r, region, specificationOf(ref))
	if err != nil {
		return false, err
	}
	data, err := decodeData(v)
	if err != nil {
		return false, err
	}
	return strings.HasPrefix(aws.ToString(data.ImageId), imageAlias), nil
}

func specificationOf(ref store.TemplateRef) *types.LaunchTemplateSpecification {
	s := &types.LaunchTemplateSpecification{LaunchTemplateId: optional(ref.ID), Version: optional(ref.Version)}
	if ref.ID == "" {
		s.LaunchTemplateName = optional(ref.Name)
	}
	return s
}

// request is the launch as a user would ask for it.
func (l Launch) request(r store.Reader, region string) *ec2.RunInstancesInput {
	in := &ec2.RunInstancesInput{
		LaunchTemplate: specificationOf(l.Template),
		InstanceType:   types.InstanceType(l.Type), SubnetId: optional(l.SubnetID),
		MinCount: aws.Int32(max(l.Count, 1)), MaxCount: aws.Int32(max(l.Count, 1)), ClientToken: optional(l.Token),
	}
	if len(l.Tags) > 0 {
		in.TagSpecifications = []types.TagSpecification{
			{ResourceType: types.ResourceTypeInstance, Tags: tagSet(l.Tags)},
		}
	}
	if _, v, err := templateFor(r, region, in.LaunchTemplate); err == nil && in.SubnetId != nil {
		if data, err := decodeData(v); err == nil && len(data.NetworkInterfaces) > 0 {
			in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{
				{DeviceIndex: aws.Int32(0), SubnetId: in.SubnetId},
			}
			in.SubnetId = nil
		}
	}
	return in
}
