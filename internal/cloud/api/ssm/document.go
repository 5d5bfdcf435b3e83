package ssm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/wire"
)

// findDocument returns the name of the document that a request names by name or ARN.
func findDocument(name string, version *string) (string, error) {
	if strings.HasPrefix(name, "arn:") {
		name = name[strings.LastIndex(name, "/")+1:]
	}
	switch {
	case name != runcommand.Document:
		return "", wire.Errorf("InvalidDocument", "Document with name %s does not exist. The only document of aloft's "+
			"local cloud is %s.", name, runcommand.Document)
	case version != nil && !slices.Contains([]string{"$DEFAULT", "$LATEST", runcommand.DocumentVersion}, *version):
		return "", wire.Errorf("InvalidDocumentVersion", "The document %s has no version %s.", name, *version)
	}
	return name, nil
}

// GetDocument returns the content of a document.
func (a *API) GetDocument(_ context.Context, in *ssm.GetDocumentInput) (*ssm.GetDocumentOutput, error) {
	switch {
	case in.Name == nil:
		return nil, model.Null("name")
	case in.VersionName != nil:
		return nil, wire.Errorf("InvalidDocumentVersion", "The document has no version with a name.")
	case in.DocumentFormat != "" && in.DocumentFormat != types.DocumentFormatJson:
		return nil, unsupported("documents in a format other than JSON")
	}
	name, err := findDocument(*in.Name, in.DocumentVersion)
	if err != nil {
		return nil, err
	}
	return &ssm.GetDocumentOutput{
		Name: &name, Content: &runcommand.DocumentContent, DocumentVersion: aws.String(runcommand.DocumentVersion),
		DocumentFormat: types.DocumentFormatJson, DocumentType: types.DocumentTypeCommand,
		Status: types.DocumentStatusActive, AttachmentsContent: []types.AttachmentContent{},
	}, nil
}

// documentPlatforms are the platforms of the document.
func documentPlatforms() []types.PlatformType {
	return []types.PlatformType{types.PlatformTypeLinux, types.PlatformTypeMacos}
}

// DescribeDocument describes a document.
func (a *API) DescribeDocument(
	_ context.Context, in *ssm.DescribeDocumentInput,
) (*ssm.DescribeDocumentOutput, error) {
	switch {
	case in.Name == nil:
		return nil, model.Null("name")
	case in.VersionName != nil:
		return nil, wire.Errorf("InvalidDocumentVersion", "The document has no version with a name.")
	}
	name, err := findDocument(*in.Name, in.DocumentVersion)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(runcommand.DocumentContent))
	version := aws.String(runcommand.DocumentVersion)
	out := &types.DocumentDescription{
		Name: &name, Owner: aws.String(runcommand.DocumentOwner),
		Description:     aws.String(runcommand.DocumentDescription),
		DocumentVersion: version, DefaultVersion: version, LatestVersion: version,
		SchemaVersion: aws.String(runcommand.DocumentSchema), DocumentFormat: types.DocumentFormatJson,
		DocumentType: types.DocumentTypeCommand, Status: types.DocumentStatusActive, PlatformTypes: documentPlatforms(),
		Hash: aws.String(hex.EncodeToString(hash[:])), HashType: types.DocumentHashTypeSha256, Tags: []types.Tag{},
	}
	for _, p := range runcommand.Parameters() {
		parameter := types.DocumentParameter{
			Name: &p.Name, Type: types.DocumentParameterType(p.Type), Description: &p.Description,
		}
		if !p.Required {
			parameter.DefaultValue = &p.Default
		}
		out.Parameters = append(out.Parameters, parameter)
	}
	return &ssm.DescribeDocumentOutput{Document: out}, nil
}

// ListDocuments lists the documents. There is one.
func (a *API) ListDocuments(_ context.Context, in *ssm.ListDocumentsInput) (*ssm.ListDocumentsOutput, error) {
	if err := model.Between("maxResults", in.MaxResults, 1, maxCommands); err != nil {
		return nil, err
	}
	if aws.ToString(in.NextToken) != "" {
		return nil, invalidToken()
	}
	filters := in.Filters
	for _, f := range in.DocumentFilterList {
		filters = append(filters, types.DocumentKeyValuesFilter{
			Key: aws.String(string(f.Key)), Values: []string{aws.ToString(f.Value)},
		})
	}
	out := &ssm.ListDocumentsOutput{DocumentIdentifiers: []types.DocumentIdentifier{}}
	for _, f := range filters {
		matches, err := matchDocument(aws.ToString(f.Key), f.Values)
		if err != nil || !matches {
			return out, err
		}
	}
	out.DocumentIdentifiers = append(out.DocumentIdentifiers, types.DocumentIdentifier{
		Name: aws.String(runcommand.Document), Owner: aws.String(runcommand.DocumentOwner),
		DocumentVersion: aws.String(runcommand.DocumentVersion), SchemaVersion: aws.String(runcommand.DocumentSchema),
		DocumentFormat: types.DocumentFormatJson, DocumentType: types.DocumentTypeCommand,
		PlatformTypes: documentPlatforms(), Tags: []types.Tag{},
	})
	return out, nil
}

// matchDocument reports whether a filter matches the document.
func matchDocument(key string, values []string) (bool, error) {
	has := func(match func(value string) bool) (bool, error) { return slices.ContainsFunc(values, match), nil }
	switch {
	case key == "Name":
		return has(func(value string) bool { return strings.HasPrefix(runcommand.Document, value) })
	case key == "Owner":
		return has(func(value string) bool {
			return value == runcommand.DocumentOwner || value == "Public" || value == "All"
		})
	case key == "PlatformTypes":
		return has(func(value string) bool {
			return slices.Contains(documentPlatforms(), types.PlatformType(value))
		})
	case key == "DocumentType":
		return has(func(value string) bool { return value == string(types.DocumentTypeCommand) })
	case key == "SearchKeyword":
		return has(func(value string) bool {
			return strings.Contains(strings.ToLower(runcommand.Document), strings.ToLower(value))
		})
	case key == "TargetType", key == "tag-key", strings.HasPrefix(key, "tag:"):
		return false, nil
	}
	return false, wire.Errorf("InvalidFilterKey", "The filter key %q is not valid.", key)
}
