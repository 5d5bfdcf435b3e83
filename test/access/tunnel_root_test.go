//go:build linux && root

package access

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/vishvananda/netlink"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/remote"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/stack"
	"aloft.dev/aloft/test/program"
)

// private is a machine in a VPC without an internet gateway, and an endpoint there.
type private struct {
	*program.LocalCloud
	t                    *testing.T
	vpc, subnet          string
	endpointGroup, group string // security groups
	endpoint             types.Ec2InstanceConnectEndpoint
	endpointIP           string
	machine              types.Instance
	hostKeys             []ssh.PublicKey
}

// call calls an operation that must succeed.
func call[In, Out any](
	t *testing.T, operation func(context.Context, *In, ...func(*ec2.Options)) (*Out, error), in *In,
) *Out {
	t.Helper()
	out, err := operation(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// port22 is a rule for port 22 from or to a group.
func port22(group string) []types.IpPermission {
	return []types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22),
		UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &group}},
	}}
}

func newPrivate(t *testing.T) *private {
	c := program.Start(t)
	p := &private{LocalCloud: c, t: t}
	api := c.API.EC2
	p.vpc = *call(t, api.CreateVpc, &ec2.CreateVpcInput{CidrBlock: aws.String("10.7.0.0/16")}).Vpc.VpcId
	p.subnet = *call(t, api.CreateSubnet, &ec2.CreateSubnetInput{
		VpcId: &p.vpc, CidrBlock: aws.String("10.7.1.0/24"),
	}).Subnet.SubnetId
	group := func(name string) string {
		return *call(t, api.CreateSecurityGroup, &ec2.CreateSecurityGroupInput{
			VpcId: &p.vpc, GroupName: &name, Description: &name,
		}).GroupId
	}
	p.endpointGroup, p.group = group("endpoint"), group("machine")
	call(t, api.RevokeSecurityGroupEgress, &ec2.RevokeSecurityGroupEgressInput{
		GroupId: &p.endpointGroup, IpPermissions: []types.IpPermission{{
			IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		}},
	})
	call(t, api.AuthorizeSecurityGroupEgress, &ec2.AuthorizeSecurityGroupEgressInput{
		GroupId: &p.endpointGroup, IpPermissions: port22(p.group),
	})
	call(t, api.AuthorizeSecurityGroupIngress, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: &p.group, IpPermissions: port22(p.endpointGroup),
	})
	p.endpoint = *call(t, api.CreateInstanceConnectEndpoint, &ec2.CreateInstanceConnectEndpointInput{
		SubnetId: &p.subnet, SecurityGroupIds: []string{p.endpointGroup},
	}).InstanceConnectEndpoint
	p.endpointIP = *call(t, api.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		NetworkInterfaceIds: p.endpoint.NetworkInterfaceIds,
	}).NetworkInterfaces[0].PrivateIpAddress
	images := call(t, api.DescribeImages, &ec2.DescribeImagesInput{
		Filters: []types.Filter{{Name: aws.String("name"), Values: []string{"debian-12-*"}}},
	}).Images
	p.machine = call(t, api.RunInstances, &ec2.RunInstancesInput{
		ImageId: images[0].ImageId, InstanceType: "t3.micro", MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		SubnetId: &p.subnet, SecurityGroupIds: []string{p.group},
		UserData: aws.String(base64.StdEncoding.EncodeToString([]byte(stack.PushedKeysScript))),
	}).Instances[0]
	cloud := resource.NewCloud("none", c.API.Region, c.API)
	keys, err := cloud.HostKeys(t.Context(), *p.machine.InstanceId, "", program.Patience, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.hostKeys = keys
	return p
}

// way is the way to the machine through the endpoint.
func (p *private) way() resource.EndpointWay {
	return resource.EndpointWay{
		Keys: p.API.Connect, Tunnels: p.API, InstanceID: *p.machine.InstanceId,
		PrivateIP:  netip.MustParseAddr(*p.machine.PrivateIpAddress),
		EndpointID: *p.endpoint.InstanceConnectEndpointId, DNSName: *p.endpoint.DnsName,
	}
}

// withoutKey is a way that pushes no key.
type withoutKey struct{ resource.EndpointWay }

func (withoutKey) Admit(context.Context, string, ssh.PublicKey) error { return nil }

func newSigner(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// login logs in to the machine within a time.
func (p *private) login(signer ssh.Signer, way remote.Way, within time.Duration) (*remote.Machine, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), within)
	defer cancel()
	return remote.Dial(ctx, remote.Target{
		Address: *p.machine.PrivateIpAddress + ":22", User: "admin", Signer: signer, HostKeys: p.hostKeys, Way: way,
	})
}

// banner returns what the machine's SSH server says first through a tunnel.
func (p *private) banner() (string, error) {
	conn, err := p.way().Connect(p.t.Context())
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return "", err
	}
	got := make([]byte, 8)
	_, err = io.ReadFull(conn, got)
	return string(got), err
}

func TestRealPrivateMachineIsReachedThroughAnEndpoint(t *testing.T) {
	p := newPrivate(t)
	signer := newSigner(t)
	began := time.Now()
	m, err := p.login(signer, p.way(), time.Minute)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Log())
	}
	t.Logf("logged in after %s", time.Since(began))
	defer func() { _ = m.Close() }()
	var seen []string
	err = m.Query(t.Context(), "sh -c 'echo $SUDO_USER; cat /proc/net/tcp; ss -tnH sport = 22 | tail -1'",
		remote.Text(""), func(line string) { seen = append(seen, line) })
	if err != nil || seen[0] != "admin" {
		t.Fatalf("%q, %v", seen, err)
	}
	if peers := strings.Join(seen, "\n"); !strings.Contains(peers, p.endpointIP) &&
		!strings.Contains(peers, reversedHex(p.endpointIP)) {
		t.Errorf("no connection from the endpoint's address %s:\n%s", p.endpointIP, peers)
	}
	t.Run("a key that was not pushed is refused", func(t *testing.T) {
		if m, err := p.login(newSigner(t), withoutKey{p.way()}, 2*time.Second); err == nil {
			_ = m.Close()
			t.Error("it was accepted")
		}
	})
	t.Run("a key pushed for another user is refused", func(t *testing.T) {
		other := newSigner(t)
		if err := p.way().Admit(t.Context(), "root", other.PublicKey()); err != nil {
			t.Fatal(err)
		}
		if m, err := p.login(other, withoutKey{p.way()}, 2*time.Second); err == nil {
			_ = m.Close()
			t.Error("it was accepted")
		}
	})
	t.Run("version 2 of the AWS CLI opens tunnels", p.cliOpensTunnels)
	t.Run("security groups apply to new connections", p.groupsApply)
	t.Run("an existing connection survives a change of rules", func(t *testing.T) {
		if err := m.Query(t.Context(), "true", remote.Text(""), func(string) {}); err != nil {
			t.Error(err)
		}
	})
	t.Run("there is no other way in", p.noRouteFromHost)
	t.Run("deletion ends tunnels", p.deletionEndsTunnels)
}

// noRouteFromHost checks that the host's routes do not lead to the machine. It does not
// dial: the host's default route may lead to a network with the same private addresses.
func (p *private) noRouteFromHost(t *testing.T) {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	address := net.ParseIP(*p.machine.PrivateIpAddress)
	for _, r := range routes {
		if r.Dst == nil {
			continue
		}
		if bits, _ := r.Dst.Mask.Size(); bits > 0 && r.Dst.Contains(address) {
			t.Errorf("the route %s leads from this host to the private address", r)
		}
	}
}

// reversedHex returns an IPv4 address as /proc/net/tcp has it.
func reversedHex(address string) string {
	a := netip.MustParseAddr(address).As4()
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, i := range []int{3, 2, 1, 0} {
		b.WriteByte(digits[a[i]>>4])
		b.WriteByte(digits[a[i]&15])
	}
	return b.String()
}

func (p *private) groupsApply(t *testing.T) {
	api := p.API.EC2
	reaches := func() bool { got, err := p.banner(); return err == nil && got == "SSH-2.0-" }
	if !reaches() {
		t.Fatal("the rules do not admit the endpoint")
	}
	call(t, api.RevokeSecurityGroupIngress, &ec2.RevokeSecurityGroupIngressInput{
		GroupId: &p.group, IpPermissions: port22(p.endpointGroup),
	})
	refused := func() bool { return !reaches() }
	program.Eventually(t, program.Patience, "the machine's group refuses the endpoint", refused)
	call(t, api.AuthorizeSecurityGroupIngress, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: &p.group, IpPermissions: port22(p.endpointGroup),
	})
	program.Eventually(t, program.Patience, "the machine's group admits it again", reaches)
	call(t, api.RevokeSecurityGroupEgress, &ec2.RevokeSecurityGroupEgressInput{
		GroupId: &p.endpointGroup, IpPermissions: port22(p.group),
	})
	program.Eventually(t, program.Patience, "the endpoint's own group refuses", refused)
	call(t, api.AuthorizeSecurityGroupEgress, &ec2.AuthorizeSecurityGroupEgressInput{
		GroupId: &p.endpointGroup, IpPermissions: port22(p.group),
	})
	program.Eventually(t, program.Patience, "the endpoint's own group admits", reaches)
}

func (p *private) deletionEndsTunnels(t *testing.T) {
	conn, err := p.way().Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	call(t, p.API.EC2.DeleteInstanceConnectEndpoint, &ec2.DeleteInstanceConnectEndpointInput{
		InstanceConnectEndpointId: p.endpoint.InstanceConnectEndpointId,
	})
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, io.EOF) || err != nil && t.Context().Err() != nil {
		t.Error(err)
	}
	_, err = p.way().Connect(t.Context())
	if awsapi.Code(err) != "InvalidInstanceConnectEndpointId.NotFound" {
		t.Errorf("a deleted endpoint: %v", err)
	}
}
