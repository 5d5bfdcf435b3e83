package ssm

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/commanddocument"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of documents (AWS Systems Manager API Reference, CreateDocument; AWS General Reference, "AWS Systems Manager
// endpoints and quotas").
const (
	maxDocuments        = 500
	maxDocumentVersions = 1000
	maxDocument         = 64 << 10 // bytes
)

var (
	documentForm    = regexp.MustCompile(`^[a-zA-Z0-9_\-.]{3,128}$`)
	versionNameForm = regexp.MustCompile(`^[a-zA-Z0-9_\-.]{1,128}$`)
	targetTypeForm  = regexp.MustCompile(`^\/[\w\.\-\:\/]*$`)
	// reservedDocuments start names that only AWS gives.
	reservedDocuments = []string{"aws", "amazon", "amzn"}
)

// CreateDocument creates a document, whose steps are commands.
func (a *API) CreateDocument(ctx context.Context, in *ssm.CreateDocumentInput) (*ssm.CreateDocumentOutput, error) {
	if err := checkCreation(in); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	if err := checkContent(in.Content); err != nil {
		return nil, err
	}
	now := a.Now().UTC()
	row := &store.Document{
		Name: *in.Name, TargetType: aws.ToString(in.TargetType), Default: 1, Created: now, Tags: tags,
		Versions: []store.DocumentVersion{{
			Number: 1, Name: aws.ToString(in.VersionName), Content: *in.Content, Created: now,
		}},
	}
	out := &ssm.CreateDocumentOutput{}
	return out, a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		row.Region = region
		if _, taken := store.Documents.Get(tx, region.Key(row.Name)); taken {
			return wire.Errorf("DocumentAlreadyExists", "Document with same name %s already exists", row.Name)
		}
		if len(store.Documents.InRegion(tx, region)) >= maxDocuments {
			return wire.Errorf("DocumentLimitExceeded", "You can have at most %d active Systems Manager documents.",
				maxDocuments)
		}
		store.Documents.Put(tx, row)
		out.DocumentDescription, err = describeOwn(tx, region, row.Name, "$LATEST")
		return err
	})
}

// describeOwn describes a version of a document.
func describeOwn(r store.Reader, region identity.Region, name, version string) (*types.DocumentDescription, error) {
	d, err := findDocument(r, region, name, &version, nil)
	if err != nil {
		return nil, err
	}
	return d.description(region), nil
}

func checkCreation(in *ssm.CreateDocumentInput) error {
	name := aws.ToString(in.Name)
	switch {
	case in.Name == nil:
		return model.Null("name")
	case !documentForm.MatchString(name):
		return model.Refuse("name", name, pattern, documentForm)
	case slices.ContainsFunc(reservedDocuments, func(start string) bool {
		return strings.HasPrefix(strings.ToLower(name), start)
	}):
		return model.Errorf("The document name %s begins with a prefix that is reserved: aws, amazon or amzn.", name)
	case len(in.Attachments) > 0 || len(in.Requires) > 0 || in.DisplayName != nil:
		return unsupported("documents with attachments, requirements or a display name")
	case in.DocumentType != "" && !slices.Contains(in.DocumentType.Values(), in.DocumentType):
		return model.OutOfSet("documentType", in.DocumentType, "Command", "Automation", "Session")
	case in.DocumentType != "" && in.DocumentType != types.DocumentTypeCommand:
		return unsupported("documents of the type " + string(in.DocumentType))
	}
	if err := checkVersion(in.TargetType, in.VersionName); err != nil {
		return err
	}
	return checkDocumentFormat(in.DocumentFormat)
}

func checkVersion(targetType, versionName *string) error {
	switch {
	case targetType != nil && !targetTypeForm.MatchString(*targetType):
		return model.Refuse("targetType", *targetType, pattern, targetTypeForm)
	case versionName != nil && !versionNameForm.MatchString(*versionName):
		return model.Refuse("versionName", *versionName, pattern, versionNameForm)
	}
	return nil
}

// checkContent refuses a content that is not one of a document that machines can run.
func checkContent(content *string) error {
	switch {
	case content == nil:
		return model.Null("content")
	case *content == "":
		return model.Empty("content")
	case len(*content) > maxDocument:
		return wire.Errorf("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
	}
	_, err := commanddocument.Parse(*content)
	if without, ok := errors.AsType[*commanddocument.UnsupportedError](err); ok {
		return unsupported(without.What)
	}
	if err != nil {
		return wire.Errorf("InvalidDocumentContent", "%v", err)
	}
	return nil
}

// UpdateDocument adds a version to a document. The default version stays the same.
func (a *API) UpdateDocument(ctx context.Context, in *ssm.UpdateDocumentInput) (*ssm.UpdateDocumentOutput, error) {
	switch {
	case in.Name == nil:
		return nil, model.Null("name")
	case len(in.Attachments) > 0 || in.DisplayName != nil:
		return nil, unsupported("documents with attachments or a display name")
	}
	if err := checkVersion(in.TargetType, in.VersionName); err != nil {
		return nil, err
	}
	if err := checkDocumentFormat(in.DocumentFormat); err != nil {
		return nil, err
	}
	if err := checkContent(in.Content); err != nil {
		return nil, err
	}
	out := &ssm.UpdateDocumentOutput{}
	return out, a.editDocument(ctx, *in.Name, func(tx *store.Tx, row *store.Document) error {
		if err := checkAddition(row, in); err != nil {
			return err
		}
		row.Versions = append(slices.Clone(row.Versions), store.DocumentVersion{
			Number: latestOf(row) + 1, Name: aws.ToString(in.VersionName), Content: *in.Content, Created: a.Now().UTC(),
		})
		if in.TargetType != nil {
			row.TargetType = *in.TargetType
		}
		store.Documents.Put(tx, row)
		var err error
		out.DocumentDescription, err = describeOwn(tx, row.Region, row.Name, "$LATEST")
		return err
	})
}

// checkAddition refuses a version that a document cannot have besides the others.
func checkAddition(row *store.Document, in *ssm.UpdateDocumentInput) error {
	latest := row.Versions[len(row.Versions)-1]
	name := aws.ToString(in.VersionName)
	switch version := aws.ToString(in.DocumentVersion); {
	case version != "" && version != "$LATEST" && version != *number(latest.Number):
		return wire.Errorf("InvalidDocumentVersion", "The document version is not valid or does not exist: a new "+
			"version replaces the latest, %d.", latest.Number)
	case latest.Content == *in.Content:
		return wire.Errorf("DuplicateDocumentContent", "The content of the document matches that of its latest "+
			"version. Change the content of the document and try again.")
	case name != "" && slices.ContainsFunc(row.Versions, func(v store.DocumentVersion) bool { return v.Name == name }):
		return wire.Errorf("DuplicateDocumentVersionName", "The version name %s is used already.", name)
	case len(row.Versions) >= maxDocumentVersions:
		return wire.Errorf("DocumentVersionLimitExceeded", "A document has at most %d versions.", maxDocumentVersions)
	}
	return nil
}

// editDocument changes a copy of a document that users made, which change puts.
func (a *API) editDocument(
	ctx context.Context, name string, change func(tx *store.Tx, row *store.Document) error,
) error {
	if name == runcommand.Document {
		return wire.Errorf("InvalidDocument", "The document %s belongs to AWS.", name)
	}
	return a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		found, err := ownDocument(tx, region, name)
		if err != nil {
			return err
		}
		row := *found
		return change(tx, &row)
	})
}

// UpdateDocumentDefaultVersion sets the default version of a document.
func (a *API) UpdateDocumentDefaultVersion(
	ctx context.Context, in *ssm.UpdateDocumentDefaultVersionInput,
) (*ssm.UpdateDocumentDefaultVersionOutput, error) {
	switch {
	case in.Name == nil:
		return nil, model.Null("name")
	case in.DocumentVersion == nil:
		return nil, model.Null("documentVersion")
	}
	out := &ssm.UpdateDocumentDefaultVersionOutput{}
	return out, a.editDocument(ctx, *in.Name, func(tx *store.Tx, row *store.Document) error {
		i, err := versionOf(row, in.DocumentVersion, nil)
		if err != nil {
			return err
		}
		row.Default = row.Versions[i].Number
		store.Documents.Put(tx, row)
		out.Description = &types.DocumentDefaultVersionDescription{
			Name: in.Name, DefaultVersion: number(row.Default), DefaultVersionName: given(row.Versions[i].Name),
		}
		return nil
	})
}

// DeleteDocument deletes a document, or one of its versions.
func (a *API) DeleteDocument(ctx context.Context, in *ssm.DeleteDocumentInput) (*ssm.DeleteDocumentOutput, error) {
	if in.Name == nil {
		return nil, model.Null("name")
	}
	return &ssm.DeleteDocumentOutput{}, a.editDocument(ctx, *in.Name, func(tx *store.Tx, row *store.Document) error {
		if in.DocumentVersion == nil && in.VersionName == nil {
			store.Documents.Delete(tx, row.Region.Key(row.Name))
			return nil
		}
		i, err := versionOf(row, in.DocumentVersion, in.VersionName)
		if err != nil {
			return err
		}
		if row.Versions[i].Number == row.Default {
			return wire.Errorf("InvalidDocumentOperation", "Default version of the document can't be deleted.")
		}
		row.Versions = slices.Delete(slices.Clone(row.Versions), i, i+1)
		store.Documents.Put(tx, row)
		return nil
	})
}
