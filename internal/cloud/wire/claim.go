package wire

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// claim holds what a request asserts about its own signature.
type claim struct {
	accessKey     string
	date          string // of the scope, such as 20060102
	region        string
	service       string
	signedHeaders []string // lower case, sorted
	signature     string
	token         string // session token of temporary credentials
	time          time.Time
	encodedOnce   bool // the path is signed as it is on the wire, which only S3 does
	presigned     bool
	version2      bool          // presigned with Signature Version 2; time is when it expires
	expires       time.Duration // of a presigned request
}

// parse reads the claim from the Authorization header or, if the request is
// presigned, from the query string.
func (c *claim) parse(r *http.Request) error {
	authorization := r.Header.Get("Authorization")
	if authorization == "" {
		query := r.URL.Query()
		if query.Has(keyOfVersion2) && query.Has(signatureOfVersion2) {
			return c.parseVersion2(query)
		}
		if query.Get("X-Amz-Algorithm") == "" {
			return missingToken()
		}
		return c.parseQuery(query)
	}
	kind, rest, _ := strings.Cut(authorization, " ")
	if kind != algorithm {
		return incompleteSignature("Authorization must be " + algorithm + ".")
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	c.token = r.Header.Get(tokenHeader)
	return c.fill(parts["Credential"], parts["SignedHeaders"], parts["Signature"], r.Header.Get("X-Amz-Date"))
}

// tokenHeader is the header, and the parameter of presigned requests, that holds the
// session token of temporary credentials.
const tokenHeader = "X-Amz-Security-Token"

// maxPresigned is the longest validity of a presigned request.
const maxPresigned = 7 * 24 * time.Hour

func (c *claim) parseQuery(query url.Values) error {
	if query.Get("X-Amz-Algorithm") != algorithm {
		return incompleteSignature("X-Amz-Algorithm must be " + algorithm + ".")
	}
	c.presigned, c.expires = true, maxSkew // requests to STS may be presigned without an expiry
	if text := query.Get("X-Amz-Expires"); text != "" {
		seconds, err := strconv.Atoi(text)
		c.expires = time.Duration(seconds) * time.Second
		if err != nil || c.expires < 0 || c.expires > maxPresigned {
			return incompleteSignature("X-Amz-Expires must be a number of seconds of at most a week.")
		}
	}
	c.token = query.Get(tokenHeader)
	return c.fill(
		query.Get("X-Amz-Credential"),
		query.Get("X-Amz-SignedHeaders"),
		query.Get("X-Amz-Signature"),
		query.Get("X-Amz-Date"),
	)
}

func (c *claim) fill(credential, signedHeaders, signature, date string) error {
	// An access key contains no slash, so the scope starts after the first one.
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[4] != terminator {
		return incompleteSignature("Credential must be <access key>/<date>/<region>/<service>/" + terminator + ".")
	}
	c.accessKey, c.date, c.region, c.service = scope[0], scope[1], scope[2], scope[3]
	c.signature = signature
	if signature == "" || signedHeaders == "" {
		return incompleteSignature("Authorization must have Credential, SignedHeaders and Signature.")
	}
	if !regionName(c.region) {
		return incompleteSignature("The credential's region is not the name of a region.")
	}
	c.signedHeaders = strings.Split(signedHeaders, ";")
	if !slices.IsSorted(c.signedHeaders) || strings.ToLower(signedHeaders) != signedHeaders {
		return incompleteSignature("SignedHeaders must be sorted and in lower case.")
	}
	var err error
	if c.time, err = time.Parse(basicTime, date); err != nil {
		return incompleteSignature("X-Amz-Date must be a time such as " + basicTime + ".")
	}
	if c.time.Format(basicDate) != c.date {
		return incompleteSignature("The credential's date is not that of X-Amz-Date.")
	}
	return nil
}

// checkSignedHeaders checks that the headers that decide what a request does are signed.
func (x *exchange) checkSignedHeaders(r *http.Request) error {
	if x.claim.version2 {
		return nil // all are signed
	}
	if x.dialect == names.S3 {
		if err := x.claim.checkS3Headers(r); err != nil {
			return err
		}
	}
	return x.claim.checkSignedHeaders(r)
}

// checkSignedHeaders checks that the headers that decide what a request does are
// signed: the host, the time, the operation and the session.
func (c *claim) checkSignedHeaders(r *http.Request) error {
	required := []string{"host"}
	if !c.presigned {
		required = append(required, "x-amz-date")
	}
	if r.Header.Get("X-Amz-Target") != "" {
		required = append(required, "x-amz-target")
	}
	if r.Header.Get(tokenHeader) != "" {
		required = append(required, "x-amz-security-token")
	}
	for _, name := range required {
		if !slices.Contains(c.signedHeaders, name) {
			return incompleteSignature("'" + name + "' must be a signed header.")
		}
	}
	return nil
}

// regionName reports whether s has the form of a Region's name: letters, digits
// and hyphens. Regions become keys and parts of ARNs, so nothing else is let
// through.
func regionName(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// speaksJSON reports whether the client of a service that does not exist here reads errors in JSON: its request
// names the operation in a header, or it is one of REST, but for the few such services that speak XML.
func (c *claim) speaksJSON(r *http.Request) bool {
	if r.Header.Get("X-Amz-Target") != "" {
		return true
	}
	form := strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
	rest := c.service != "" && !form && !r.URL.Query().Has("Action")
	return rest && !slices.Contains([]string{"cloudfront", "route53", "s3"}, c.service)
}
