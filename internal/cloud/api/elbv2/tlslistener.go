package elbv2

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// secure is the protocol of the listeners of Network Load Balancers that end TLS, and of the target
// groups whose targets they use TLS with.
const secure = string(types.ProtocolEnumTls)

// alpnPolicies lists what listeners can negotiate by ALPN (Elastic Load Balancing API Reference,
// CreateListener).
var alpnPolicies = []string{"HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"}

// checkALPN refuses a request with more than one ALPN policy, or an unknown one.
func checkALPN(given []string) error {
	switch {
	case len(given) > 1:
		return invalid("You can specify one ALPN policy for a listener")
	case len(given) == 1 && !slices.Contains(alpnPolicies, given[0]):
		return model.OutOfSet("alpnPolicy.1.member", given[0], alpnPolicies...)
	}
	return nil
}

// setSecure applies what either an HTTPS or a TLS listener cannot have.
func (s protocolInput) setSecure(l *store.Listener) error {
	switch {
	case len(s.alpn) == 0:
	case l.Protocol != secure:
		return alpnForbidden()
	default:
		l.ALPNPolicy = s.alpn[0]
	}
	if l.Protocol == secure && s.mutual != nil {
		return wire.Errorf(
			"InvalidConfigurationRequest", "Mutual authentication can only be specified for HTTPS listeners",
		)
	}
	return nil
}

func alpnForbidden() error {
	return wire.Errorf("InvalidConfigurationRequest", "ALPN policies can only be specified for TLS listeners")
}

// stickyTLS returns the error for stickiness where TLS is used (Network Load Balancer guide, Sticky
// sessions).
func stickyTLS() error {
	return attributeConflict("Stickiness is not supported for TLS listeners and TLS target groups")
}

// checkStickyTLS refuses stickiness of a target group that is a TLS target group or that a TLS
// listener forwards to.
func checkStickyTLS(r store.Reader, group *store.TargetGroup) (err error) {
	if group.Protocol == secure {
		return stickyTLS()
	}
	eachForward(r, group, func(l *store.Listener, _ string, _ store.Action) {
		if l.Protocol == secure {
			err = stickyTLS()
		}
	})
	return err
}
