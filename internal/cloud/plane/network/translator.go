//go:build linux

package network

import (
	"errors"
	"fmt"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// translator is what this process knows of the namespace of a NAT gateway.
type translator struct {
	namespaceID namespaceID
	ruleset     appliedRuleset
}

// translatorSysctls make a namespace forget an idle TCP connection after as long as a
// NAT gateway of AWS does (Amazon VPC User Guide, Troubleshoot NAT gateways).
var translatorSysctls = []sysctl{{"netfilter/nf_conntrack_tcp_timeout_established", "350"}}

// applyTranslators makes the namespaces of the VPC's NAT gateways translate, before they
// are attached.
func (r *router) applyTranslators(vpc VPC, desired map[string]attachment) error {
	var problems error
	present := map[string]*translator{}
	for _, i := range vpc.Interfaces {
		a, ok := desired[i.ID]
		if !ok || !i.Translates {
			continue
		}
		t, ok := r.translators[i.ID]
		if !ok || t.namespaceID != a.namespaceID {
			t = &translator{namespaceID: a.namespaceID}
		}
		ruleset := firewall.Translator{Device: machineDevice(0), CIDRs: vpc.CIDRs, Private: i.Private}.Ruleset(nftTable)
		if err := t.apply(a.namespace, ruleset); err != nil {
			problems = errors.Join(problems, fmt.Errorf("set up NAT of interface %s: %w", i.ID, err))
		}
		present[i.ID] = t
	}
	r.translators = present
	return problems
}

// apply lets the namespace at path forward packets by a ruleset.
func (t *translator) apply(path string, ruleset firewall.Ruleset) error {
	if t.ruleset.text == ruleset.String() {
		return nil
	}
	n, err := openNamespace(path)
	if err != nil {
		return err
	}
	defer func() { _ = n.close() }()
	if err := t.ruleset.set(n, ruleset); err != nil {
		return err
	}
	return inNamespace(path, func() error {
		if err := writeSysctls(forwardingSysctls); err != nil {
			return err
		}
		if err := writeSysctls(translatorSysctls); err != nil {
			return err
		}
		return forgetFlows()
	})
}

// auditTranslators compares the rulesets of NAT gateways with those that were applied.
func (r *router) auditTranslators() (changes []string, err error) {
	for id, t := range r.translators {
		n, err := openNamespace(r.attached[id].namespace)
		if err != nil {
			return nil, fmt.Errorf("audit NAT of interface %s: %w", id, err)
		}
		changed, err := t.ruleset.isChanged(n)
		if err := errors.Join(err, n.close()); err != nil {
			return nil, fmt.Errorf("audit NAT of interface %s: %w", id, err)
		}
		if changed {
			changes = append(changes, "the firewall of the NAT gateway with "+id+" was changed")
			t.ruleset = appliedRuleset{}
		}
	}
	return changes, nil
}
