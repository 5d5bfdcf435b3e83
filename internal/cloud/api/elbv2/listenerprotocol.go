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

// check refuses settings that no listener of the load balancer can have.
func (s protocolInput) check(lb *store.LoadBalancer) error {
	application := []types.ProtocolEnum{"", types.ProtocolEnumHttp, types.ProtocolEnumHttps}
	switch {
	case !lb.IsNetwork() && !slices.Contains(application, s.protocol):
		return invalid("Listener protocol '%s' must be one of 'HTTPS, HTTP'", s.protocol)
	case !lb.IsNetwork() || s.protocol == "" || transports[string(s.protocol)] != nil:
	case s.protocol == types.ProtocolEnumQuic || s.protocol == types.ProtocolEnumTcpQuic:
		return wire.NotImplemented("%s listeners", s.protocol)
	default: // pulumi/pulumi-aws, issue 1193
		return invalid("Listener protocol '%s' must be one of 'TLS, TCP, TCP_UDP, UDP'", s.protocol)
	}
	if err := checkDatagrams(lb, string(s.protocol)); err != nil {
		return err
	}
	return checkALPN(s.alpn)
}

// transports are the protocols of the target groups to which the listeners of Network Load
// Balancers can forward, by their own (Network Load Balancer guide, Create a listener).
var transports = map[string][]string{
	"TCP": {"TCP", "TCP_UDP"}, "UDP": {"UDP", "TCP_UDP"}, "TCP_UDP": {"TCP_UDP"}, "TLS": {"TLS", "TCP"},
}

// checkProtocols refuses a listener with actions that forward to target groups of other
// protocols (hashicorp/terraform-provider-aws, issue 4955).
func checkProtocols(r store.Reader, l *store.Listener, actions []store.Action) error {
	allowed := transports[l.Protocol]
	if allowed == nil {
		allowed = []string{"HTTP", "HTTPS"}
	}
	for _, action := range actions {
		for _, share := range action.Forward {
			group, ok := store.TargetGroups.Get(r, share.ARN)
			if !ok {
				continue
			}
			if v := group.ProtocolVersion; l.Protocol == http && (v == "HTTP2" || v == grpc) {
				return invalid(
					"Listener protocol 'HTTP' is not supported with a target group with the protocol-version '%s'", v,
				)
			}
			if !slices.Contains(allowed, group.Protocol) || group.TargetType == alb && l.Protocol != tcp {
				return wire.Errorf(
					"IncompatibleProtocols",
					"The listener and its associated target group '%s' have incompatible protocols: '%s' and '%s'",
					group.ARN, l.Protocol, group.Protocol,
				)
			}
			if l.Protocol == secure && group.Attributes[stickyKey] == "true" {
				return stickyTLS()
			}
		}
	}
	return nil
}

// set applies the settings to l and refuses them if they leave it incomplete.
func (s protocolInput) set(r store.Reader, l *store.Listener) error {
	if s.protocol != "" {
		l.Protocol = string(s.protocol)
	}
	if !l.UsesTLS() {
		return s.setWithoutTLS(l)
	}
	if err := s.setSecure(l); err != nil {
		return err
	}
	if s.mutual != nil && constraint.Default(s.mutual.Mode, "off") != "off" {
		return wire.NotImplemented("mutual authentication with mode %s", *s.mutual.Mode)
	}
	defaultARN, err := readDefaultCertificate(l.Protocol, s.certificates)
	switch {
	case err != nil:
		return err
	case defaultARN == "" && len(l.Certificates) == 0:
		return invalid("A certificate must be specified for %s listeners", l.Protocol)
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

// setWithoutTLS completes set for a listener that is neither an HTTPS nor a TLS listener.
func (s protocolInput) setWithoutTLS(l *store.Listener) error {
	switch {
	case len(s.certificates) > 0:
		return certificatesForbidden(l)
	case len(s.alpn) > 0:
		return alpnForbidden()
	case s.policy != nil || s.mutual != nil:
		return wire.Errorf(
			"InvalidConfigurationRequest",
			"A security policy and mutual authentication can only be specified for HTTPS listeners",
		)
	}
	l.SSLPolicy, l.ALPNPolicy, l.Certificates = "", "", nil
	return nil
}

// describeTLS adds to out the settings that only HTTPS and TLS listeners have.
func describeTLS(out *types.Listener, l *store.Listener) {
	if !l.UsesTLS() {
		return
	}
	out.SslPolicy = &l.SSLPolicy
	out.Certificates = []types.Certificate{{CertificateArn: new(l.Certificates[0])}}
	switch {
	case l.Protocol != secure:
		out.MutualAuthentication = &types.MutualAuthenticationAttributes{Mode: new("off")}
	case l.ALPNPolicy != "":
		out.AlpnPolicy = []string{l.ALPNPolicy}
	}
}

// certificatesForbidden returns the error for certificates of a listener that has none.
func certificatesForbidden(l *store.Listener) error {
	return wire.Errorf("InvalidConfigurationRequest", "Certificates cannot be specified for %s listeners", l.Protocol)
}
