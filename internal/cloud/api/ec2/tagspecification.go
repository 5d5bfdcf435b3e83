package ec2

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// tagsOfSpecifications returns the tags, by resource type, of an operation that
// creates resources of the given types.
func tagsOfSpecifications(
	specifications []types.TagSpecification,
	kinds ...types.ResourceType,
) (map[types.ResourceType]store.Tags, error) {
	out := map[types.ResourceType]store.Tags{}
	for _, s := range specifications {
		switch _, twice := out[s.ResourceType]; {
		case s.ResourceType == "":
			return nil, wire.Errorf("InvalidParameterValue", "Tag specification resource type must have a value")
		case !slices.Contains(kinds, s.ResourceType):
			return nil, wire.Errorf(
				"InvalidParameterValue",
				"'%s' is not a valid taggable resource type for this operation.", s.ResourceType,
			)
		case twice:
			return nil, wire.Errorf(
				"InvalidParameterValue",
				"The same resource type may not be specified more than once in tag specifications",
			)
		case len(s.Tags) == 0:
			return nil, wire.Errorf("InvalidParameterValue", "Tag specification must have at least one tag")
		}
		tags, err := mergeTags(nil, s.Tags)
		if err != nil {
			return nil, err
		}
		out[s.ResourceType] = tags
	}
	return out, nil
}
