package policydocument

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// statement parses the n-th statement.
func (p *parser) statement(n int, members []member) (*Statement, error) {
	s := &Statement{}
	has := map[string]bool{}
	for _, m := range members {
		has[m.name] = true
		if err := p.prohibited(m.name); err != nil {
			return nil, err
		}
		if err := p.element(s, m); err != nil {
			return nil, fmt.Errorf("%w (statement %d)", err, n)
		}
	}
	for _, pair := range [][2]string{{"Action", "NotAction"}, {"Resource", "NotResource"}} {
		if has[pair[0]] && has[pair[1]] {
			return nil, p.syntax("Statement %d has both %s and %s.", n, pair[0], pair[1])
		}
	}
	if !has["Effect"] {
		return nil, p.syntax("Missing required field Effect (statement %d)", n)
	}
	if err := p.complete(s); err != nil {
		return nil, fmt.Errorf("%w (statement %d)", err, n)
	}
	return s, nil
}

// prohibited returns the error for an element that a document of this kind cannot have.
// NotPrincipal is only for policies of resources (IAM User Guide, "NotPrincipal").
func (p *parser) prohibited(element string) error {
	if p.ofResource() {
		return nil
	}
	switch element {
	case "Principal", "NotPrincipal":
		if p.kind == Identity {
			return refuse("Policy document should not specify a principal.")
		}
		if element == "Principal" {
			return nil
		}
	case "Resource", "NotResource", "NotAction":
		if p.kind == Identity {
			return nil
		}
	default:
		return nil
	}
	return refuse("Has prohibited field %s", element)
}

// element parses one element into a statement.
func (p *parser) element(s *Statement, m member) (err error) {
	switch m.name {
	case "Sid":
		sid, ok := stringOf(m.value)
		if !ok {
			return p.syntax("Sid must be a string.")
		}
		s.Sid = sid
		return p.checkSid(sid)
	case "Effect":
		effect, _ := stringOf(m.value)
		if effect != "Allow" && effect != "Deny" {
			return p.syntax("Invalid effect: %s. It must be Allow or Deny.", m.value)
		}
		s.Allow = effect == "Allow"
	case "Action":
		s.Actions, err = p.actions(m)
	case "NotAction":
		s.NotActions, err = p.actions(m)
	case "Resource":
		s.Resources, err = p.resources(m)
	case "NotResource":
		s.NotResources, err = p.resources(m)
	case "Principal":
		s.Principals, err = p.principals(m.value)
	case "NotPrincipal":
		s.NotPrincipals, err = p.principals(m.value)
	case "Condition":
		s.Conditions, err = p.conditions(m.value)
	default:
		return p.syntax("Unknown field %s", m.name)
	}
	return err
}

// complete refuses a statement that lacks what documents of the kind must have.
func (p *parser) complete(s *Statement) error {
	actions := len(s.Actions) + len(s.NotActions)
	resources := len(s.Resources) + len(s.NotResources)
	switch {
	case p.kind != Identity && len(s.Principals)+len(s.NotPrincipals) == 0:
		return refuse("Missing required field Principal")
	case p.kind != Identity && actions == 0:
		return refuse("Missing required field Action")
	case p.ofResource() && resources == 0:
		return refuse("Missing required field Resource")
	case actions == 0:
		return refuse("Policy statement must contain actions.")
	case p.kind == Identity && resources == 0:
		return refuse("Policy statement must contain resources.")
	}
	return nil
}

// trustActions are the actions of trust policies, in lower case (IAM User Guide, "Actions
// defined by AWS Security Token Service").
var trustActions = []string{
	"sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:tagsession",
	"sts:setsourceidentity", "sts:setcontext",
}

// isTrustAction reports whether an action of a policy, which may have wildcards, stands
// for an action of trust policies.
func isTrustAction(action string) bool {
	action = strings.ToLower(action)
	if !strings.HasPrefix(action, "sts:") {
		return false
	}
	pattern := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(action))
	form := regexp.MustCompile("^" + pattern + "$")
	return slices.ContainsFunc(trustActions, form.MatchString)
}

// actions parses Action or NotAction.
func (p *parser) actions(m member) ([]string, error) {
	list, ok := stringsOf(m.value)
	if !ok {
		return nil, p.syntax("%s must be a string or a list of strings.", m.name)
	}
	for _, action := range list {
		if err := p.checkAction(action); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (p *parser) checkAction(action string) error {
	vendor, name, prefaced := strings.Cut(action, ":")
	switch {
	case p.kind == Trust && !isTrustAction(action):
		return refuse("AssumeRole policy may only specify STS AssumeRole actions. %q is another.", action)
	case action == "*":
		return nil
	case !prefaced:
		return refuse("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. "+
			"The action %q is not.", action)
	case strings.Contains(name, ":"):
		return refuse("Actions/Condition can contain only one colon. The action %q has more.", action)
	case vendor == "" || strings.Trim(vendor, vendorCharacters) != "":
		return refuse("Vendor %s is not valid", vendor)
	case name == "":
		return p.syntax("The action %q has no name.", action)
	}
	return nil
}

const vendorCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."

// resources parses Resource or NotResource.
func (p *parser) resources(m member) ([]string, error) {
	list, ok := stringsOf(m.value)
	if !ok {
		return nil, p.syntax("%s must be a string or a list of strings.", m.name)
	}
	for i, resource := range list {
		complete, err := completeARN(resource)
		switch {
		case err != nil && p.kind == Service:
			complete = resource
		case err != nil:
			return nil, err
		}
		list[i] = complete
	}
	return list, nil
}

// arnParts is the number of the parts of an ARN. The last may contain colons.
const arnParts = 6

// completeARN checks a resource and returns it with wildcards for the parts that it
// omits (IAM User Guide, "IAM JSON policy elements: Resource").
func completeARN(resource string) (string, error) {
	if resource == "*" {
		return resource, nil
	}
	parts := strings.SplitN(resource, ":", arnParts)
	for len(parts) < arnParts {
		parts = append(parts, "*")
	}
	service, region := parts[2], parts[3]
	switch {
	case parts[0] != "arn" || !strings.Contains(resource, ":"):
		return "", refuse("Resource %s must be in ARN format or \"*\".", resource)
	case parts[1] != "aws":
		return "", refuse("Partition %q is not valid for resource %q.", parts[1], strings.Join(parts, ":"))
	case service == "" || strings.ContainsAny(service, "*?"):
		return "", refuse("Resource vendor must be fully qualified and cannot contain regexes. "+
			"The vendor of %s is not.", resource)
	case service == "iam" && region != "" && region != "*":
		return "", refuse("IAM resource %s cannot contain region information.", resource)
	case service == "s3" && region != "" && region != "*":
		return "", refuse("Resource %s can not contain region information.", resource)
	}
	return strings.Join(parts, ":"), nil
}
