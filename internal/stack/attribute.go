package stack

import (
	"fmt"
	"strings"
)

// AttributeKey names an attribute of a resource. Plans print it.
type AttributeKey string

// Attributes of several kinds. Those of one kind are declared beside it.
const (
	AttrVPC            AttributeKey = "vpc"
	AttrCIDR           AttributeKey = "cidr"
	AttrSubnets        AttributeKey = "subnets"
	AttrSecurityGroups AttributeKey = "security groups"
	AttrKeyPair        AttributeKey = "key pair"
	AttrLoadBalancer   AttributeKey = "load balancer"
	AttrTargetGroup    AttributeKey = "target group"
	AttrGroup          AttributeKey = "group" // Auto Scaling group of a policy or schedule
	AttrName           AttributeKey = "name"
	AttrPort           AttributeKey = "port"
	AttrProtocol       AttributeKey = "protocol"
	AttrType           AttributeKey = "type" // instance type
	AttrRelease        AttributeKey = "release"
	AttrState          AttributeKey = "state"
	AttrMin            AttributeKey = "min"
	AttrMax            AttributeKey = "max"
)

// Values of attributes.
const (
	Yes     = "yes"
	No      = "no"
	On      = "on"
	Off     = "off"
	Healthy = "healthy"
)

// Term is one value of an attribute: a text followed by the property that Ref
// refers to. Either may be empty.
type Term struct {
	Text string
	Ref  Ref
}

// String returns the term with its reference: "tcp 3000 from security-group-web.id".
func (t Term) String() string {
	if t.Ref.Address == "" {
		return t.Text
	}
	return t.Text + t.Ref.String()
}

// Attribute is a fact about a resource that can be compared with the cloud.
type Attribute struct {
	Key   AttributeKey
	Terms []Term // a set; most attributes have one value
	Fixed bool   // cannot be changed in place
	// Optional attributes are not shown of a new resource that has no value of them.
	Optional bool
	// Hidden values are digests, which are compared and never shown.
	Hidden bool
	// Also lists values that are accepted in place of the one in Terms, because
	// something else in the cloud, such as a schedule, sets them, or because the
	// preferred one was not to be had.
	Also []Term
}

// String returns the attribute as golden tests print it.
func (a Attribute) String() string {
	if a.Hidden {
		return fmt.Sprintf("%s: hidden", a.Key)
	}
	fixed, also := "", ""
	if a.Fixed {
		fixed = " (fixed)"
	}
	if len(a.Also) > 0 {
		also = " (or " + joinTerms(a.Also) + ")"
	}
	return fmt.Sprintf("%s%s: %s%s", a.Key, fixed, joinTerms(a.Terms), also)
}

func joinTerms(terms []Term) string {
	texts := make([]string, len(terms))
	for i, t := range terms {
		texts[i] = t.String()
	}
	return strings.Join(texts, ", ")
}

// or makes an attribute accept other values in place of its own.
func (a Attribute) or(terms ...Term) Attribute {
	a.Also = append(a.Also, terms...)
	return a
}

func text(key AttributeKey, value any) Attribute {
	return Attribute{Key: key, Terms: []Term{{Text: fmt.Sprint(value)}}}
}

// seconds returns an attribute for a duration given in seconds.
func seconds(key AttributeKey, n int) Attribute { return text(key, fmt.Sprintf("%ds", n)) }

func ref(key AttributeKey, to Ref) Attribute {
	return Attribute{Key: key, Terms: []Term{{Ref: to}}}
}

func refs(key AttributeKey, to []Ref) Attribute {
	a := Attribute{Key: key}
	for _, r := range to {
		a.Terms = append(a.Terms, Term{Ref: r})
	}
	return a
}

func fixed(a Attribute) Attribute {
	a.Fixed = true
	return a
}
