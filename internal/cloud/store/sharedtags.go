package store

import "aloft.dev/aloft/internal/cloud/identity"

// SharedTags contains the tags that accounts gave to what other accounts share with them. The keys
// are "region/id".
var SharedTags = newTable(
	"shared_tags", func(r *TagsOfShared) string { return r.Region.Key(r.ResourceID) }, (*TagsOfShared).region,
)

// TagsOfShared are the tags that an account gave to a resource of another account. Only the account
// that gave them sees them. They have no meaning once the resource is gone.
type TagsOfShared struct {
	Region     identity.Region // of the account that gave the tags
	ResourceID string
	Tags       Tags
}

func (r *TagsOfShared) region() identity.Region { return r.Region }
