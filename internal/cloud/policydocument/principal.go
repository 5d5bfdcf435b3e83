package policydocument

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// principals parses Principal: "*", or one or more principals by type.
func (p *parser) principals(value []byte) (map[string][]string, error) {
	if all, ok := stringOf(value); ok {
		if all != "*" {
			return nil, invalidPrincipal("", all)
		}
		return map[string][]string{"*": {"*"}}, nil
	}
	members, err := object(value)
	if err != nil {
		return nil, p.syntax("Principal %v", err)
	}
	out := map[string][]string{}
	for _, m := range members {
		list, ok := stringsOf(m.value)
		if !ok || len(list) == 0 {
			return nil, p.syntax("Principal %s must be a string or a list of strings.", m.name)
		}
		for _, principal := range list {
			canonical := p.ofResource() && m.name == "CanonicalUser"
			if !canonical && !validPrincipal(m.name, principal) {
				return nil, invalidPrincipal(m.name, principal)
			}
		}
		out[m.name] = list
	}
	return out, nil
}

// InvalidPrincipal returns IAM's message for a principal that has no valid form or does
// not exist.
func InvalidPrincipal(kind, principal string) string {
	return fmt.Sprintf("Invalid principal in policy: %q:%q", strings.ToUpper(kind), principal)
}

func invalidPrincipal(kind, principal string) error {
	return refusal(InvalidPrincipal(kind, principal))
}

// The forms of principals (IAM User Guide, "AWS JSON policy elements: Principal").
var (
	accountForm = regexp.MustCompile(`^\d{12}$`)
	entityForm  = regexp.MustCompile(
		`^arn:aws:(iam::\d{12}:(root|(role|user)/[\w+=,.@/-]+)|sts::\d{12}:(assumed-role/[\w+=,.@-]+/` +
			`[\w+=,.@-]+|federated-user/[\w+=,.@-]+))$`)
	// uniqueIDForm matches the id that IAM shows for a principal that was deleted.
	uniqueIDForm = regexp.MustCompile(`^A(ROA|IDA)[A-Z0-9]{12,124}$`)
	serviceForm  = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com|amazon\.com)$`)
	providerForm = regexp.MustCompile(`^arn:aws:iam::\d{12}:(saml-provider/[\w.-]+|oidc-provider/.+)$`)
	// webProviders need no provider in IAM.
	webProviders = []string{
		"cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com", "accounts.google.com",
	}
)

func validPrincipal(kind, principal string) bool {
	switch kind {
	case "AWS":
		return principal == "*" || accountForm.MatchString(principal) || entityForm.MatchString(principal) ||
			uniqueIDForm.MatchString(principal)
	case "Service":
		return serviceForm.MatchString(principal)
	case "Federated":
		return providerForm.MatchString(principal) || slices.Contains(webProviders, principal)
	}
	return false // CanonicalUser is for policies of resources
}
