package elbv2

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/securitypolicy"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// protocolInput holds a request's settings of how a listener talks to clients.
type protocolInput struct {
	protocol     types.ProtocolEnum // empty: unchanged
	certificates []types.Certificate
	policy       *string
	mutual       *types.MutualAuthenticationAttributes
	alpn         []string
}

// check refuses settings that no listener of an Application Load Balancer can
// have.
func (s protocolInput) check() error {
	switch {
	case s.protocol != "" && s.protocol != types.ProtocolEnumHttp && s.protocol != types.ProtocolEnumHttps:
		return invalid("Listener protocol '%s' must be one of 'HTTPS, HTTP'", s.protocol)
	case len(s.alpn) > 0:
		return wire.Errorf("InvalidConfigurationRequest", "ALPN policies can only be specified for TLS listeners")
	}
	return nil
}

// set applies the settings to l and refuses them if they leave it incomplete.
func (s protocolInput) set(r store.Reader, l *store.Listener) error {
	if s.protocol != "" {
		l.Protocol = string(s.protocol)
	}
	if l.Protocol != string(types.ProtocolEnumHttps) {
		return s.setHTTP(l)
	}
	if s.mutual != nil && constraint.Default(s.mutual.Mode, "off") != "off" {
		return wire.NotImplemented("mutual authentication with mode %s", *s.mutual.Mode)
	}
	defaultARN, err := readDefaultCertificate(s.certificates)
	switch {
	case err != nil:
		return err
	case defaultARN == "" && len(l.Certificates) == 0:
		return invalid("A certificate must be specified for HTTPS listeners")
	case defaultARN != "":
		if err := checkCertificate(r, l.Region, defaultARN); err != nil {
			return err
		}
		l.Certificates = append([]string{defaultARN}, slices.Clone(l.Certificates[min(1, len(l.Certificates)):])...)
	}
	switch {
	case s.policy != nil:
		l.SSLPolicy = *s.policy
		return checkSSLPolicy(l.SSLPolicy)
	case l.SSLPolicy == "":
		l.SSLPolicy = securitypolicy.Default
	}
	return nil
}

// setHTTP completes set for an HTTP listener.
func (s protocolInput) setHTTP(l *store.Listener) error {
	switch {
	case len(s.certificates) > 0:
		return wire.Errorf("InvalidConfigurationRequest", "Certificates cannot be specified for HTTP listeners")
	case s.policy != nil || s.mutual != nil:
		return wire.Errorf(
			"InvalidConfigurationRequest",
			"A security policy and mutual authentication can only be specified for HTTPS listeners",
		)
	}
	l.SSLPolicy, l.Certificates = "", nil
	return nil
}

// describeTLS adds to out the settings that only HTTPS listeners have.
func describeTLS(out *types.Listener, l *store.Listener) {
	if l.Protocol != string(types.ProtocolEnumHttps) {
		return
	}
	out.SslPolicy = &l.SSLPolicy
	out.Certificates = []types.Certificate{{CertificateArn: new(l.Certificates[0])}}
	out.MutualAuthentication = &types.MutualAuthenticationAttributes{Mode: new("off")}
}
