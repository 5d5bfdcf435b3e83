package elbv2

import (
	"context"
	"maps"
	"regexp"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// headerValue reports whether v is empty, which leaves the header alone, or a
// valid header value.
func headerValue(v string) bool { return v == "" || anyText(v) && visible.MatchString(v) }

// maxAge reports whether v is empty or a number of seconds that
// Access-Control-Max-Age can have; -1 disables caching.
var maxAge = either(oneOf(""), numberBetween(-1, 86400))

// listenerAttributes defines the attributes of HTTP listeners (Elastic Load
// Balancing API Reference, ListenerAttribute).
var listenerAttributes = attributes{"Listener", map[string]attribute{
	"routing.http.response.access_control_allow_credentials.header_value": {"", oneOf("", "true"), nil},
	"routing.http.response.access_control_allow_headers.header_value":     {"", headerValue, nil},
	"routing.http.response.access_control_allow_methods.header_value":     {"", headerValue, nil},
	"routing.http.response.access_control_allow_origin.header_value":      {"", headerValue, nil},
	"routing.http.response.access_control_expose_headers.header_value":    {"", headerValue, nil},
	"routing.http.response.access_control_max_age.header_value":           {"", maxAge, nil},
	"routing.http.response.content_security_policy.header_value":          {"", headerValue, nil},
	"routing.http.response.server.enabled":                                {"true", isBoolean, nil},
	"routing.http.response.strict_transport_security.header_value":        {"", headerValue, nil},
	"routing.http.response.x_content_type_options.header_value":           {"", oneOf("", "nosniff"), nil},
	"routing.http.response.x_frame_options.header_value":                  {"", headerValue, nil},
}}

// headerName reports whether a header that carries TLS details may have the name.
var headerName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`).MatchString

// httpsListenerAttributes adds the attributes that only HTTPS listeners have: the
// names of the headers that tell targets about the client's TLS. Mutual TLS is
// not supported, so its headers are never sent.
var httpsListenerAttributes = attributes{"Listener", maps.Collect(func(yield func(string, attribute) bool) {
	for key, a := range listenerAttributes.keys {
		if !yield(key, a) {
			return
		}
	}
	for name, header := range map[string]string{
		"mtls_clientcert_serial_number": "X-Amzn-Mtls-Clientcert-Serial-Number",
		"mtls_clientcert_issuer":        "X-Amzn-Mtls-Clientcert-Issuer",
		"mtls_clientcert_subject":       "X-Amzn-Mtls-Clientcert-Subject",
		"mtls_clientcert_validity":      "X-Amzn-Mtls-Clientcert-Validity",
		"mtls_clientcert_leaf":          "X-Amzn-Mtls-Clientcert-Leaf",
		"mtls_clientcert":               "X-Amzn-Mtls-Clientcert",
		"tls_version":                   "X-Amzn-Tls-Version",
		"tls_cipher_suite":              "X-Amzn-Tls-Cipher-Suite",
	} {
		if !yield("routing.http.request.x_amzn_"+name+".header_name", attribute{header, headerName, nil}) {
			return
		}
	}
})}

// tcpListenerAttributes defines the attributes of TCP listeners. All flows of a node are
// forgotten after the same time.
var tcpListenerAttributes = attributes{"Listener", map[string]attribute{
	"tcp.idle_timeout.seconds": {"350", numberBetween(60, 6000), oneOf("350")},
}}

// attributesFor returns the attributes that the listener can have.
func attributesFor(l *store.Listener) attributes {
	switch types.ProtocolEnum(l.Protocol) {
	case types.ProtocolEnumHttp:
		return listenerAttributes
	case types.ProtocolEnumHttps:
		return httpsListenerAttributes
	case types.ProtocolEnumTcp, types.ProtocolEnumTcpUdp:
		return tcpListenerAttributes
	}
	return attributes{kind: "Listener"}
}

// allListenerAttributes returns the listener's attributes with defaults for those
// never set.
func allListenerAttributes(l *store.Listener) map[string]string {
	values := attributesFor(l).defaults()
	for key, value := range l.Attributes {
		if _, ok := values[key]; ok { // it may be left from when this was an HTTPS listener
			values[key] = value
		}
	}
	return values
}

func describeListenerAttributes(values map[string]string) []types.ListenerAttribute {
	return describeAttributes(values, func(a keyValue) types.ListenerAttribute {
		return types.ListenerAttribute{Key: a.key, Value: a.value}
	})
}

// ModifyListenerAttributes sets attributes of a listener.
func (a *API) ModifyListenerAttributes(
	ctx context.Context, in *elb.ModifyListenerAttributesInput,
) (*elb.ModifyListenerAttributesOutput, error) {
	pairs := readAttributes(in.Attributes, func(a types.ListenerAttribute) keyValue {
		return keyValue{a.Key, a.Value}
	})
	return update(a, func(tx *store.Tx) (*elb.ModifyListenerAttributesOutput, error) {
		l, err := listener(tx, wire.RegionFrom(ctx), in.ListenerArn)
		if err != nil {
			return nil, err
		}
		values, err := attributesFor(l).apply(allListenerAttributes(l), pairs, a.simulated)
		if err != nil {
			return nil, err
		}
		store.Listeners.Edit(tx, l.ARN, func(l *store.Listener) { l.Attributes = values })
		return &elb.ModifyListenerAttributesOutput{Attributes: describeListenerAttributes(values)}, nil
	})
}

// DescribeListenerAttributes describes all attributes of a listener.
func (a *API) DescribeListenerAttributes(
	ctx context.Context, in *elb.DescribeListenerAttributesInput,
) (*elb.DescribeListenerAttributesOutput, error) {
	l, err := listener(a.store.Read(ctx), wire.RegionFrom(ctx), in.ListenerArn)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeListenerAttributesOutput{Attributes: describeListenerAttributes(allListenerAttributes(l))}, nil
}
