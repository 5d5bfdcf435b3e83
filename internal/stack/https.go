package stack

// forwarding returns the listener that forwards requests to the target group.
func (b *builder) forwarding() Ref {
	if b.spec.HTTPS() {
		return arn(AddressSecureListener)
	}
	return arn(AddressListener)
}

// addListeners adds the listener of HTTP and, for an application with a domain, what HTTPS
// needs: the certificate, its listener, and the records of names whose hosted zone is in
// the account. HTTP redirects once HTTPS is served.
func (b *builder) addListeners() {
	http := Listener{LoadBalancer: arn(AddressLoadBalancer), Port: b.spec.LoadBalancer.Port}
	if !b.spec.HTTPS() {
		http.TargetGroup = arn(AddressTargetGroup)
		b.add(AddressListener, "21", http)
		return
	}
	secure := Listener{
		LoadBalancer: arn(AddressLoadBalancer), Port: HTTPSPort, TargetGroup: arn(AddressTargetGroup),
		Secure: true, CertificateARN: b.spec.Certificate, HSTS: b.spec.HSTS, Group: id(AddressWebGroup),
	}
	if secure.CertificateARN == "" {
		b.add(AddressCertificate, "21", Certificate{Names: b.spec.Domain})
		secure.Certificate = arn(AddressCertificate)
	}
	b.add(AddressSecureListener, "21", secure)
	for _, domain := range b.spec.Domain {
		if zone := b.facts.HostedZones[domain]; zone != "" {
			b.add(RecordAddress(domain), "21", Record{
				Domain: domain, Zone: zone, LoadBalancer: arn(AddressLoadBalancer), Listener: b.forwarding(),
			})
		}
	}
	http.RedirectTo, http.RedirectHost = b.forwarding(), b.redirectHost()
	b.add(AddressListener, "21", http)
}

// redirectHost returns the name that HTTP redirects to. If the certificate is for one name
// only, requests for others lead there too: those for the load balancer's own name, which
// clients may know from before there was a domain.
func (b *builder) redirectHost() string {
	names := b.spec.Domain
	if len(names) > 1 || len(names[0]) > maxRedirectHost || b.spec.Certificate != "" {
		return SameHost
	}
	return names[0]
}
