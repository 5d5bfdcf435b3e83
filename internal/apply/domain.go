package apply

import (
	"fmt"
	"slices"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// noteElsewhere notes in the plan which names its user has to lead to the load balancer,
// because their DNS is not in the account.
func (s *survey) noteElsewhere() {
	if s.plan.Empty() {
		return
	}
	target := "the load balancer's name, which aloft status shows"
	for _, f := range s.found {
		if f.Kind == stack.KindLoadBalancer && f.Status.DNSName != "" {
			target = f.Status.DNSName
		}
	}
	for _, domain := range s.spec.Domain {
		if s.facts.HostedZones[domain] == "" {
			s.plan.Notes = append(s.plan.Notes, fmt.Sprintf(
				"no hosted zone of this account owns %s: create a CNAME record there that leads to %s", domain, target,
			))
		}
	}
}

// servesHTTPS reports whether there is a listener for HTTPS.
func servesHTTPS(found []plan.Found) bool {
	return slices.ContainsFunc(found, func(f plan.Found) bool { return f.Address == stack.AddressSecureListener })
}

// domainsOf returns the names that HTTPS serves: those that lead to the load balancer, and
// those of the application's certificate, whose DNS may be elsewhere.
func domainsOf(found []plan.Found) []string {
	var names []string
	for _, f := range found {
		switch f.Kind {
		case stack.KindRecord:
			names = append(names, f.Value(stack.AttrName))
		case stack.KindCertificate:
			if f.Value(stack.AttrState) == stack.StateIssued {
				names = append(names, f.Values(stack.AttrNames)...)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// setDomains sets the names that HTTPS serves, and the URL.
func (s *Status) setDomains(names []string) {
	s.Domains = names
	if len(names) > 0 {
		s.URL = "https://" + names[0]
	}
}

// putFirst orders the names as the spec does. It does not add those that are not served
// yet, unless none is known: with a certificate of the user's and DNS elsewhere.
func (s *Status) putFirst(wanted []string) {
	if len(wanted) == 0 {
		return
	}
	var names []string
	for _, name := range wanted {
		if len(s.Domains) == 0 || slices.Contains(s.Domains, name) {
			names = append(names, name)
		}
	}
	for _, name := range s.Domains {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	s.setDomains(names)
}
