package authorization

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud/servicerole"
	"aloft.dev/aloft/internal/cloud/store"
)

// launchNeeds returns the permissions of a launch: to use the image, the subnet and all
// else that the call or its launch template names, and to create the rest (Amazon EC2
// User Guide, "Example policies to control access to the Amazon EC2 API: Launch
// instances"). The ec2 API checks that the caller may pass the instance profile's role,
// in the transaction that launches.
func launchNeeds(s *subject) []need {
	l := launch{s, s.launchTemplateData()}
	action := actionOf(s.call)
	var needs []need
	add := func(targets []target, keys map[string][]string) {
		for _, t := range targets {
			n := s.needOf(action, t)
			for key, values := range keys {
				n.keys[key] = values
			}
			needs = append(needs, n)
		}
	}
	named := func(find func(*subject, string) []target, names ...string) {
		for _, name := range names {
			found := find(s, name)
			if len(found) == 0 {
				needs = append(needs, need{action: action, unknown: true})
			}
			add(found, nil)
		}
	}
	named(launchTemplate, s.values("LaunchTemplate.LaunchTemplateId", "LaunchTemplate.LaunchTemplateName")...)
	named(images.withID, l.image())
	subnetIDs := l.subnets()
	named(subnets.withID, subnetIDs...)
	named(securityGroup, l.groups(subnetIDs)...)
	named(keyPairNamed, l.values("KeyName")...)
	add(instances.withID(s, "*"), l.instanceKeys())
	add(volumes.withID(s, "*"), nil)
	existing := l.values("NetworkInterfaces.NetworkInterfaceId")
	named(networkInterfaces.withID, existing...)
	if len(existing) == 0 || len(existing) < l.count("NetworkInterfaces.DeviceIndex") {
		add(networkInterfaces.withID(s, "*"), nil)
	}
	for _, kind := range append(s.values("TagSpecifications.ResourceType"),
		valuesAt(l.template, "TagSpecifications.ResourceType")...) {
		needs = append(needs, tagsCreation(s, kind))
	}
	if slices.Contains(l.values("InstanceMarketOptions.MarketType"), "spot") {
		needs = append(needs, roleCreation(s, servicerole.Spot)...)
	}
	// The template's tags count as the request's.
	return s.withKeys(needs, s.tagKeys(append(tagsIn(l.template), tagsIn(s.input)...)))
}

// launch is a launch with the data of its launch template.
type launch struct {
	*subject
	template reflect.Value // of the input's type
}

// values returns the values at the paths in the call, or else in the template.
func (l launch) values(paths ...string) []string {
	if values := l.subject.values(paths...); len(values) > 0 {
		return values
	}
	return valuesAt(l.template, paths...)
}

// count returns how many values there are at a path in the call, or else in the template.
func (l launch) count(path string) (n int) {
	for _, in := range []reflect.Value{l.input, l.template} {
		if visit(in, strings.Split(path, "."), func(reflect.Value) { n++ }); n > 0 {
			break
		}
	}
	return n
}

// image returns the id of the image. A parameter may hold it.
func (l launch) image() string {
	ids := l.values("ImageId")
	if len(ids) == 0 {
		return "*"
	}
	if alias, ok := strings.CutPrefix(ids[0], "resolve:ssm:"); ok {
		path, _, _ := strings.Cut(alias, ":")
		if row, found := store.Parameters.Get(l, store.ParameterKey(l.region, path)); found {
			return row.Value
		}
	}
	return ids[0]
}

// subnets returns the ids of the subnets that the launch may use: the one that it names,
// or all default subnets.
func (l launch) subnets() []string {
	ids := l.values("SubnetId", "NetworkInterfaces.SubnetId")
	if len(ids) > 0 {
		return ids
	}
	for _, row := range store.Subnets.InRegion(l, l.region) {
		if row.DefaultForAZ {
			ids = append(ids, row.ID)
		}
	}
	if len(ids) == 0 {
		return []string{"*"}
	}
	return ids
}

// groups returns the ids and the names of the security groups of the launch, or those of
// the default groups of its subnets.
func (l launch) groups(subnetIDs []string) []string {
	names := l.values("SecurityGroupIds", "SecurityGroups", "NetworkInterfaces.Groups")
	if len(names) > 0 {
		return names
	}
	for _, id := range subnetIDs {
		subnet, ok := store.Subnets.Get(l, id)
		if !ok {
			continue
		}
		for _, row := range store.SecurityGroupsByVPC.List(l, subnet.VPCID) {
			if row.Name == "default" {
				names = append(names, row.ID)
			}
		}
	}
	if len(names) == 0 {
		return []string{securityGroups.prefix + "*"}
	}
	return names
}

// instanceKeys returns the condition keys of the new instances.
func (l launch) instanceKeys() map[string][]string {
	keys := map[string][]string{"ec2:InstanceType": l.values("InstanceType"), "ec2:Tenancy": {"default"}}
	for _, name := range l.values("IamInstanceProfile.Name") {
		if row, ok := store.InstanceProfiles.Get(l, store.NameKey(l.region, name)); ok {
			keys["ec2:InstanceProfile"] = []string{row.ARN}
		}
	}
	if arns := l.values("IamInstanceProfile.Arn"); len(arns) > 0 {
		keys["ec2:InstanceProfile"] = arns
	}
	for name, path := range map[string]string{
		"ec2:MetadataHttpTokens":   "MetadataOptions.HttpTokens",
		"ec2:MetadataHttpEndpoint": "MetadataOptions.HttpEndpoint",
	} {
		keys[name] = l.values(path)
	}
	return keys
}

// launchTemplateData returns the data of the version of the launch template that the call
// names, as an input of the call's type. The fields of both have the same names.
func (s *subject) launchTemplateData() reflect.Value {
	data := reflect.New(s.input.Type().Elem())
	var row *store.LaunchTemplate
	for _, id := range s.values("LaunchTemplate.LaunchTemplateId") {
		row, _ = store.LaunchTemplates.Get(s, id)
	}
	for _, name := range s.values("LaunchTemplate.LaunchTemplateName") {
		for _, named := range store.LaunchTemplatesByName.List(s, s.region.Key(name)) {
			row = named
		}
	}
	if row == nil {
		return data
	}
	number := row.Default
	switch version := s.value("LaunchTemplate.Version"); version {
	case "", "$Default":
	case "$Latest":
		number = row.Latest
	default:
		number, _ = strconv.ParseInt(version, 10, 64) // no version has another text as its number
	}
	if v, ok := store.TemplateVersions.Get(s, store.TemplateVersionKey(row.ID, number)); ok {
		// What cannot be decoded cannot be launched either.
		_ = json.Unmarshal([]byte(v.Data), data.Interface())
	}
	return data
}
