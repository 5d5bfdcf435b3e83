//go:build linux

// Package firewall translates security groups and network ACLs into nftables rulesets
// and writes them into network namespaces.
package firewall

import (
	"fmt"
	"strings"
	"time"
)

// Ruleset is the whole content of one nftables table.
type Ruleset struct {
	Table  string
	Family Family
	sets   []set
	chains []chain
}

type set struct {
	name         string
	key          []field       // several: a concatenation
	value        *field        // nil: a set and not a map
	isVerdictMap bool          // a map to verdicts
	dynamic      bool          // rules add elements
	size         uint32        // of a dynamic set, in elements
	lifetime     time.Duration // of the elements of a dynamic set; 0: unlimited
	elements     []element
}

func (s *set) add(e element) { s.elements = append(s.elements, e) }

// element is one element of a set or map. Its key has a value for each field.
type element struct {
	key     []value
	value   value
	verdict verdict
}

type chain struct {
	name          string
	hook          hook
	dropByDefault bool // the policy of a base chain
	rules         []rule
}

// rule is a sequence of matches and actions.
type rule []statement

// String returns the ruleset nearly as nft lists it. Equal rulesets have equal texts.
func (r Ruleset) String() string {
	var b strings.Builder
	_, family := r.Family.table()
	fmt.Fprintf(&b, "table %s %s {\n", family, r.Table)
	for _, s := range r.sets {
		s.print(&b)
	}
	for _, c := range r.chains {
		c.print(&b)
	}
	b.WriteString("}\n")
	return b.String()
}

func (s set) print(b *strings.Builder) {
	kind, types := "set", make([]string, 0, len(s.key))
	for _, f := range s.key {
		types = append(types, f.typeName)
	}
	of := strings.Join(types, " . ")
	switch {
	case s.isVerdictMap:
		kind, of = "map", of+" : verdict"
	case s.value != nil:
		kind, of = "map", of+" : "+s.value.typeName
	}
	fmt.Fprintf(b, "\t%s %s {\n\t\ttype %s\n", kind, s.name, of)
	if s.dynamic {
		fmt.Fprintf(b, "\t\tsize %d; flags dynamic\n", s.size)
	}
	if s.lifetime > 0 {
		fmt.Fprintf(b, "\t\ttimeout %s\n", s.lifetime)
	}
	for _, e := range s.elements {
		keys := make([]string, 0, len(e.key))
		for _, k := range e.key {
			keys = append(keys, k.text)
		}
		fmt.Fprintf(b, "\t\t%s", strings.Join(keys, " . "))
		switch {
		case s.isVerdictMap:
			fmt.Fprintf(b, " : %s", e.verdict.text())
		case s.value != nil:
			fmt.Fprintf(b, " : %s", e.value.text)
		}
		b.WriteString("\n")
	}
	b.WriteString("\t}\n")
}

func (c chain) print(b *strings.Builder) {
	fmt.Fprintf(b, "\tchain %s {\n", c.name)
	if c.hook.name != "" {
		policy := "accept"
		if c.dropByDefault {
			policy = "drop"
		}
		fmt.Fprintf(b, "\t\ttype %s hook %s priority %d; policy %s;\n",
			c.hook.chainType, c.hook.name, c.hook.priority, policy)
	}
	for _, r := range c.rules {
		parts := make([]string, 0, len(r))
		for _, s := range r {
			parts = append(parts, s.text())
		}
		fmt.Fprintf(b, "\t\t%s\n", strings.Join(parts, " "))
	}
	b.WriteString("\t}\n")
}
