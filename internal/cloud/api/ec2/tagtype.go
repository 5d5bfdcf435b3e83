package ec2

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// taggableType is a type of resource that the tag operations can change.
type taggableType interface {
	// ownsID reports whether an id has the prefix of the type.
	ownsID(id string) bool
	// editTags replaces the tags of a resource by the result of change.
	editTags(tx *store.Tx, region, id string, change func(store.Tags) (store.Tags, error)) error
	// eachTagged calls visit for every resource of the region.
	eachTagged(r store.Reader, region string, visit func(kind types.ResourceType, id string, tags store.Tags))
}

// taggableTypes returns all types of resources that can be tagged.
func taggableTypes() []taggableType {
	return []taggableType{
		&vpcs, &subnets, &internetGateways, &routeTables, &networkACLs, &securityGroups, taggableRules{}, &keyPairs,
		&networkInterfaces, &dhcpOptions, &instances, &images, &snapshots, &volumes, &launchTemplates,
	}
}

func (n *resourceType[T]) ownsID(id string) bool { return strings.HasPrefix(id, n.prefix) }

func (n *resourceType[T]) editTags(tx *store.Tx, region, id string, change func(store.Tags) (store.Tags, error)) error {
	row, err := n.get(tx, region, id)
	if err != nil {
		return err
	}
	tags, err := change(*n.tags(row))
	if err != nil {
		return err
	}
	edited := *row
	*n.tags(&edited) = tags
	n.table.Put(tx, &edited)
	return nil
}

func (n *resourceType[T]) eachTagged(
	r store.Reader, region string, visit func(types.ResourceType, string, store.Tags),
) {
	for _, row := range n.table.By(r, "region", region) {
		visit(n.kind, n.id(row), *n.tags(row))
	}
}
