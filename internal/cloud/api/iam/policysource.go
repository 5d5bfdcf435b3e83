package iam

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/managedpolicy"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// source is a policy that applies to a user, a group or a role.
type source struct {
	kind     types.EntityType // of its holder; "" for a policy of a request
	holder   string
	name     string
	arn      string // of a managed policy
	text     string // "" for what the account's own user may do, which no policy says
	document *policydocument.Document
}

// id returns how simulations call the policy. Inline policies are called after their holders as well.
func (s *source) id() string {
	switch {
	case s.arn != "", s.kind == "":
		return s.name
	case s.kind == types.EntityTypeUser:
		return "user_" + s.holder + "_" + s.name
	case s.kind == types.EntityTypeGroup:
		return "group_" + s.holder + "_" + s.name
	}
	return "role_" + s.holder + "_" + s.name
}

// principal is a user, a group or a role whose policies are looked at.
type principal struct {
	arn      string
	role     bool
	sources  []source
	boundary *source // nil: none
}

var entityARNForm = regexp.MustCompile(`^arn:aws:iam::\d{12}:(user|group|role)/(?:[\x21-\x7e]*/)?([\w+=,.@-]+)$`)

// findPrincipal returns the user, the group or the role with an ARN.
func findPrincipal(ctx context.Context, r store.Reader, member string, arn *string) (*principal, error) {
	if arn == nil {
		return nil, model.Null(member)
	}
	if len(*arn) < minARN {
		return nil, model.TooShort(member, minARN)
	}
	parts := entityARNForm.FindStringSubmatch(*arn)
	if parts == nil || identity.RegionOfARN(*arn) != wire.GlobalFrom(ctx) {
		return nil, invalidInput("Invalid Entity Arn: %s does not clearly define entity type and name.", *arn)
	}
	p, name := &principal{arn: *arn}, parts[2]
	switch parts[1] {
	case "user":
		return p, p.addUser(ctx, r, name)
	case "group":
		row, err := findGroup(ctx, r, &name)
		if err != nil || row.ARN != *arn {
			return nil, groupNotFound(name)
		}
		return p, p.add(r, types.EntityTypeGroup, row.Name, row.Permissions)
	}
	row, err := findRole(ctx, r, &name)
	if err != nil || row.ARN != *arn {
		return nil, roleNotFound(name)
	}
	p.role = true
	return p, p.add(r, types.EntityTypeRole, row.Name, row.Permissions)
}

// addUser adds the policies of a user and of its groups.
func (p *principal) addUser(ctx context.Context, r store.Reader, name string) error {
	row, err := findUser(ctx, r, &name)
	if err != nil || row.ARN != p.arn {
		return userNotFound(name)
	}
	if checkChangeable(row) != nil {
		p.sources = []source{{document: access.Everything()}}
		return nil
	}
	if err := p.add(r, types.EntityTypeUser, row.Name, row.Permissions); err != nil {
		return err
	}
	for _, group := range groupsOf(r, row) {
		if err := p.add(r, types.EntityTypeGroup, group.Name, group.Permissions); err != nil {
			return err
		}
	}
	return nil
}

// add adds the policies of a user, a group or a role.
func (p *principal) add(r store.Reader, kind types.EntityType, holder string, permissions store.Permissions) error {
	for _, name := range slices.Sorted(maps.Keys(permissions.Inline)) {
		s := source{kind: kind, holder: holder, name: name, text: permissions.Inline[name]}
		if err := s.parse(); err != nil {
			return err
		}
		p.sources = append(p.sources, s)
	}
	for _, arn := range permissions.Attached {
		s, err := managedSource(r, arn)
		if err != nil {
			return err
		}
		s.kind, s.holder = kind, holder
		p.sources = append(p.sources, *s)
	}
	if permissions.Boundary == "" {
		return nil
	}
	s, err := managedSource(r, permissions.Boundary)
	p.boundary = s
	return err
}

// managedSource returns the default version of a managed policy.
func managedSource(r store.Reader, arn string) (*source, error) {
	text, ok := managedpolicy.Document(r, arn)
	if !ok {
		return nil, fmt.Errorf("read the policy %s: it does not exist", arn)
	}
	_, name := splitPolicyARN(arn)
	s := &source{name: name, arn: arn, text: text}
	return s, s.parse()
}

// parse parses a policy that IAM has accepted before.
func (s *source) parse() (err error) {
	if s.document, err = policydocument.Parse(policydocument.Identity, s.text); err != nil {
		return fmt.Errorf("read the policy %s: %w", s.name, err)
	}
	return nil
}

// inputs parses the policies of a request, which are called after their list.
func inputs(list string, kind policydocument.Kind, texts ...string) ([]source, error) {
	var out []source
	for i, text := range texts {
		s := source{name: fmt.Sprintf("%s.%d", list, i+1), text: text}
		var err error
		if s.document, err = policydocument.Parse(kind, text); err != nil {
			return nil, invalidInput("%s", err.Error())
		}
		out = append(out, s)
	}
	return out, nil
}

// documents returns the documents of policies.
func documents(sources []source) []*policydocument.Document {
	return convert(sources, func(s source) *policydocument.Document { return s.document })
}
