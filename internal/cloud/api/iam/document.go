package iam

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Sizes in characters, without white space (IAM User Guide, "IAM and AWS STS quotas",
// "IAM and STS character limits"). maxDocument limits the parameters of requests.
const (
	maxTrust    = 2048
	maxManaged  = 6144
	maxDocument = 131072

	// Of all inline policies together.
	maxRoleInline  = 10240
	maxUserInline  = 2048
	maxGroupInline = 5120
)

func malformed(message string) error { return wire.Errorf("MalformedPolicyDocument", "%s", message) }

// parse parses the document in a member of a request.
func parse(kind policydocument.Kind, member string, text *string) (*policydocument.Document, error) {
	switch {
	case text == nil:
		return nil, model.Null(member)
	case *text == "":
		return nil, model.TooShort(member, 1)
	case utf8.RuneCountInString(*text) > maxDocument:
		return nil, model.TooLong(member, maxDocument)
	}
	doc, err := policydocument.Parse(kind, *text)
	if err != nil {
		return nil, malformed(err.Error())
	}
	return doc, nil
}

// parseTrust parses a document that says who may assume a role.
func parseTrust(member string, text *string) (*policydocument.Document, error) {
	doc, err := parse(policydocument.Trust, member, text)
	if err == nil && sizeOf(*text) > maxTrust {
		return nil, quotaExceeded("ACLSizePerRole", maxTrust)
	}
	return doc, err
}

// checkPrincipals refuses a trust policy with principals that the account does not have.
// Principals of other accounts may exist.
func checkPrincipals(ctx context.Context, r store.Reader, doc *policydocument.Document) error {
	own := identity.ARN("iam", wire.GlobalFrom(ctx), "")
	for _, s := range doc.Statements {
		for _, principal := range s.Principals["AWS"] {
			entity, ok := strings.CutPrefix(principal, own)
			if ok && entity != "root" && !hasRole(ctx, r, principal) && !hasUser(ctx, r, principal) {
				return malformed(policydocument.InvalidPrincipal("AWS", principal))
			}
		}
	}
	return nil
}

func hasRole(ctx context.Context, r store.Reader, arn string) bool {
	roles := store.Roles.InRegion(r, wire.GlobalFrom(ctx))
	return slices.ContainsFunc(roles, func(row *store.Role) bool { return row.ARN == arn })
}

func hasUser(ctx context.Context, r store.Reader, arn string) bool {
	return slices.ContainsFunc(usersIn(ctx, r), func(row *store.User) bool { return row.ARN == arn })
}

// sizeOf returns the size of a JSON text that quotas limit.
func sizeOf(text string) int {
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(text)) != nil {
		return utf8.RuneCountInString(text)
	}
	return utf8.RuneCount(compact.Bytes())
}

// encoded returns a document as responses contain it: encoded as RFC 3986 says (IAM API
// Reference, GetRolePolicy).
func encoded(document string) *string {
	text := strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
	return &text
}
