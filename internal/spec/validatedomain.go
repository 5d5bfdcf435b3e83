package spec

import (
	"fmt"
	"regexp"
	"slices"
)

// maxDomains is the number of names in a certificate (AWS Certificate Manager User Guide,
// "Quotas").
const maxDomains = 10

// maxDomain is the length of a name (AWS Certificate Manager API Reference,
// RequestCertificate).
const maxDomain = 253

// httpsPort is the port of HTTPS.
const httpsPort = 443

var (
	domainPattern = regexp.MustCompile(
		`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])$`,
	)
	certificatePattern = regexp.MustCompile(`^arn:aws[a-z-]*:acm:([a-z0-9-]+):\d{12}:certificate/[\w-]+$`)
)

func (s *Spec) validateDomain(d *decoder) {
	d.require(len(s.Domain) <= maxDomains, "domain", "deploy some of them as another application, or use certificate: "+
		"with one that has more", "a certificate has at most %d names, there are %d", maxDomains, len(s.Domain))
	for i, name := range s.Domain {
		at := "domain"
		if len(s.Domain) > 1 {
			at = fmt.Sprintf("domain[%d]", i)
		}
		d.require(domainPattern.MatchString(name) && len(name) <= maxDomain, at, "for example: domain: api.example.com",
			"%q is not a name in lower case with two labels or more, and without wildcards", name)
		d.require(slices.Index(s.Domain, name) == i, at, "list each name once", "%s is listed twice", name)
	}
	if len(s.Domain) == 0 {
		d.require(s.Certificate == "", "certificate", "add domain: with the names that it is for",
			"a certificate needs a domain")
		d.require(!s.HSTS, "hsts", "add domain: with the application's name", "HSTS needs HTTPS, and that a domain")
		return
	}
	d.require(s.LoadBalancer.Port != httpsPort, "load_balancer.port", "leave it out: HTTP uses port 80",
		"port %d is that of HTTPS", httpsPort)
	match := certificatePattern.FindStringSubmatch(s.Certificate)
	d.require(s.Certificate == "" || match != nil, "certificate",
		"list them with: aws acm list-certificates", "%q is not the ARN of a certificate", s.Certificate)
	d.require(match == nil || !s.RegionGiven || match[1] == s.Region, "certificate",
		"a load balancer uses certificates of its own region", "the certificate is not in region %s", s.Region)
}
