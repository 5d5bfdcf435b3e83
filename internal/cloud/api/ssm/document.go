package ssm

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/commanddocument"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// document is a version of a document: of AWS's, or of one that users made.
type document struct {
	name    string
	content string
	row     *store.Document       // nil: it is AWS's
	version store.DocumentVersion // of row
	parsed  *commanddocument.Document
}

// findDocument returns the version of a document that a request names, the document by name or ARN and the version by
// number or by name. Without either, it is the default version.
func findDocument(
	r store.Reader, region identity.Region, name string, version, versionName *string,
) (*document, error) {
	if strings.HasPrefix(name, "arn:") {
		name = name[strings.LastIndex(name, "/")+1:]
	}
	if name == runcommand.Document {
		own := version != nil && !slices.Contains([]string{"$DEFAULT", "$LATEST", runcommand.DocumentVersion}, *version)
		if own || versionName != nil {
			return nil, noVersion(name, aws.ToString(version)+aws.ToString(versionName))
		}
		return &document{name: name, content: runcommand.DocumentContent}, nil
	}
	row, err := ownDocument(r, region, name)
	if err != nil {
		return nil, err
	}
	i, err := versionOf(row, version, versionName)
	if err != nil {
		return nil, err
	}
	d := &document{name: name, row: row, version: row.Versions[i], content: row.Versions[i].Content}
	d.parsed, err = commanddocument.Parse(d.content)
	return d, err
}

// ownDocument returns a document that users made.
func ownDocument(r store.Reader, region identity.Region, name string) (*store.Document, error) {
	row, ok := store.Documents.Get(r, region.Key(name))
	if !ok {
		return nil, wire.Errorf("InvalidDocument", "Document with name %s does not exist.", name)
	}
	return row, nil
}

func noVersion(name, version string) error {
	return wire.Errorf("InvalidDocumentVersion", "The document %s has no version %s.", name, version)
}

// versionOf returns the index of a version.
func versionOf(row *store.Document, version, name *string) (int, error) {
	i := slices.IndexFunc(row.Versions, func(v store.DocumentVersion) bool {
		number := strconv.Itoa(v.Number)
		switch {
		case name != nil && v.Name != *name:
			return false
		case version == nil && name != nil:
			return true
		case version == nil, *version == "$DEFAULT":
			return v.Number == row.Default
		case *version == "$LATEST":
			return v.Number == latestOf(row)
		}
		return number == *version
	})
	if i < 0 {
		return 0, noVersion(row.Name, cmp.Or(aws.ToString(version), aws.ToString(name)))
	}
	return i, nil
}

// latestOf returns the number of the latest version.
func latestOf(row *store.Document) int { return row.Versions[len(row.Versions)-1].Number }

// script returns what machines run, or why the document does not accept the parameters. For AWS's document it has a
// timeout alone, because machines have the document.
func (d *document) script(given map[string][]string) (s commanddocument.Script, problem string) {
	if d.parsed != nil {
		return d.parsed.Script(given)
	}
	s.Timeout, problem = runcommand.CheckParameters(given)
	return s, problem
}

// step returns the name of the step that machines run, "" for AWS's document.
func (d *document) step() string {
	if d.parsed == nil {
		return ""
	}
	return d.parsed.Step()
}

// description returns a document as responses describe it.
func (d *document) description(region identity.Region) *types.DocumentDescription {
	hash := sha256.Sum256([]byte(d.content))
	out := &types.DocumentDescription{
		Name: &d.name, DocumentFormat: types.DocumentFormatJson, DocumentType: types.DocumentTypeCommand,
		Status: types.DocumentStatusActive, Hash: aws.String(hex.EncodeToString(hash[:])),
		HashType: types.DocumentHashTypeSha256, Tags: []types.Tag{}, PlatformTypes: d.platforms(),
	}
	if d.row == nil {
		version := aws.String(runcommand.DocumentVersion)
		out.Owner, out.Description = aws.String(runcommand.DocumentOwner), aws.String(runcommand.DocumentDescription)
		out.DocumentVersion, out.DefaultVersion, out.LatestVersion = version, version, version
		out.SchemaVersion, out.Parameters = aws.String(runcommand.DocumentSchema), awsParameters()
		return out
	}
	out.Owner, out.Description = aws.String(region.Account()), &d.parsed.Description
	out.DocumentVersion = number(d.version.Number)
	out.DefaultVersion, out.LatestVersion = number(d.row.Default), number(latestOf(d.row))
	out.SchemaVersion, out.CreatedDate, out.Tags = &d.parsed.Schema, &d.version.Created, describeTags(d.row.Tags)
	out.TargetType, out.VersionName = given(d.row.TargetType), given(d.version.Name)
	for _, name := range slices.Sorted(maps.Keys(d.parsed.Parameters)) {
		p := d.parsed.Parameters[name]
		out.Parameters = append(out.Parameters, types.DocumentParameter{
			Name: &name, Type: types.DocumentParameterType(p.Type), Description: &p.Description,
			DefaultValue: p.DefaultText(),
		})
	}
	return out
}

func number(n int) *string { return aws.String(strconv.Itoa(n)) }

// given returns a text, or nil for none.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// platforms returns the systems for which a document has steps.
func (d *document) platforms() []types.PlatformType {
	if d.parsed == nil {
		return []types.PlatformType{types.PlatformTypeLinux, types.PlatformTypeMacos}
	}
	var all []types.PlatformType
	for _, name := range d.parsed.Platforms {
		all = append(all, types.PlatformType(name))
	}
	return all
}

func awsParameters() (all []types.DocumentParameter) {
	for _, p := range runcommand.Parameters() {
		parameter := types.DocumentParameter{
			Name: &p.Name, Type: types.DocumentParameterType(p.Type), Description: &p.Description,
		}
		if !p.Required {
			parameter.DefaultValue = &p.Default
		}
		all = append(all, parameter)
	}
	return all
}

// GetDocument returns the content of a document.
func (a *API) GetDocument(ctx context.Context, in *ssm.GetDocumentInput) (*ssm.GetDocumentOutput, error) {
	if err := checkDocumentFormat(in.DocumentFormat); err != nil {
		return nil, err
	}
	d, _, err := a.namedDocument(ctx, in.Name, in.DocumentVersion, in.VersionName)
	if err != nil {
		return nil, err
	}
	out := &ssm.GetDocumentOutput{
		Name: &d.name, Content: &d.content, DocumentVersion: aws.String(runcommand.DocumentVersion),
		DocumentFormat: types.DocumentFormatJson, DocumentType: types.DocumentTypeCommand,
		Status: types.DocumentStatusActive, AttachmentsContent: []types.AttachmentContent{},
	}
	if d.row != nil {
		out.DocumentVersion, out.VersionName = number(d.version.Number), given(d.version.Name)
		out.CreatedDate = &d.version.Created
	}
	return out, nil
}

func checkDocumentFormat(format types.DocumentFormat) error {
	switch {
	case format == "" || format == types.DocumentFormatJson:
		return nil
	case !slices.Contains(format.Values(), format):
		return model.OutOfSet("documentFormat", format, "YAML", "TEXT", "JSON")
	}
	return unsupported("documents in a format other than JSON")
}

// namedDocument returns the document that a request names, and the caller's region.
func (a *API) namedDocument(
	ctx context.Context, name, version, versionName *string,
) (*document, identity.Region, error) {
	if name == nil {
		return nil, "", model.Null("name")
	}
	view, region, err := a.read(ctx)
	if err != nil {
		return nil, "", err
	}
	d, err := findDocument(view, region, *name, version, versionName)
	return d, region, err
}

// DescribeDocument describes a document.
func (a *API) DescribeDocument(
	ctx context.Context, in *ssm.DescribeDocumentInput,
) (*ssm.DescribeDocumentOutput, error) {
	d, region, err := a.namedDocument(ctx, in.Name, in.DocumentVersion, in.VersionName)
	if err != nil {
		return nil, err
	}
	return &ssm.DescribeDocumentOutput{Document: d.description(region)}, nil
}

// DescribeDocumentPermission lists the accounts with which a document is shared: none.
func (a *API) DescribeDocumentPermission(
	ctx context.Context, in *ssm.DescribeDocumentPermissionInput,
) (*ssm.DescribeDocumentPermissionOutput, error) {
	if in.PermissionType != types.DocumentPermissionTypeShare {
		return nil, wire.Errorf("InvalidPermissionType", "The permission type is not supported. Share is the only one.")
	}
	if _, _, err := a.namedDocument(ctx, in.Name, nil, nil); err != nil {
		return nil, err
	}
	return &ssm.DescribeDocumentPermissionOutput{
		AccountIds: []string{}, AccountSharingInfoList: []types.AccountSharingInfo{},
	}, nil
}

// ListDocumentVersions lists the versions of a document, the latest first.
func (a *API) ListDocumentVersions(
	ctx context.Context, in *ssm.ListDocumentVersionsInput,
) (*ssm.ListDocumentVersionsOutput, error) {
	if err := model.Between("maxResults", in.MaxResults, 1, maxCommands); err != nil {
		return nil, err
	}
	last, ok := pageTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	d, _, err := a.namedDocument(ctx, in.Name, nil, nil)
	if err != nil {
		return nil, err
	}
	all := []types.DocumentVersionInfo{versionInfo(d.name, runcommand.DocumentVersion, "", true, nil)}
	if d.row != nil {
		all = nil
		for _, v := range slices.Backward(d.row.Versions) {
			info := versionInfo(d.name, strconv.Itoa(v.Number), v.Name, v.Number == d.row.Default, &v.Created)
			all = append(all, info)
		}
	}
	key := func(v types.DocumentVersionInfo) string { return descending(*v.DocumentVersion) }
	all, next := commandPage(all, last, in.MaxResults, key)
	return &ssm.ListDocumentVersionsOutput{DocumentVersions: all, NextToken: next}, nil
}

// descending returns a key by which versions with greater numbers come first.
func descending(version string) string {
	n, _ := strconv.Atoi(version) // its own numbers
	return strconv.Itoa(1_000_000 - n)
}

func versionInfo(name, version, versionName string, isDefault bool, created *time.Time) types.DocumentVersionInfo {
	return types.DocumentVersionInfo{
		Name: &name, DocumentVersion: &version, VersionName: given(versionName), IsDefaultVersion: isDefault,
		CreatedDate: created, DocumentFormat: types.DocumentFormatJson, Status: types.DocumentStatusActive,
	}
}
