package verify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// leastValidity is how long a certificate must still be valid. AWS renews its own 60 days
// before their end, the local cloud 10 days.
const leastValidity = 7 * 24 * time.Hour

// dialBalancer returns a dial that connects to the load balancer in place of the
// application's names, which may be so new that resolvers do not know them.
func (v Verifier) dialBalancer(f Facts) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, port, err := net.SplitHostPort(address); err == nil && slices.Contains(f.Spec.Domain, host) {
			address = net.JoinHostPort(f.DNSName, port)
		}
		return v.dialByName(ctx, network, address)
	}
}

// checkHTTPS checks for each name that it leads to the load balancer, that its certificate
// is valid, for the name and for a while, and that HTTP redirects to it.
func (v Verifier) checkHTTPS(ctx context.Context, f Facts) finding {
	if err := v.waitForName(ctx, f); err != nil {
		return finding{false, f.DNSName + " does not resolve: " + reason(err)}
	}
	var problems []string
	expires := time.Time{}
	for _, name := range f.Spec.Domain {
		until, err := v.certificateEnd(ctx, f, name)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		if expires.IsZero() || until.Before(expires) {
			expires = until
		}
		for _, check := range []func(context.Context, Facts, string) error{
			v.checkRedirect, v.checkName, v.checkHSTS,
		} {
			if err := check(ctx, f, name); err != nil {
				problems = append(problems, fmt.Sprintf("%s: %v", name, err))
			}
		}
	}
	if len(problems) > 0 {
		return finding{false, strings.Join(problems, "; ")}
	}
	detail := fmt.Sprintf("%s: valid until %s, HTTP redirects", strings.Join(f.Spec.Domain, ", "),
		expires.Format(time.DateOnly))
	if f.Spec.HSTS {
		detail += ", browsers are told to use HTTPS alone"
	}
	return finding{true, detail}
}

// certificateEnd returns the end of the validity of the certificate for a name.
func (v Verifier) certificateEnd(ctx context.Context, f Facts, name string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, v.patience())
	defer cancel()
	conn, err := v.dialBalancer(f)(ctx, "tcp", net.JoinHostPort(name, "443"))
	if err != nil {
		return time.Time{}, fmt.Errorf("no connection: %s", reason(err))
	}
	defer func() { _ = conn.Close() }()
	secure := tls.Client(conn, &tls.Config{ServerName: name, RootCAs: v.Roots, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		return time.Time{}, fmt.Errorf("no valid certificate: %w", err)
	}
	end := secure.ConnectionState().PeerCertificates[0].NotAfter
	if time.Until(end) < leastValidity {
		return end, fmt.Errorf("the certificate ends on %s and was not renewed", end.Format(time.DateTime))
	}
	return end, nil
}

// checkRedirect checks that a request over HTTP is redirected to the same place over HTTPS.
func (v Verifier) checkRedirect(ctx context.Context, f Facts, name string) error {
	const path = "/aloft-verify?redirect=1"
	status, header, err := v.ask(ctx, f, f.plainURL()+path, name)
	if err != nil {
		return fmt.Errorf("no answer over HTTP: %s", reason(err))
	}
	to, err := url.Parse(header.Get("Location"))
	if err != nil || status != http.StatusMovedPermanently || to.Scheme != "https" ||
		to.Hostname() != name || to.RequestURI() != path {
		return fmt.Errorf("HTTP answers %d %s with location %q, not with a redirect to HTTPS",
			status, http.StatusText(status), header.Get("Location"))
	}
	return nil
}

// checkHSTS checks that an answer over HTTPS tells browsers to use HTTPS alone, if the spec
// asks for it.
func (v Verifier) checkHSTS(ctx context.Context, f Facts, name string) error {
	if !f.Spec.HSTS {
		return nil
	}
	_, header, err := v.ask(ctx, f, "https://"+name+"/", name)
	if err != nil {
		return fmt.Errorf("no answer over HTTPS: %s", reason(err))
	}
	if header.Get("Strict-Transport-Security") == "" {
		return errors.New("answers lack the header Strict-Transport-Security, which hsts: true asks for")
	}
	return nil
}

// ask requests a URL from the load balancer, with a host name of its own, and returns the
// answer's status and header.
func (v Verifier) ask(
	ctx context.Context, f Facts, address, host string,
) (status int, header http.Header, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, err
	}
	request.Host = host
	response, err := v.client(f).Do(request)
	if err != nil {
		return 0, nil, err
	}
	return response.StatusCode, response.Header, response.Body.Close()
}

// checkName checks that a name resolves to an address of the load balancer. Names of the
// local cloud are resolved by no resolver of this computer.
func (v Verifier) checkName(ctx context.Context, f Facts, name string) error {
	if isLocalhost(f.DNSName) || f.proxy() != "" {
		return nil
	}
	addresses, err := v.Resolve(ctx, name)
	if err != nil {
		return fmt.Errorf("it does not resolve: %s", reason(err))
	}
	balancer, err := v.Resolve(ctx, f.DNSName)
	if err != nil {
		return fmt.Errorf("%s does not resolve: %s", f.DNSName, reason(err))
	}
	if !slices.ContainsFunc(addresses, func(a string) bool { return slices.Contains(balancer, a) }) {
		return fmt.Errorf("it resolves to %s, and the load balancer is at %s",
			strings.Join(addresses, ", "), strings.Join(balancer, ", "))
	}
	return nil
}
