package ec2

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// taggableType is a type of resource that the tag operations can change.
type taggableType interface {
	// ownsID reports whether an id has the prefix of the type.
	ownsID(id string) bool
	// notFound returns EC2's error for an id that does not exist.
	notFound(id string) error
	// editTags replaces the tags of a resource by the result of change.
	editTags(tx *store.Tx, region identity.Region, id string, change func(store.Tags) (store.Tags, error)) error
	// eachTagged calls visit for every resource of the region.
	eachTagged(r store.Reader, region identity.Region, visit func(kind types.ResourceType, id string, tags store.Tags))
}

// taggableTypes returns all types of resources that can be tagged.
func taggableTypes() []taggableType {
	return []taggableType{
		&vpcs, &subnets, &internetGateways, &routeTables, &networkACLs, &securityGroups, taggableRules{}, &keyPairs,
		&networkInterfaces, &elasticIPs, &natGateways, &dhcpOptions, &instances, &images, &snapshots, &volumes,
		&launchTemplates, &connectEndpoints, &prefixLists, &peerings, &endpoints, &egressOnlyGateways,
		&placementGroups, &fleets, &spotRequests, &flowLogs, &subnetReservations,
		&rootReplacements,
	}
}

func (t *resourceType[T]) ownsID(id string) bool { return strings.HasPrefix(id, t.prefix) }

func (t *resourceType[T]) editTags(
	tx *store.Tx, region identity.Region, id string, change func(store.Tags) (store.Tags, error),
) error {
	row, err := t.get(tx, region, id)
	if err != nil {
		return err
	}
	tags, err := change(*t.tags(row))
	if err != nil {
		return err
	}
	if !t.owns(row, region) {
		store.SharedTags.Put(tx, &store.TagsOfShared{Region: region, ResourceID: id, Tags: tags})
		return nil
	}
	edited := *row
	*t.tags(&edited) = tags
	t.table.Put(tx, &edited)
	return nil
}

func (t *resourceType[T]) eachTagged(
	r store.Reader, region identity.Region, visit func(types.ResourceType, string, store.Tags),
) {
	for _, row := range t.table.InRegion(r, region) {
		visit(t.kind, t.id(row), *t.tags(row))
	}
	for _, shared := range store.SharedTags.InRegion(r, region) {
		if row, ok := t.table.Get(r, shared.ResourceID); ok && t.ownsID(shared.ResourceID) && t.visible(row, region) {
			visit(t.kind, shared.ResourceID, shared.Tags)
		}
	}
}
