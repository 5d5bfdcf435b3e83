package store

import (
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids and TemplateVersionKey. LaunchTemplatesByName finds "region/name".
var (
	LaunchTemplates = newTable(
		"launch_templates",
		func(r *LaunchTemplate) string { return r.ID },
		(*LaunchTemplate).region,
	)
	LaunchTemplatesByName = LaunchTemplates.indexBy(
		"name",
		func(r *LaunchTemplate) string { return r.Region.Key(r.Name) },
	)
	TemplateVersions = newTable(
		"launch_template_versions",
		func(r *LaunchTemplateVersion) string { return TemplateVersionKey(r.TemplateID, r.Number) },
		(*LaunchTemplateVersion).region,
	)
	TemplateVersionsByTemplate = TemplateVersions.indexBy(
		"template",
		func(r *LaunchTemplateVersion) string { return r.TemplateID },
	)
)

// LaunchTemplate is a launch template. Its parameters are in its versions.
type LaunchTemplate struct {
	ID, Name        string
	Region          identity.Region
	Default, Latest int64 // version numbers
	HighestNumber   int64 // highest number of all versions, including deleted ones
	CreatedBy       string
	Created         time.Time
	Tags            Tags
}

func (r *LaunchTemplate) region() identity.Region { return r.Region }

// LaunchTemplateVersion is a version of a launch template. It never changes.
type LaunchTemplateVersion struct {
	TemplateID  string
	Region      identity.Region
	Number      int64
	Description string
	Data        string // launch template data in JSON, as the request contained it
	CreatedBy   string
	Created     time.Time
}

func (r *LaunchTemplateVersion) region() identity.Region { return r.Region }

// TemplateVersionKey returns the key of a launch template version's row.
func TemplateVersionKey(templateID string, number int64) string {
	return fmt.Sprintf("%s/%08d", templateID, number)
}

// TemplateRef refers to a launch template version as the request did.
type TemplateRef struct {
	ID, Name string
	Version  string // "$Latest", "$Default", a number, or "" for the default version
}
