package store

import (
	"fmt"
	"time"
)

// Tables of this file.
var (
	LaunchTemplates            = newTable("launch_templates", func(r *LaunchTemplate) string { return r.ID }, (*LaunchTemplate).region)
	LaunchTemplatesByName      = LaunchTemplates.indexBy("name", func(r *LaunchTemplate) string { return regional(r.Region, r.Name) })
	TemplateVersions           = newTable("launch_template_versions", func(r *LaunchTemplateVersion) string { return TemplateVersionKey(r.TemplateID, r.Number) }, (*LaunchTemplateVersion).region)
	TemplateVersionsByTemplate = TemplateVersions.indexBy("template", func(r *LaunchTemplateVersion) string { return r.TemplateID })
)

// LaunchTemplate is a named row of versions of what an instance is launched
// with.
type LaunchTemplate struct {
	ID, Region, Name string
	Default, Latest  int64 // version numbers
	HighestNumber    int64 // the highest number that a version ever had
	CreatedBy        string
	Created          time.Time
	Tags             Tags
}

func (r *LaunchTemplate) region() string { return r.Region }

// LaunchTemplateVersion is one version of a launch template. It never changes.
type LaunchTemplateVersion struct {
	TemplateID, Region string
	Number             int64
	Description        string
	Data               string // the template's data as it was sent, as JSON
	CreatedBy          string
	Created            time.Time
}

func (r *LaunchTemplateVersion) region() string { return r.Region }

// TemplateVersionKey is the key of the row of a launch template's version.
func TemplateVersionKey(templateID string, number int64) string {
	return fmt.Sprintf("%s/%08d", templateID, number)
}

// TemplateRef names a version of a launch template as a user gave it.
type TemplateRef struct {
	ID, Name string
	Version  string // "$Latest", "$Default", a number or "": the default
}
