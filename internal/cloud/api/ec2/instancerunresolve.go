package ec2

import (
	"cmp"
	"maps"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// launch is a RunInstances request with the resources that it names.
type launch struct {
	in           *ec2.RunInstancesInput // merged with the launch template
	image        *store.Image
	snapshot     *store.Snapshot
	layers       []string // of the snapshot
	subnet       *store.Subnet
	anyZone      bool              // the request leaves the zone to EC2
	interfaces   []launchInterface // the primary one first
	public       bool
	tags         map[types.ResourceType]store.Tags
	profile      *store.InstanceProfile // nil: none
	templateTags store.Tags             // tags that name the launch template
	setting      store.AccountSetting
	root         rootVolume
	group        placementGroup             // nil: none
	room         int32                      // how many more instances fit in the group; zero: any number
	fleetID      string                     // of the EC2 Fleet that launches; "": none
	volumes      []types.BlockDeviceMapping // besides the root volume
}

// rootVolume is what a launch asks for its instances' root volumes.
type rootVolume struct {
	shape     store.VolumeShape
	encrypted bool
	keyARN    string // of the encryption; "": none
	keep      bool   // after the termination of its instance
}

// launchTagTypes are the types of resources that a launch can tag.
var launchTagTypes = []types.ResourceType{
	types.ResourceTypeInstance,
	types.ResourceTypeVolume,
	types.ResourceTypeNetworkInterface,
}

// templateTagTypes are the types of resources that a launch template can tag, and a launch of Spot
// Instances.
var templateTagTypes = append([]types.ResourceType{types.ResourceTypeSpotInstancesRequest}, launchTagTypes...)

// taggedBy returns the types of resources that a request can tag: it says, or its template may, that
// it is of Spot Instances.
func taggedBy(in *ec2.RunInstancesInput) []types.ResourceType {
	if in.InstanceMarketOptions != nil || in.LaunchTemplate != nil {
		return templateTagTypes
	}
	return launchTagTypes
}

// resolveLaunch merges a request with the launch template that it names,
// validates the result and finds the resources that it names. It finds the
// template once, so that one launch never uses two versions. subnetID, if set,
// replaces the template's subnet.
func (a *API) resolveLaunch(
	r store.Reader, region identity.Region, in *ec2.RunInstancesInput, subnetID string,
) (*launch, error) {
	tags, err := tagsOfSpecifications(in.TagSpecifications, taggedBy(in)...)
	if err != nil {
		return nil, err
	}
	row, v, err := findTemplateVersion(r, region, in.LaunchTemplate)
	if err != nil {
		return nil, err
	}
	l := &launch{in: in, tags: tags, setting: store.SettingOf(r, region)}
	if v != nil {
		if err := l.merge(row, v, subnetID); err != nil {
			return nil, err
		}
	}
	if err := checkLaunch(l.in); err != nil {
		return nil, err
	}
	for _, kind := range launchTagTypes {
		if countUserTags(l.tags[kind]) > maxTags {
			return nil, wire.Errorf("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
		}
	}
	if p := l.in.Placement; p != nil && aws.ToString(p.AvailabilityZone) != "" {
		if err := checkZones(a.zones(region), []string{*p.AvailabilityZone}, nil); err != nil {
			return nil, err
		}
	}
	if err := l.resolve(r, region, a.launchImage); err != nil {
		return nil, err
	}
	if l.layers, err = a.rootLayers(l.snapshot); err != nil {
		return nil, err
	}
	l.setTags(types.ResourceTypeInstance, l.tags[types.ResourceTypeInstance], l.templateTags)
	return l, nil
}

// rootLayers returns the layers of a machine whose root volume is created of a snapshot.
func (a *API) rootLayers(of snap) ([]string, error) {
	switch {
	case of.InFile && a.Simulated:
		return []string{of.ID}, nil
	case of.InFile:
		return nil, wire.Errorf("UnsupportedOperation", "aloft's local cloud starts machines of root volumes: the "+
			"snapshot %s is of another volume.", of.ID)
	}
	return of.Layers, nil
}

func imageUnavailable(image ami, state string) error {
	return wire.Errorf("InvalidAMIID.Unavailable",
		"The image ID '%s' is not available: it is %s. %s", image.ID, state, image.StateReason)
}

// merge merges the request with a version of the launch template that it names.
func (l *launch) merge(row template, v version, subnetID string) error {
	data, err := decodeData(v)
	if err != nil {
		return err
	}
	if err := cmp.Or(
		checkGroupInterfaces(data, subnetID), checkNamesType(data, l.in), checkGraphics(data),
	); err != nil {
		return err
	}
	merged, err := mergeTemplate(data, l.in)
	if err != nil {
		return err
	}
	l.in = withSubnet(merged, subnetID)
	tags, err := tagsOfSpecifications(dataTagSpecifications(data), templateTagTypes...)
	if err != nil {
		return err
	}
	for _, kind := range templateTagTypes {
		l.setTags(kind, tags[kind], l.tags[kind])
	}
	l.templateTags = store.Tags{templateOfInstanceTag: row.ID, templateVersionTag: strconv.FormatInt(v.Number, 10)}
	return nil
}

// setTags sets the tags of the launched resources of a type. Later sets override
// earlier ones.
func (l *launch) setTags(kind types.ResourceType, sets ...store.Tags) {
	all := store.Tags{}
	for _, tags := range sets {
		maps.Copy(all, tags)
	}
	l.tags[kind] = all
}

// resolve finds the resources that the request names, and its image with find.
func (l *launch) resolve(
	r store.Reader, region identity.Region,
	find func(r store.Reader, region identity.Region, id string) (*store.Image, error),
) error {
	id, err := resolveImageAlias(r, region, *l.in.ImageId)
	if err != nil {
		return err
	}
	if l.image, err = find(r, region, id); err != nil {
		return err
	}
	if state := imageState(l.image); state != string(types.ImageStateAvailable) {
		return imageUnavailable(l.image, state)
	}
	if l.snapshot, err = contentOf(r, l.image.SnapshotID); err != nil {
		return err
	}
	t, ok := instancetype.ByName(instanceTypeName(l.in))
	if !ok {
		return wire.Errorf("InvalidParameterValue", "Invalid value '%s' for InstanceType.", l.in.InstanceType)
	}
	if err := cmp.Or(checkArchitecture(t, l.image.Architecture), checkTraits(t, l.image.Traits)); err != nil {
		return err
	}
	if o := l.in.CpuOptions; o != nil {
		if err := checkCPUs(t, o.CoreCount, o.ThreadsPerCore); err != nil {
			return err
		}
	}
	if name := aws.ToString(l.in.KeyName); name != "" && len(store.KeyPairsByName.List(r, region.Key(name))) == 0 {
		return keyPairNotFound(name)
	}
	if err := l.resolveVolumes(r); err != nil {
		return err
	}
	if l.profile, err = findProfile(r, region, l.in.IamInstanceProfile); err != nil {
		return err
	}
	if err := l.resolvePlacement(r, region); err != nil {
		return err
	}
	return l.resolveNetwork(r, region)
}

// checkArchitecture returns an error unless machines of a type run an image's programs.
// The message is AWS's, as users of Terraform, eksctl and SkyPilot report it.
func checkArchitecture(t instancetype.Type, image string) error {
	if string(t.Architecture) == image {
		return nil
	}
	return wire.Errorf("InvalidParameterValue",
		"The architecture '%s' of the specified instance type does not match the architecture '%s' of the specified "+
			"AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can use "+
			"'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI.",
		t.Architecture, image)
}

// launchSubnet returns the subnet with the id or, without an id, the default subnet of
// the placement's zone.
func launchSubnet(
	r store.Reader, region identity.Region, id *string, placement *types.Placement,
) (*store.Subnet, error) {
	zone := ""
	if placement != nil {
		zone = aws.ToString(placement.AvailabilityZone)
	}
	if aws.ToString(id) != "" {
		subnet, err := subnets.get(r, region, *id)
		if err == nil && zone != "" && subnet.Zone != zone {
			return nil, wire.Errorf(
				"InvalidParameterValue", "The availability zone '%s' is not that of subnet '%s'.", zone, subnet.ID,
			)
		}
		return subnet, err
	}
	for _, subnet := range store.Subnets.InRegion(r, region) {
		if subnet.DefaultForAZ && (zone == "" || subnet.Zone == zone) {
			return subnet, nil
		}
	}
	return nil, wire.Errorf("MissingInput", "No subnets found for the default VPC. Please specify a subnet.")
}

// securityGroupIDs returns the ids of the security groups that a request names, or
// that of the default security group of the subnet's VPC.
func securityGroupIDs(
	r store.Reader, region identity.Region, subnet *store.Subnet, ids, names []string,
) ([]string, error) {
	var groups []string
	for _, id := range ids {
		group, err := securityGroups.get(r, region, id)
		if err != nil {
			return nil, err
		}
		if group.VPCID != subnet.VPCID {
			return nil, wire.Errorf(
				"InvalidParameter", "Security group %s and subnet %s belong to different networks.", id, subnet.ID,
			)
		}
		groups = append(groups, group.ID)
	}
	if len(names) == 0 && len(ids) == 0 {
		names = []string{"default"}
	}
	for _, name := range names {
		group, ok := groupNamed(r, subnet.VPCID, name)
		if !ok {
			return nil, wire.Errorf(
				"InvalidGroup.NotFound", "The security group '%s' does not exist in VPC '%s'", name, subnet.VPCID,
			)
		}
		groups = append(groups, group.ID)
	}
	return groups, nil
}
