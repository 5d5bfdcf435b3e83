//go:build linux

package network

import "aloft.dev/aloft/internal/cloud/plane/firewall"

// appliedRuleset identifies the rulesets that this process has loaded into a namespace. Zero: unknown.
type appliedRuleset struct {
	text       string
	generation uint32
}

// set makes the rulesets, which have different tables, the namespace's, unless they are already.
func (a *appliedRuleset) set(n *namespace, rulesets ...firewall.Ruleset) error {
	text := textOf(rulesets)
	if text == a.text {
		return nil
	}
	*a = appliedRuleset{}
	if err := firewall.Apply(n.fd(), rulesets...); err != nil {
		return err
	}
	generation, err := firewall.Generation(n.fd())
	if err != nil {
		return err
	}
	*a = appliedRuleset{text, generation}
	return nil
}

func textOf(rulesets []firewall.Ruleset) (text string) {
	for _, r := range rulesets {
		text += r.String()
	}
	return text
}

// isChanged reports whether the namespace's ruleset is no longer the one that was set.
func (a *appliedRuleset) isChanged(n *namespace) (bool, error) {
	if a.text == "" {
		return false, nil
	}
	generation, err := firewall.Generation(n.fd())
	return err == nil && generation != a.generation, err
}
