package elbv2

import (
	"context"
	"slices"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// checkCertificate refuses a certificate of ACM that does not exist in the Region or is not
// issued, and one of IAM that does not exist in the account.
func checkCertificate(r store.Reader, region identity.Region, arn string) error {
	if row, ok := store.ServerCertificateAt(r, arn); ok && row.Region() == region.Global() {
		return nil
	}
	row, ok := store.Certificates.Get(r, arn)
	if !ok || row.Region != region {
		return certificateNotFound(arn)
	}
	if row.Body == "" {
		return wire.Errorf(
			"UnsupportedCertificate",
			"The certificate '%s' must have a fully-qualified domain name, a supported signature, and a supported key "+
				"size.", arn,
		)
	}
	return nil
}

// readDefaultCertificate returns the ARN of the default certificate of a listener with the
// protocol, or "" if the request has none.
func readDefaultCertificate(protocol string, given []types.Certificate) (string, error) {
	switch {
	case len(given) == 0:
		return "", nil
	case len(given) > 1:
		return "", invalid(
			"Exactly one certificate must be specified for %s listeners; use AddListenerCertificates for more",
			protocol,
		)
	case given[0].IsDefault != nil:
		return "", invalid("You cannot specify 'IsDefault' for the default certificate of a listener")
	case given[0].CertificateArn == nil || *given[0].CertificateArn == "":
		return "", model.Null("certificates.1.member.certificateArn")
	}
	return *given[0].CertificateArn, nil
}

// secureListener returns a listener that can have a certificate list, and the ARNs
// of the given certificates.
func secureListener(
	r store.Reader,
	region identity.Region,
	arn *string,
	given []types.Certificate,
) (*store.Listener, []string, error) {
	l, err := listener(r, region, arn)
	if err != nil {
		return nil, nil, err
	}
	if !l.UsesTLS() {
		return nil, nil, certificatesForbidden(l)
	}
	if len(given) == 0 {
		return nil, nil, model.Null("certificates")
	}
	var arns []string
	for _, c := range given {
		switch {
		case c.CertificateArn == nil || *c.CertificateArn == "":
			return nil, nil, model.Null("certificates.member.certificateArn")
		case c.IsDefault != nil:
			return nil, nil, invalid("You cannot specify 'IsDefault' for certificates of the certificate list")
		}
		arns = append(arns, *c.CertificateArn)
	}
	return l, arns, nil
}

// AddListenerCertificates adds certificates to the list of an HTTPS or TLS listener.
// Certificates already on the list are left alone.
func (a *API) AddListenerCertificates(
	ctx context.Context, in *elb.AddListenerCertificatesInput,
) (*elb.AddListenerCertificatesOutput, error) {
	return update(a, func(tx *store.Tx) (*elb.AddListenerCertificatesOutput, error) {
		l, arns, err := secureListener(tx, wire.RegionFrom(ctx), in.ListenerArn, in.Certificates)
		if err != nil {
			return nil, err
		}
		out := &elb.AddListenerCertificatesOutput{}
		list := slices.Clone(l.Certificates)
		for _, arn := range arns {
			if err := checkCertificate(tx, l.Region, arn); err != nil {
				return nil, err
			}
			if !slices.Contains(list[1:], arn) {
				list = append(list, arn)
			}
			out.Certificates = append(out.Certificates, types.Certificate{CertificateArn: &arn, IsDefault: new(false)})
		}
		total := len(list) - 1
		for _, other := range store.ListenersByLoadBalancer.List(tx, l.LoadBalancerARN) {
			if other.ARN != l.ARN {
				total += max(len(other.Certificates)-1, 0)
			}
		}
		if total > maxCertificates {
			return nil, wire.Errorf(
				"TooManyCertificates",
				"The maximum number of certificates per load balancer, which is %d, has been reached",
				maxCertificates,
			)
		}
		store.Listeners.Edit(tx, l.ARN, func(l *store.Listener) { l.Certificates = list })
		return out, nil
	})
}

// RemoveListenerCertificates removes certificates from the list of an HTTPS or TLS
// listener. The default certificate can only be replaced, with ModifyListener.
func (a *API) RemoveListenerCertificates(
	ctx context.Context, in *elb.RemoveListenerCertificatesInput,
) (*elb.RemoveListenerCertificatesOutput, error) {
	return update(a, func(tx *store.Tx) (*elb.RemoveListenerCertificatesOutput, error) {
		l, arns, err := secureListener(tx, wire.RegionFrom(ctx), in.ListenerArn, in.Certificates)
		if err != nil {
			return nil, err
		}
		list := slices.Clone(l.Certificates)
		for _, arn := range arns {
			if at := slices.Index(list[1:], arn); at >= 0 {
				list = slices.Delete(list, at+1, at+2)
			} else if arn == list[0] {
				return nil, wire.Errorf(
					"OperationNotPermitted", "Default certificate '%s' cannot be removed from a listener", arn)
			}
		}
		store.Listeners.Edit(tx, l.ARN, func(l *store.Listener) { l.Certificates = list })
		return &elb.RemoveListenerCertificatesOutput{}, nil
	})
}

// DescribeListenerCertificates describes the default certificate of an HTTPS or TLS
// listener and its certificate list.
func (a *API) DescribeListenerCertificates(
	ctx context.Context, in *elb.DescribeListenerCertificatesInput,
) (*elb.DescribeListenerCertificatesOutput, error) {
	l, err := listener(a.store.Read(ctx), wire.RegionFrom(ctx), in.ListenerArn)
	if err != nil {
		return nil, err
	}
	var rows []types.Certificate
	for i, arn := range l.Certificates {
		rows = append(rows, types.Certificate{CertificateArn: &arn, IsDefault: new(i == 0)})
	}
	key := func(c types.Certificate) string { // sorts the default certificate first
		if *c.IsDefault {
			return " " + *c.CertificateArn
		}
		return *c.CertificateArn
	}
	rows, next, err := paginate(rows, key, in.PageSize, in.Marker)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeListenerCertificatesOutput{
		Certificates: append([]types.Certificate{}, rows...),
		NextMarker:   next,
	}, nil
}
