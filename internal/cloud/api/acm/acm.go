// Package acm answers AWS Certificate Manager for the local cloud: certificates
// that users import, which listeners of load balancers then use. There is no
// certificate authority here, so RequestCertificate and what belongs to it are
// not offered. Facts about answers, limits and errors: AWS Certificate Manager
// API Reference and User Guide, Importing certificates.
//
// A private key comes in by ImportCertificate and no operation tells it. It is
// kept in a row of the store, whose file only its owner can read.
package acm

import (
	"crypto/rand"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config is what the API works with.
type Config struct {
	Store *store.Store
	Now   func() time.Time // nil: time.Now
}

// API serves the operations of AWS Certificate Manager.
type API struct{ Config }

// New makes the API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &API{c}
}

// model refuses what breaks the API's model.
const model = constraint.Model("ValidationException")

// newARN names a certificate by a random UUID (RFC 9562, section 5.4).
func newARN(region string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return identity.ARN("acm", region, "certificate/"+uuid(b))
}

const arnPattern = `arn:[\w+=/,.@-]+:acm:[\w+=/,.@-]*:[0-9]+:[\w+=,.@-]+(/[\w+=,.@-]+)*`

var wholeARN = regexp.MustCompile(`^` + arnPattern + `$`)

// find is the certificate that a request names.
func find(r store.Reader, region string, arn *string) (*store.Certificate, error) {
	switch name := aws.ToString(arn); {
	case arn == nil:
		return nil, model.Null("certificateArn")
	case !wholeARN.MatchString(name) || len(name) < 20 || len(name) > 2048:
		return nil, model.Refuse("certificateArn", name, "satisfy regular expression pattern: %s", arnPattern)
	}
	row, ok := store.Certificates.Get(r, *arn)
	if !ok || row.Region != region {
		return nil, wire.Errorf("ResourceNotFoundException", "Could not find certificate %s.", *arn)
	}
	return row, nil
}

// users are the load balancers with listeners that have the certificate.
func users(r store.Reader, row *store.Certificate) []string {
	var out []string
	for _, lb := range store.LoadBalancers.By(r, "region", row.Region) {
		if uses(r, lb, row.ARN) {
			out = append(out, lb.ARN)
		}
	}
	return out
}

func uses(r store.Reader, lb *store.LoadBalancer, arn string) bool {
	for _, l := range store.Listeners.By(r, "load_balancer", lb.ARN) {
		for _, used := range l.Certificates {
			if used == arn {
				return true
			}
		}
	}
	return false
}
