package firewall

import (
	"fmt"
	"strings"
)

// Ruleset is one nftables table of the IPv4 family, whole.
type Ruleset struct {
	Table  string
	sets   []set
	chains []chain
}

type set struct {
	name         string
	key          []field // more than one: a concatenation
	value        *field  // nil: a plain set
	isVerdictMap bool    // a map to verdicts
	elements     []element
}

// element is one member of a set. Its key has a text for each field.
type element struct {
	key     []value
	value   value
	verdict verdict
}

type chain struct {
	name          string
	hook          string // empty: reached from other chains only
	chainType     string // "filter", "nat"
	prio          int
	dropByDefault bool // the policy of a base chain
	rules         []rule
}

// rule is matches and actions in their order.
type rule []statement

// String writes the ruleset as nft would list it, nearly: for people and for
// golden tests.
func (r Ruleset) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "table ip %s {\n", r.Table)
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
		types = append(types, f.name)
	}
	of := strings.Join(types, " . ")
	switch {
	case s.isVerdictMap:
		kind, of = "map", of+" : verdict"
	case s.value != nil:
		kind, of = "map", of+" : "+s.value.name
	}
	fmt.Fprintf(b, "\t%s %s {\n\t\ttype %s\n", kind, s.name, of)
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
	if c.hook != "" {
		policy := "accept"
		if c.dropByDefault {
			policy = "drop"
		}
		fmt.Fprintf(b, "\t\ttype %s hook %s priority %d; policy %s;\n", c.chainType, c.hook, c.prio, policy)
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
