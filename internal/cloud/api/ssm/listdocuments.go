package ssm

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ListDocuments lists the documents by name.
func (a *API) ListDocuments(ctx context.Context, in *ssm.ListDocumentsInput) (*ssm.ListDocumentsOutput, error) {
	if err := model.Between("maxResults", in.MaxResults, 1, maxCommands); err != nil {
		return nil, err
	}
	last, ok := pageTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	filters := in.Filters
	for _, f := range in.DocumentFilterList {
		filters = append(filters, types.DocumentKeyValuesFilter{
			Key: aws.String(string(f.Key)), Values: []string{aws.ToString(f.Value)},
		})
	}
	for _, f := range filters {
		if !isDocumentFilter(aws.ToString(f.Key)) {
			return nil, wire.Errorf("InvalidFilterKey", "The filter key %q is not valid.", aws.ToString(f.Key))
		}
	}
	view, region, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	names := []string{runcommand.Document}
	for _, row := range store.Documents.InRegion(view, region) {
		names = append(names, row.Name)
	}
	slices.Sort(names)
	var found []*document
	for _, name := range names {
		d, err := findDocument(view, region, name, nil, nil)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(filters, func(f types.DocumentKeyValuesFilter) bool { return !d.matches(region, f) }) {
			found = append(found, d)
		}
	}
	found, next := commandPage(found, last, in.MaxResults, func(d *document) string { return d.name })
	out := &ssm.ListDocumentsOutput{DocumentIdentifiers: []types.DocumentIdentifier{}, NextToken: next}
	for _, d := range found {
		described := d.description(region)
		out.DocumentIdentifiers = append(out.DocumentIdentifiers, types.DocumentIdentifier{
			Name: described.Name, Owner: described.Owner, DocumentVersion: described.DocumentVersion,
			SchemaVersion: described.SchemaVersion, DocumentFormat: described.DocumentFormat,
			DocumentType: described.DocumentType, PlatformTypes: described.PlatformTypes, Tags: described.Tags,
			CreatedDate: described.CreatedDate, TargetType: described.TargetType, VersionName: described.VersionName,
		})
	}
	return out, nil
}

// isDocumentFilter reports whether documents can be filtered by a key.
func isDocumentFilter(key string) bool {
	return strings.HasPrefix(key, "tag:") || slices.Contains([]string{
		"Name", "Owner", "PlatformTypes", "DocumentType", "SearchKeyword", "TargetType", "tag-key",
	}, key)
}

// matches reports whether a document has one of a filter's values.
func (d *document) matches(region identity.Region, f types.DocumentKeyValuesFilter) bool {
	key := aws.ToString(f.Key)
	return slices.ContainsFunc(f.Values, func(value string) bool {
		switch key {
		case "Name":
			return strings.HasPrefix(d.name, value)
		case "Owner":
			return d.ownedBy(region, value)
		case "PlatformTypes":
			return slices.Contains(d.platforms(), types.PlatformType(value))
		case "DocumentType":
			return value == string(types.DocumentTypeCommand)
		case "SearchKeyword":
			return strings.Contains(strings.ToLower(d.name), strings.ToLower(value))
		case "TargetType":
			return d.row != nil && d.row.TargetType == value
		case "tag-key":
			return d.hasTag(value, func(string) bool { return true })
		}
		return d.hasTag(strings.TrimPrefix(key, "tag:"), func(v string) bool { return v == value })
	})
}

// ownedBy reports whether a document is one of an owner's: an account's, or a kind of owners.
func (d *document) ownedBy(region identity.Region, owner string) bool {
	switch owner {
	case "All":
		return true
	case "Public", runcommand.DocumentOwner:
		return d.row == nil
	}
	return d.row != nil && (owner == "Self" || owner == "Private" || owner == region.Account())
}

func (d *document) hasTag(key string, wanted func(value string) bool) bool {
	if d.row == nil {
		return false
	}
	value, ok := d.row.Tags[key]
	return ok && wanted(value)
}
