package stack

import "fmt"

// KindElasticIP is the kind of an Elastic IP address.
const KindElasticIP Kind = "elastic-ip"

var elasticIPKind = properties{kind: KindElasticIP}

// ElasticIP is a public address that the account keeps. It is the address from which the
// outside sees the servers behind a NAT gateway.
type ElasticIP struct{}

func elasticIPAddress(n int) string { return fmt.Sprintf("elastic-ip-%d", n) }

// Kind implements Body.
func (ElasticIP) Kind() Kind { return KindElasticIP }

// Title implements Body.
func (ElasticIP) Title() string {
	return "Elastic IP address, from which private servers reach the outside"
}

// Attributes implements Body.
func (ElasticIP) Attributes() []Attribute { return nil }

// Needs implements Body.
func (ElasticIP) Needs() []Ref { return nil }
