//go:build linux

package cloud

import (
	"maps"
	"net/netip"
	"testing"
)

func TestMachinesReachLoopbackProxiesThroughTheEdge(t *testing.T) {
	host := map[string]string{
		"http_proxy":  "http://localhost:3128",
		"HTTPS_PROXY": "http://user:secret@127.0.0.1:3129",
		"https_proxy": "http://proxy.example:8080",
		"no_proxy":    "example.com",
		"EDITOR":      "vi",
	}
	proxies, env := proxySettings(host, true)
	if want := map[uint16]string{3128: "127.0.0.1:3128", 3129: "127.0.0.1:3129"}; !maps.Equal(proxies, want) {
		t.Errorf("proxies on loopback: got %v, want %v", proxies, want)
	}
	env = viaProxy(env, netip.MustParseAddr("10.9.8.7"))
	want := map[string]string{
		"http_proxy":  "http://10.9.8.7:3128",
		"HTTPS_PROXY": "http://user:secret@10.9.8.7:3129",
		"https_proxy": "http://proxy.example:8080",
		"no_proxy":    withoutProxy + ",example.com",
		"NO_PROXY":    withoutProxy,
		"EDITOR":      "vi",
	}
	if !maps.Equal(env, want) {
		t.Errorf("environment of machines: got %v, want %v", env, want)
	}
	if host["http_proxy"] != "http://localhost:3128" {
		t.Error("the host's settings were changed")
	}
}

func TestMachinesOfAHostWithoutAProxyGetNone(t *testing.T) {
	proxies, env := proxySettings(map[string]string{"EDITOR": "vi"}, true)
	env = viaProxy(env, netip.MustParseAddr("10.9.8.7"))
	if len(proxies) != 0 || !maps.Equal(env, map[string]string{"EDITOR": "vi"}) {
		t.Errorf("got proxies %v and environment %v", proxies, env)
	}
}

func TestMachinesGetNoLoopbackProxyUnlessItIsShared(t *testing.T) {
	host := map[string]string{"http_proxy": "http://localhost:3128", "https_proxy": "http://proxy.example:8080"}
	proxies, env := proxySettings(host, false)
	if want := map[string]string{"https_proxy": host["https_proxy"]}; len(proxies) != 0 || !maps.Equal(env, want) {
		t.Errorf("got proxies %v and environment %v", proxies, env)
	}
	if !HasLoopbackProxy(host) || HasLoopbackProxy(env) {
		t.Error("the proxy on loopback is not found, or another is")
	}
}

func TestMachinesFindTheLocalCloudsAPIs(t *testing.T) {
	want := map[string]string{"AWS_ENDPOINT_URL": "http://169.254.169.254:4566", "EDITOR": "vi"}
	if got := withEndpoint(map[string]string{"EDITOR": "vi"}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	want = map[string]string{
		"EDITOR": "vi", "AWS_ENDPOINT_URL": "http://[fd00:ec2::254]:4566",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://[fd00:ec2::254]", "no_proxy": "localhost,fd00:ec2::254",
	}
	got := overIPv6(withEndpoint(map[string]string{"EDITOR": "vi", "no_proxy": "localhost"}))
	if !maps.Equal(got, want) {
		t.Errorf("without IPv4: got %v, want %v", got, want)
	}
	if got := withEndpoint(nil); len(got) != 1 {
		t.Errorf("without other variables: got %v", got)
	}
}
