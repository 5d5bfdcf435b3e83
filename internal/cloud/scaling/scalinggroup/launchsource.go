package scalinggroup

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
)

// Source describes what a group launches instances from.
type Source struct {
	Template      store.TemplateRef
	InstanceType  string // overrides the template's; "": the template's
	Configuration string // name of a launch configuration, instead of a template
	Weight        int32  // units of capacity of an instance; 0: the group has no weights
	Chosen        bool   // InstanceType is one of those that meet requirements
	Spot          bool   // a Spot Instance, for MaxPrice; "": the On-Demand price
	MaxPrice      string
}

// SourcesOf returns everything that the group may launch from, in order of preference:
// its template or launch configuration, or the overrides of its mixed instances policy, and for one
// with requirements each type that meets them. There is at least one.
// The prioritized strategy launches the first type that has capacity (Amazon EC2 Auto Scaling
// User Guide, "Allocation strategies for multiple instance types"). So do those of Spot Instances
// here, which go by prices and capacity on AWS.
func SourcesOf(r store.Reader, g *store.ScalingGroup) ([]Source, error) {
	if g.Mixed == "" {
		return []Source{{Template: g.Template, Configuration: g.Configuration}}, nil
	}
	var policy struct {
		LaunchTemplate struct {
			LaunchTemplateSpecification reference
			Overrides                   []override
		}
	}
	if err := json.Unmarshal([]byte(g.Mixed), &policy); err != nil {
		return nil, fmt.Errorf("read the mixed instances policy of group %s: %w", g.Name, err)
	}
	overrides := policy.LaunchTemplate.Overrides
	if len(overrides) == 0 {
		overrides = []override{{}}
	}
	var all []Source
	for _, o := range overrides {
		if o.LaunchTemplateSpecification == nil {
			o.LaunchTemplateSpecification = &policy.LaunchTemplate.LaunchTemplateSpecification
		}
		sources, err := o.sources(r, g)
		if err != nil {
			return nil, fmt.Errorf("read the mixed instances policy of group %s: %w", g.Name, err)
		}
		all = append(all, sources...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no instance type meets the instance requirements of group %s", g.Name)
	}
	return all, nil
}

// reference names a launch template in a mixed instances policy.
type reference struct{ LaunchTemplateId, LaunchTemplateName, Version string }

// override is an override of a mixed instances policy.
type override struct {
	InstanceType                string
	WeightedCapacity            int32 `json:",string"`
	LaunchTemplateSpecification *reference
	InstanceRequirements        json.RawMessage
}

// sources returns what the override stands for: one type, that of its template, or those that meet
// requirements of its own or of its template.
func (o override) sources(r store.Reader, g *store.ScalingGroup) ([]Source, error) {
	ref := store.TemplateRef{
		ID:      o.LaunchTemplateSpecification.LaunchTemplateId,
		Name:    o.LaunchTemplateSpecification.LaunchTemplateName,
		Version: o.LaunchTemplateSpecification.Version,
	}
	data := templateData(r, g.Region, ref)
	if o.InstanceType == "" && !isSet(o.InstanceRequirements) {
		o.InstanceRequirements = data.InstanceRequirements
	}
	if !isSet(o.InstanceRequirements) {
		return []Source{{Template: ref, InstanceType: o.InstanceType, Weight: o.WeightedCapacity}}, nil
	}
	q, err := instancetype.ParseRequirements(o.InstanceRequirements)
	if err != nil {
		return nil, err
	}
	var all []Source
	for _, t := range q.Matching(architecture(r, g.Region, data.ImageId)) {
		weight := cmp.Or(desiredUnits(g, t), o.WeightedCapacity)
		all = append(all, Source{Template: ref, InstanceType: t.Name, Weight: weight, Chosen: true})
	}
	return all, nil
}

// desiredUnits returns how many units of the group's desired capacity an instance of a type provides; 0: the
// capacity counts instances (Amazon EC2 Auto Scaling API Reference, CreateAutoScalingGroup:
// DesiredCapacityType).
func desiredUnits(g *store.ScalingGroup, t instancetype.Type) int32 {
	switch g.DesiredType {
	case "vcpu":
		return int32(t.VCPUs)
	case "memory-mib":
		return int32(t.MemoryMiB)
	}
	return 0
}

func isSet(member json.RawMessage) bool { return len(member) > 0 && string(member) != "null" }

// architecture returns the architecture of an image, which a parameter of Systems Manager may name.
// If the image does not exist, launches from it fail and say so.
func architecture(r store.Reader, region identity.Region, image string) instancetype.Architecture {
	if alias, ok := strings.CutPrefix(image, "resolve:ssm:"); ok {
		path, _, _ := strings.Cut(alias, ":")
		if row, ok := store.Parameters.Get(r, store.ParameterKey(region, path)); ok {
			image = row.Value
		}
	}
	if row, ok := store.Images.Get(r, image); ok {
		return instancetype.Architecture(row.Architecture)
	}
	return instancetype.X8664
}

// Resolve returns a reference to a launch template of the region with the template's id
// and the current number of its version. It reports whether both exist.
func Resolve(r store.Reader, region identity.Region, ref store.TemplateRef) (store.TemplateRef, bool) {
	row, ok := store.LaunchTemplates.Get(r, ref.ID)
	if named := store.LaunchTemplatesByName.List(r, region.Key(ref.Name)); ref.ID == "" && len(named) > 0 {
		row, ok = named[0], true
	}
	if !ok || row.Region != region {
		return store.TemplateRef{}, false
	}
	version := ref.Version
	switch version {
	case "", "$Default":
		version = strconv.FormatInt(row.Default, 10)
	case "$Latest":
		version = strconv.FormatInt(row.Latest, 10)
	}
	number, err := strconv.ParseInt(version, 10, 64)
	if err != nil {
		return store.TemplateRef{}, false
	}
	_, ok = store.TemplateVersions.Get(r, store.TemplateVersionKey(row.ID, number))
	return store.TemplateRef{ID: row.ID, Name: row.Name, Version: version}, ok
}

// Matches reports whether the group could launch the instance now: from one of its
// resolved sources.
func Matches(i *store.ScalingInstance, resolved []Source) bool {
	for _, s := range resolved {
		if i.TemplateID == s.Template.ID && i.TemplateVersion == s.Template.Version &&
			i.Configuration == s.Configuration &&
			(s.InstanceType == "" || s.InstanceType == i.Type) {
			return true
		}
	}
	return false
}

// Resolved returns the group's sources with their current version numbers and instance
// types, without those that do not exist.
func Resolved(r store.Reader, g *store.ScalingGroup) ([]Source, error) {
	all, err := SourcesOf(r, g)
	if err != nil {
		return nil, err
	}
	var out []Source
	for _, s := range all {
		if s.Configuration != "" {
			if row, ok := store.LaunchConfigurations.Get(r, g.Region.Key(s.Configuration)); ok {
				s.InstanceType = dataOf(row.Data).InstanceType
				out = append(out, s)
			}
			continue
		}
		if ref, ok := Resolve(r, g.Region, s.Template); ok {
			s.Template, s.InstanceType = ref, cmp.Or(s.InstanceType, templateType(r, ref))
			out = append(out, s)
		}
	}
	return out, nil
}

// launchData is the part of a launch template's or a launch configuration's data that decides the
// instance type, and whether it requests Spot Instances.
type launchData struct {
	InstanceType, ImageId string
	InstanceRequirements  json.RawMessage
	InstanceMarketOptions json.RawMessage
}

// templateType returns the instance type of a launch template's version, or "" if it has
// none.
func templateType(r store.Reader, resolved store.TemplateRef) string {
	return versionData(r, resolved).InstanceType
}

// templateData returns the data of the version that a reference names, or nothing if it does not
// exist.
func templateData(r store.Reader, region identity.Region, ref store.TemplateRef) launchData {
	resolved, ok := Resolve(r, region, ref)
	if !ok {
		return launchData{}
	}
	return versionData(r, resolved)
}

func versionData(r store.Reader, resolved store.TemplateRef) launchData {
	number, err := strconv.ParseInt(resolved.Version, 10, 64)
	if err != nil {
		return launchData{}
	}
	v, ok := store.TemplateVersions.Get(r, store.TemplateVersionKey(resolved.ID, number))
	if !ok {
		return launchData{}
	}
	return dataOf(v.Data)
}

// dataOf reads the data of a launch template or a launch configuration.
func dataOf(text string) launchData {
	var data launchData
	if json.Unmarshal([]byte(text), &data) != nil {
		return launchData{}
	}
	return data
}

// Describe fills in what EC2 knows about the instance: type, image, launch time and
// launch template version.
func Describe(r store.Reader, i *store.ScalingInstance) {
	machine, ok := store.Instances.Get(r, i.InstanceID)
	if !ok {
		return
	}
	i.Type, i.ImageID, i.Launched = machine.Type, machine.ImageID, machine.LaunchTime.UTC()
	i.TemplateID = machine.Tags["aws:ec2launchtemplate:id"]
	i.TemplateVersion = machine.Tags["aws:ec2launchtemplate:version"]
	if template, ok := store.LaunchTemplates.Get(r, i.TemplateID); ok {
		i.TemplateName = template.Name
	}
}
