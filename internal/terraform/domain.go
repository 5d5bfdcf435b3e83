package terraform

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"aloft.dev/aloft/internal/blueprint"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const domainFile = "domain.tf"

// hostedZone returns the id of the hosted zone that owns a name of the application, or "" if
// its DNS is elsewhere. The zone is an input.
func (c *code) hostedZone(domain string) string {
	zone, record := c.HostedZone(domain)
	if _, known := c.references[zone]; zone != "" && !known {
		name := "hosted_zone_" + notInName.ReplaceAllString(record, "_")
		c.declare(name, variable{what: "id of the hosted zone that owns " + record, value: zone})
		c.references[zone] = variableOf(name)
	}
	return zone
}

// certificates writes the certificate and the records that validate it.
func (c *code) certificates() {
	for _, f := range c.Certificates {
		b := c.resource(domainFile, "aws_acm_certificate", f.Address, f.ID).isKnownAs(f.ID, "arn").
			text("domain_name", aws.ToString(f.AWS.DomainName)).
			list("subject_alternative_names", f.Values(stack.AttrNames)).
			text("validation_method", string(acmtypes.ValidationMethodDns)).
			text("key_algorithm", blueprint.KeyAlgorithm(f.AWS.KeyAlgorithm)).tags(f.Tags)
		b.inside("lifecycle").flag("create_before_destroy", true)
		c.validations(f, b.of)
	}
}

// validations writes the records that validate a certificate, and what waits for them. The
// provider cannot import that, and its creation changes nothing.
func (c *code) validations(f blueprint.Item[acmtypes.CertificateDetail], certificate hcl.Traversal) {
	var names []hclwrite.Tokens
	written := map[string]bool{}
	for _, o := range f.AWS.DomainValidationOptions {
		domain, record := aws.ToString(o.DomainName), o.ResourceRecord
		zone := c.hostedZone(domain)
		if record == nil || zone == "" || written[aws.ToString(record.Name)] {
			continue
		}
		written[aws.ToString(record.Name)] = true
		plain := strings.TrimSuffix(aws.ToString(record.Name), ".")
		b := c.resource(domainFile, "aws_route53_record", "validation-"+domain, zone+"_"+plain+"_CNAME").
			text("zone_id", zone).text("type", string(record.Type)).number("ttl", validationTTL)
		value := func(attribute string) hclwrite.Tokens {
			const choose = "one([for o in %s.%s.domain_validation_options : o.%s if o.domain_name == %q])"
			name := certificate[1].(hcl.TraverseAttr).Name
			return expression(fmt.Sprintf(choose, certificate.RootName(), name, attribute, domain))
		}
		b.body.SetAttributeRaw("name", value("resource_record_name"))
		b.body.SetAttributeRaw("records", hclwrite.TokensForTuple([]hclwrite.Tokens{value("resource_record_value")}))
		names = append(names, hclwrite.TokensForTraversal(append(b.of, hcl.TraverseAttr{Name: "fqdn"})))
	}
	waiting := c.resource(domainFile, "aws_acm_certificate_validation", f.Address, "").text("certificate_arn", f.ID)
	if len(names) > 0 {
		waiting.body.SetAttributeRaw("validation_record_fqdns", hclwrite.TokensForTuple(names))
	}
	c.validation = append(c.validation, waiting.of)
}

// validationTTL is the TTL of validation records, in seconds.
const validationTTL = 300

// expression returns the tokens of an expression.
func expression(text string) hclwrite.Tokens {
	file, problems := hclwrite.ParseConfig([]byte("value = "+text), "", hcl.InitialPos)
	if problems.HasErrors() {
		panic(fmt.Sprintf("an expression of this package: %v", problems))
	}
	return file.Body().GetAttribute("value").Expr().BuildTokens(nil)
}

// records writes the records that lead to the load balancer.
func (c *code) records() {
	balancers := map[string]plan.Found{}
	for _, l := range c.LoadBalancers {
		balancers[l.ID] = l.Found
	}
	for _, f := range c.Records {
		domain := f.Value(stack.AttrName)
		zone := c.hostedZone(domain)
		to := balancers[f.Value(stack.AttrLoadBalancer)]
		b := c.resource(domainFile, "aws_route53_record", f.Address, zone+"_"+domain+"_A").
			text("zone_id", zone).text("name", domain).text("type", "A")
		alias := b.inside("alias").text("name", to.Status.DNSName)
		alias.body.SetAttributeTraversal("zone_id", c.zoneOf(to))
		alias.flag("evaluate_target_health", false)
	}
}

// zoneOf refers to the hosted zone of a load balancer's own name.
func (c *code) zoneOf(balancer plan.Found) hcl.Traversal {
	of := c.references[balancer.ID]
	if len(of) < 2 {
		return of
	}
	return append(of[:2:2], hcl.TraverseAttr{Name: "zone_id"})
}
