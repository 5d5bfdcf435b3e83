// Package bucketpolicy reads the policies of S3's buckets and decides what they admit.
//
// The policy of a bucket admits the services that deliver logs into it, those of load balancers and flow logs.
// What it means for users and roles, of its account and of others, package authorization decides. Statements
// that would mean something else are refused, so that no policy has less effect than it says.
package bucketpolicy

import (
	"net/netip"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
)

// Policy is the policy of a bucket.
type Policy struct{ document *policydocument.Document }

// The errors of Parse.
type (
	// MalformedError is the error for a policy that S3 does not accept, in its words.
	MalformedError struct{ message string }
	// PublicError is the error for a policy that makes a bucket public.
	PublicError struct{}
)

func (e *MalformedError) Error() string { return e.message }
func (*PublicError) Error() string      { return "the policy is public" }

// Parse reads the policy of a bucket.
func Parse(bucket, text string) (*Policy, error) {
	document, err := policydocument.Parse(policydocument.Resource, text)
	if err != nil {
		return nil, &MalformedError{err.Error()}
	}
	for i := range document.Statements {
		if err := check(bucket, &document.Statements[i]); err != nil {
			return nil, err
		}
	}
	return &Policy{document}, nil
}

func check(bucket string, s *policydocument.Statement) error {
	arn := "arn:aws:s3:::" + bucket
	for _, resource := range slices.Concat(s.Resources, s.NotResources) {
		if resource != arn && !strings.HasPrefix(resource, arn+"/") && resource != arn+"*" {
			return &MalformedError{"Policy has invalid resource"}
		}
	}
	for _, action := range slices.Concat(s.Actions, s.NotActions) {
		if action != "*" && !strings.HasPrefix(strings.ToLower(action), "s3:") {
			return &MalformedError{"Policy has invalid action"}
		}
	}
	everybody := slices.Contains(s.Principals["*"], "*") || slices.Contains(s.Principals["AWS"], "*")
	if s.Allow && everybody && !limited(s) {
		return &PublicError{}
	}
	return nil
}

// limiting are the condition keys by which S3 does not call a statement for everybody public, in lower case
// (Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", The meaning of "public").
var limiting = []string{
	"aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount",
	"aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:userid",
}

// limited reports whether the conditions of a statement limit who everybody is.
func limited(s *policydocument.Statement) bool {
	return slices.ContainsFunc(s.Conditions, func(c policydocument.Condition) bool {
		return slices.Contains(limiting, strings.ToLower(c.Key)) && !slices.ContainsFunc(c.Values, isOpen) &&
			!slices.ContainsFunc(openOperators, func(part string) bool { return strings.Contains(c.Operator, part) })
	})
}

// openOperators are parts of the operators that are met by requests without the key, or with other values.
var openOperators = []string{"Not", "IfExists", "ForAllValues", "Null"}

// isOpen reports whether a value of a condition admits many: one with wildcards or variables, or a large range of IP
// addresses.
func isOpen(value string) bool {
	if block, err := netip.ParsePrefix(value); err == nil {
		return block.Bits() < 8 || block.Addr().Is6() && block.Bits() < 32
	}
	return strings.ContainsAny(value, "*?$")
}

// Document returns the policy as a document.
func (p *Policy) Document() *policydocument.Document { return p.document }

// Delivery is a log that a service puts into a bucket.
type Delivery struct {
	Bucket, Key string
	Service     string          // LoadBalancers or Logs
	Region      identity.Region // of what the log is about
	Source      string          // ARN of what the log is about
}

// The principals that deliver logs.
const (
	// LoadBalancers delivers the logs of Application Load Balancers (Application Load Balancer guide, "Enable
	// access logs").
	LoadBalancers = "logdelivery.elasticloadbalancing.amazonaws.com"
	// Logs delivers flow logs, and logs of Network Load Balancers (Amazon VPC User Guide, "Amazon S3 bucket
	// permissions for flow logs").
	Logs = "delivery.logs.amazonaws.com"
)

// Admits reports whether the policy lets a log into its bucket.
func (p *Policy) Admits(d Delivery) bool {
	relevant := &policydocument.Document{Version: p.document.Version}
	for _, s := range p.document.Statements {
		account := ""
		if d.Service == LoadBalancers {
			account = deliveryAccounts[d.Region.Name()]
		}
		named := func(name string) bool {
			return !s.Allow && name == "*" ||
				account != "" && (name == account || name == "arn:aws:iam::"+account+":root")
		}
		if slices.Contains(s.Principals["Service"], d.Service) ||
			slices.ContainsFunc(s.Principals["AWS"], named) || slices.ContainsFunc(s.Principals["*"], named) {
			relevant.Statements = append(relevant.Statements, s)
		}
	}
	return access.Evaluate([]*policydocument.Document{relevant}, nil, access.Request{
		Action: "s3:PutObject", Resources: []string{"arn:aws:s3:::" + d.Bucket + "/" + d.Key},
		Context: map[string][]string{
			"aws:SourceAccount": {d.Region.Account()}, "aws:SourceArn": {d.Source},
			"aws:RequestedRegion": {d.Region.Name()}, "aws:SecureTransport": {"true"},
			"aws:PrincipalIsAWSService": {"true"}, "aws:PrincipalServiceName": {d.Service},
			"s3:x-amz-acl": {"bucket-owner-full-control"},
		},
	}).Allowed
}

// deliveryAccounts are the accounts that deliver logs in the regions from before August
// 2022, which older policies name (Application Load Balancer guide, "Enable access logs").
var deliveryAccounts = map[string]string{
	"us-east-1": "127311923021", "us-east-2": "033677994240", "us-west-1": "027434742980",
	"us-west-2": "797873946194", "af-south-1": "098369216593", "ap-east-1": "754344448648",
	"ap-southeast-3": "589379963580", "ap-south-1": "718504428378", "ap-northeast-3": "383597477331",
	"ap-northeast-2": "600734575887", "ap-southeast-1": "114774131450", "ap-southeast-2": "783225319266",
	"ap-northeast-1": "582318560864", "ca-central-1": "985666609251", "eu-central-1": "054676820928",
	"eu-west-1": "156460612806", "eu-west-2": "652711504416", "eu-south-1": "635631232127",
	"eu-west-3": "009996457667", "eu-north-1": "897822967062", "me-south-1": "076674570225",
	"sa-east-1": "507241528517",
}
