package scalinggroup

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// Source is what a group launches instances from.
type Source struct {
	Template      store.TemplateRef
	InstanceType  string // overrides the template's; "": the template's
	Configuration string // name of a launch configuration, instead of a template
	Weight        int32  // units of capacity of an instance; 0: the group has no weights
}

// SourcesOf returns everything that the group may launch from, in order of preference:
// its template or launch configuration, or the overrides of its mixed instances policy.
// There is at least one.
// The local cloud offers On-Demand Instances only, whose prioritized strategy launches
// the first type that has capacity (Amazon EC2 Auto Scaling User Guide, "Allocation
// strategies for multiple instance types").
func SourcesOf(g *store.ScalingGroup) ([]Source, error) {
	if g.Mixed == "" {
		return []Source{{Template: g.Template, Configuration: g.Configuration}}, nil
	}
	type reference struct{ LaunchTemplateId, LaunchTemplateName, Version string }
	var policy struct {
		LaunchTemplate struct {
			LaunchTemplateSpecification reference
			Overrides                   []struct {
				InstanceType                string
				WeightedCapacity            int32 `json:",string"`
				LaunchTemplateSpecification *reference
			}
		}
	}
	if err := json.Unmarshal([]byte(g.Mixed), &policy); err != nil {
		return nil, fmt.Errorf("read the mixed instances policy of group %s: %w", g.Name, err)
	}
	source := func(ref reference, instanceType string) Source {
		return Source{
			Template: store.TemplateRef{
				ID:      ref.LaunchTemplateId,
				Name:    ref.LaunchTemplateName,
				Version: ref.Version,
			},
			InstanceType: instanceType,
		}
	}
	var all []Source
	for _, override := range policy.LaunchTemplate.Overrides {
		ref := policy.LaunchTemplate.LaunchTemplateSpecification
		if override.LaunchTemplateSpecification != nil {
			ref = *override.LaunchTemplateSpecification
		}
		s := source(ref, override.InstanceType)
		s.Weight = override.WeightedCapacity
		all = append(all, s)
	}
	if len(all) == 0 {
		all = append(all, source(policy.LaunchTemplate.LaunchTemplateSpecification, ""))
	}
	return all, nil
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
	all, err := SourcesOf(g)
	if err != nil {
		return nil, err
	}
	var out []Source
	for _, s := range all {
		if s.Configuration != "" {
			if row, ok := store.LaunchConfigurations.Get(r, g.Region.Key(s.Configuration)); ok {
				s.InstanceType = typeIn(row.Data)
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

// templateType returns the instance type of a launch template's version, or "" if it has
// none.
func templateType(r store.Reader, resolved store.TemplateRef) string {
	number, err := strconv.ParseInt(resolved.Version, 10, 64)
	if err != nil {
		return ""
	}
	v, ok := store.TemplateVersions.Get(r, store.TemplateVersionKey(resolved.ID, number))
	if !ok {
		return ""
	}
	return typeIn(v.Data)
}

// typeIn returns the instance type in the data of a launch template or a launch
// configuration, or "" if it has none.
func typeIn(text string) string {
	var data struct{ InstanceType string }
	if json.Unmarshal([]byte(text), &data) != nil {
		return ""
	}
	return data.InstanceType
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
