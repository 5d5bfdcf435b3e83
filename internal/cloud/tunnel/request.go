package tunnel

import (
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"aloft.dev/aloft/internal/cloud/wire"
)

// maxDuration is the longest duration of a tunnel, and that of one whose client asks for
// none.
const maxDuration = time.Hour

// OpenTunnelInput is a client's request for a tunnel. The texts are those of condition keys.
type OpenTunnelInput struct {
	InstanceConnectEndpointId string
	PrivateIpAddress          string
	RemotePort                string
	MaxTunnelDuration         string // in seconds

	target   netip.AddrPort
	duration time.Duration
}

// parse reads a request from the query.
func parse(query url.Values) (*OpenTunnelInput, error) {
	r := &OpenTunnelInput{
		InstanceConnectEndpointId: query.Get("instanceConnectEndpointId"),
		PrivateIpAddress:          query.Get("privateIpAddress"),
		RemotePort:                query.Get("remotePort"),
		MaxTunnelDuration:         query.Get("maxTunnelDuration"),
	}
	if r.InstanceConnectEndpointId == "" {
		return nil, invalid("InstanceConnectEndpointId", "a valid id")
	}
	address, err := netip.ParseAddr(r.PrivateIpAddress)
	if err != nil || !address.Is4() {
		return nil, invalid("PrivateIpAddress", "a private IPv4 address")
	}
	port, err := strconv.ParseUint(r.RemotePort, 10, 16)
	if err != nil || port != 22 && port != 3389 {
		return nil, invalid("RemotePort", "either 22 or 3389")
	}
	r.target, r.duration = netip.AddrPortFrom(address, uint16(port)), maxDuration
	if r.MaxTunnelDuration == "" {
		r.MaxTunnelDuration = strconv.Itoa(int(maxDuration / time.Second))
		return r, nil
	}
	seconds, err := strconv.Atoi(r.MaxTunnelDuration)
	if err != nil || seconds < 1 || seconds > int(maxDuration/time.Second) {
		return nil, invalid("MaxTunnelDuration", "between 1 and 3600 seconds")
	}
	r.duration = time.Duration(seconds) * time.Second
	return r, nil
}

// invalid returns the error for a parameter, in the words that users of AWS report.
func invalid(name, want string) error {
	return wire.Errorf("InvalidParameter",
		"The specified %s is not valid. Specify %s as the %s and retry your request.", name, want, name)
}
