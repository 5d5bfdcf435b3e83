//go:build linux

package metadata_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/metadata"
)

type instances map[string]metadata.Instance

func (m instances) Instance(vpc string, addr netip.Addr) (metadata.Instance, bool) {
	i, ok := m[vpc+" "+addr.String()]
	return i, ok
}

func example() metadata.Instance {
	return metadata.Instance{
		ID: "i-0123456789abcdef0", ImageID: "ami-1", Type: "t3.micro", AccountID: "000000000000", Region: "us-east-1",
		Zone: "us-east-1a", ZoneID: "use1-az1", VPCID: "vpc-1",
		VPCCIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")},
		VPCIPv6:  []netip.Prefix{netip.MustParsePrefix("2001:db8:a1::/56")},
		Interface: metadata.Interface{
			SubnetID: "subnet-1", SubnetCIDR: netip.MustParsePrefix("10.0.1.0/24"), InterfaceID: "eni-1",
			MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, PrivateIP: netip.MustParseAddr("10.0.1.5"),
			PublicIP:    netip.MustParseAddr("198.18.1.5"),
			PrivateName: "ip-10-0-1-5.ec2.internal", PublicName: "ec2-198-18-1-5.compute-1.amazonaws.com",
			SecurityGroups: []string{"web", "ssh"}, SecurityGroupIDs: []string{"sg-1", "sg-2"},
		},
		Others: []metadata.Interface{{
			SubnetID: "subnet-2", SubnetCIDR: netip.MustParsePrefix("10.0.2.0/24"), InterfaceID: "eni-2",
			SubnetIPv6:   netip.MustParsePrefix("2001:db8:a1::/64"),
			IPv6:         []netip.Addr{netip.MustParseAddr("2001:db8:a1::10"), netip.MustParseAddr("2001:db8:a1::11")},
			DeviceNumber: 1, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, PrivateIP: netip.MustParseAddr("10.0.2.5"),
			Secondary: []metadata.Address{
				{Private: netip.MustParseAddr("10.0.2.6"), Public: netip.MustParseAddr("198.18.1.6")},
			},
		}},
		KeyName: "deploy", PublicKey: "ssh-ed25519 AAAA deploy",
		RootDevice: "/dev/xvda", Devices: []string{"/dev/sdf", "/dev/sdg"},
		ReservationID: "r-1", LaunchTime: time.Unix(0, 0), Architecture: "x86_64", UserData: []byte("#!/bin/sh\n"),
		Tags: map[string]string{
			"Name": "server-1",
		}, TagsEnabled: true, EndpointEnabled: true, TokensRequired: true, TargetLifecycleState: "InService",
		ActiveKeys: map[string][]string{"admin": {"ssh-ed25519 BBBB", "ssh-ed25519 CCCC"}},
	}
}

type client struct {
	*testing.T
	handler http.Handler
}

func newClient(t *testing.T, change func(*metadata.Instance)) client {
	t.Helper()
	i, other := example(), example()
	other.ID = "i-other"
	if change != nil {
		change(&i)
	}
	s, err := metadata.New(instances{"vpc-1 10.0.1.5": i, "vpc-1 10.0.1.6": other}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return client{t, s.Handler("vpc-1")}
}

func (c client) do(from, method, path string, headers ...string) (int, string) {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr = from + ":40000"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		c.Fatal(err)
	}
	return w.Code, string(body)
}

func (c client) token(from, seconds string) string {
	c.Helper()
	code, body := c.do(from, "PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: "+seconds)
	if code != 200 || body == "" {
		c.Fatalf("token: %d %q", code, body)
	}
	return "X-aws-ec2-metadata-token: " + body
}

const me = "10.0.1.5"

func TestMachineReadsItsMetadata(t *testing.T) {
	c := newClient(t, nil)
	token := c.token(me, "60")
	macs := "/latest/meta-data/network/interfaces/macs/"
	for path, want := range map[string]string{
		"/latest/meta-data/instance-id":                         "i-0123456789abcdef0",
		"/2021-03-23/meta-data/ami-id":                          "ami-1",
		"/latest/meta-data/local-ipv4":                          "10.0.1.5",
		"/latest/meta-data/public-ipv4":                         "198.18.1.5",
		"/latest/meta-data/public-hostname":                     "ec2-198-18-1-5.compute-1.amazonaws.com",
		"/latest/meta-data/hostname":                            "ip-10-0-1-5.ec2.internal",
		"/latest/meta-data/placement/":                          "availability-zone\navailability-zone-id\nregion",
		"/latest/meta-data/placement/availability-zone":         "us-east-1a",
		"/latest/meta-data/security-groups":                     "web\nssh",
		"/latest/meta-data/public-keys/":                        "0=deploy",
		"/latest/meta-data/public-keys/0":                       "openssh-key",
		"/latest/meta-data/public-keys/0/":                      "openssh-key",
		"/latest/meta-data/public-keys/0/openssh-key":           "ssh-ed25519 AAAA deploy\n",
		"/latest/meta-data/managed-ssh-keys/active-keys/":       "admin",
		"/latest/meta-data/managed-ssh-keys/active-keys/admin/": "ssh-ed25519 BBBB\nssh-ed25519 CCCC\n",
		"/latest/meta-data/services/domain":                     "amazonaws.com",
		"/latest/meta-data/block-device-mapping/":               "ami\nebs1\nebs2\nroot",
		"/latest/meta-data/block-device-mapping/ami":            "xvda",
		"/latest/meta-data/block-device-mapping/ebs2":           "sdg",
		"/latest/meta-data/autoscaling/target-lifecycle-state":  "InService",
		"/latest/meta-data/tags/instance/":                      "Name",
		"/latest/meta-data/tags/instance/Name":                  "server-1",
		macs:                                                    "02:00:00:00:00:01/\n02:00:00:00:00:02/",
		macs + "02:00:00:00:00:01/device-number":                "0",
		macs + "02:00:00:00:00:02/device-number":                "1",
		macs + "02:00:00:00:00:02/interface-id":                 "eni-2",
		macs + "02:00:00:00:00:02/subnet-id":                    "subnet-2",
		macs + "02:00:00:00:00:02/local-ipv4s":                  "10.0.2.5\n10.0.2.6",
		macs + "02:00:00:00:00:02/public-ipv4s":                 "198.18.1.6",
		macs + "02:00:00:00:00:02/ipv4-associations/":           "198.18.1.6",
		macs + "02:00:00:00:00:02/ipv4-associations/198.18.1.6": "10.0.2.6",
		macs + "02:00:00:00:00:02/ipv6s":                        "2001:db8:a1::10\n2001:db8:a1::11",
		macs + "02:00:00:00:00:02/subnet-ipv6-cidr-blocks":      "2001:db8:a1::/64",
		macs + "02:00:00:00:00:01/vpc-ipv6-cidr-blocks":         "2001:db8:a1::/56",
		macs + "02:00:00:00:00:01/vpc-id":                       "vpc-1",
		macs + "02:00:00:00:00:01/subnet-ipv4-cidr-block":       "10.0.1.0/24",
		macs + "02:00:00:00:00:01/ipv4-associations/198.18.1.5": "10.0.1.5",
		"/latest/user-data":                                     "#!/bin/sh\n",
		"/latest":                                               "dynamic\nmeta-data\nuser-data",
		"/latest/dynamic/":                                      "instance-identity/",
	} {
		if code, body := c.do(me, "GET", path, token); code != 200 || body != want {
			t.Errorf("%s: got %d %q, want 200 %q", path, code, body, want)
		}
	}
	if _, body := c.do(me, "GET", "/latest/meta-data/", token); !strings.HasPrefix(
		body,
		"ami-id\nami-launch-index\n",
	) ||
		!strings.Contains(body, "\nnetwork/\n") {
		t.Errorf("got list %q", body)
	}
	if _, body := c.do(me, "GET", "/latest/dynamic/instance-identity/document", token); !strings.Contains(
		body,
		`"instanceId": "i-0123456789abcdef0"`,
	) {
		t.Errorf("got document %s", body)
	}
	for _, path := range []string{
		"/latest/meta-data/none", "/latest/none", "/none/meta-data/ami-id", "/latest/meta-data/ami",
	} {
		if code, body := c.do(me, "GET", path, token); code != 404 ||
			!strings.Contains(body, "<h1>404 - Not Found</h1>") {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
}

func TestMissingFactsAreNotFound(t *testing.T) {
	c := newClient(t, func(i *metadata.Instance) {
		i.PublicIP, i.PublicKey, i.UserData, i.TagsEnabled, i.TargetLifecycleState = netip.Addr{}, "", nil, false, ""
	})
	token := c.token(me, "60")
	for _, path := range []string{
		"public-ipv4", "public-hostname", "autoscaling/", "public-keys/", "tags/instance/", "../user-data",
	} {
		if code, _ := c.do(me, "GET", "/latest/meta-data/"+path, token); code != 404 {
			t.Errorf("%s: got %d, want 404", path, code)
		}
	}
}

func TestSpotInstanceHasNoNoticeOfAnInterruption(t *testing.T) {
	c := newClient(t, func(i *metadata.Instance) { i.Spot = true })
	token := c.token(me, "60")
	if _, body := c.do(me, "GET", "/latest/meta-data/instance-life-cycle", token); body != "spot" {
		t.Errorf("life cycle %q", body)
	}
	for _, path := range []string{"spot/", "spot/instance-action", "spot/termination-time"} {
		if code, _ := c.do(me, "GET", "/latest/meta-data/"+path, token); code != 404 {
			t.Errorf("%s: got %d, want 404", path, code)
		}
	}
}

func TestTokensAreRequiredBoundToTheInstanceAndExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, nil)
		id := "/latest/meta-data/instance-id"
		expect := func(what string, want int, from, method, path string, headers ...string) {
			t.Helper()
			if code, _ := c.do(from, method, path, headers...); code != want {
				t.Errorf("%s: got %d, want %d", what, code, want)
			}
		}
		put, ttl := "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: "
		expect("without a token", 401, me, "GET", id)
		expect("with an invalid token", 401, me, "GET", id, "X-aws-ec2-metadata-token: none")
		for _, seconds := range []string{"0", "21601", "-1", "x"} {
			expect("a TTL of "+seconds, 400, me, "PUT", put, ttl+seconds)
		}
		expect("without a TTL", 400, me, "PUT", put)
		expect("through a proxy", 403, me, "PUT", put, ttl+"60", "X-Forwarded-For: 192.0.2.1")
		expect("with another method", 405, me, "POST", id)
		expect("from an unknown address", 404, "10.0.1.99", "GET", id)
		token := c.token(me, "60")
		expect("with its token", 200, me, "GET", id, token)
		expect("with another instance's token", 401, "10.0.1.6", "GET", id, token)
		time.Sleep(61 * time.Second)
		expect("with an expired token", 401, me, "GET", id, token)
	})
}

func TestIMDSv1AndDisabledEndpoint(t *testing.T) {
	c := newClient(t, func(i *metadata.Instance) { i.TokensRequired = false })
	if code, body := c.do(me, "GET", "/latest/meta-data/instance-id"); code != 200 || body != "i-0123456789abcdef0" {
		t.Errorf("without a token: got %d %q", code, body)
	}
	c = newClient(t, func(i *metadata.Instance) { i.EndpointEnabled = false })
	if code, _ := c.do(me, "PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60"); code != 403 {
		t.Errorf("endpoint disabled: got %d, want 403", code)
	}
}
