//go:build linux && root

package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/test/program"
)

// silence is how long a test waits before it concludes that nothing answers.
const silence = time.Second

// natCloud is a local cloud with real machines.
type natCloud struct {
	*program.LocalCloud
	t      *testing.T
	layout host.Layout
}

// want fails the test on an error.
func want[Out any](t *testing.T) func(out *Out, err error) *Out {
	return func(out *Out, err error) *Out {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// launch launches a machine in a subnet, with changes of the request, waits until it runs and returns its id.
func (c natCloud) launch(subnet string, changes ...func(*ec2.RunInstancesInput)) string {
	c.t.Helper()
	images := want[ec2.DescribeImagesOutput](c.t)(c.API.EC2.DescribeImages(c.t.Context(), &ec2.DescribeImagesInput{
		Filters: []types.Filter{{Name: aws.String("name"), Values: []string{"debian-12*"}}},
	}))
	in := &ec2.RunInstancesInput{
		ImageId: images.Images[0].ImageId, InstanceType: types.InstanceTypeT3Micro, SubnetId: &subnet,
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	}
	for _, change := range changes {
		change(in)
	}
	run := want[ec2.RunInstancesOutput](c.t)(c.API.EC2.RunInstances(c.t.Context(), in))
	id := *run.Instances[0].InstanceId
	program.Eventually(c.t, program.Patience, id+" runs", func() bool {
		return c.instance(id).State.Name == types.InstanceStateNameRunning
	})
	return id
}

func (c natCloud) instance(id string) types.Instance {
	c.t.Helper()
	in := &ec2.DescribeInstancesInput{InstanceIds: []string{id}}
	list := want[ec2.DescribeInstancesOutput](c.t)(c.API.EC2.DescribeInstances(c.t.Context(), in))
	return list.Reservations[0].Instances[0]
}

// namespace returns the path of a machine's network namespace.
func (c natCloud) namespace(id string) string { return filepath.Join(c.layout.MachineRun(), id, "net") }

// ask connects from a network namespace and returns what the server sends, or an empty
// text if nothing answers.
func (c natCloud) ask(namespace, address string) string {
	ctx, cancel := context.WithTimeout(c.t.Context(), silence)
	defer cancel()
	conn, err := network.DialIn(ctx, namespace, netip.MustParseAddrPort(address))
	if err != nil {
		return ""
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadDeadline(time.Now().Add(silence))
	answer := make([]byte, 64)
	n, _ := conn.Read(answer)
	return string(answer[:n])
}

// observe serves on port 8080 of a machine and tells each client its address.
func (c natCloud) observe(id string) {
	c.t.Helper()
	listener, err := network.ListenIn(c.namespace(id), netip.MustParseAddrPort("0.0.0.0:8080"))
	if err != nil {
		c.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			from, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
			_, _ = fmt.Fprint(conn, from)
			_ = conn.Close()
		}
	}()
	c.t.Cleanup(func() { _ = listener.Close(); <-done })
}

func (c natCloud) elasticIP() (id, address string) {
	c.t.Helper()
	out := want[ec2.AllocateAddressOutput](c.t)(c.API.EC2.AllocateAddress(c.t.Context(), &ec2.AllocateAddressInput{}))
	return *out.AllocationId, *out.PublicIp
}

// run runs a command of the host in the network namespace of a machine.
func (c natCloud) run(id string, command ...string) string {
	c.t.Helper()
	args := append([]string{"--net=" + c.namespace(id), "--"}, command...)
	out, err := exec.CommandContext(c.t.Context(), "nsenter", args...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return string(out)
}

// metadata returns what the metadata service answers a machine.
func (c natCloud) metadata(id, path string) string {
	c.t.Helper()
	client := http.Client{Timeout: program.Patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return network.DialIn(ctx, c.namespace(id), netip.MustParseAddrPort(address))
		},
	}}
	response, err := client.Get("http://169.254.169.254/latest/meta-data/" + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(body)
}

// attachInterface attaches a second interface with two addresses to a machine that runs,
// and an Elastic IP address to the second one. It returns the interface's id and addresses,
// at which another machine and the host have reached the machine.
func (c natCloud) attachInterface(to, from string) (id string, addresses []string) {
	c.t.Helper()
	ctx, api := c.t.Context(), c.API.EC2
	eni := want[ec2.CreateNetworkInterfaceOutput](c.t)(
		api.CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{
			SubnetId: c.instance(to).SubnetId, SecondaryPrivateIpAddressCount: aws.Int32(1),
		})).NetworkInterface
	want[ec2.AttachNetworkInterfaceOutput](c.t)(
		api.AttachNetworkInterface(ctx, &ec2.AttachNetworkInterfaceInput{
			NetworkInterfaceId: eni.NetworkInterfaceId, InstanceId: &to, DeviceIndex: aws.Int32(1),
		}))
	for _, address := range eni.PrivateIpAddresses {
		addresses = append(addresses, *address.PrivateIpAddress)
		program.Eventually(c.t, program.Patience, *address.PrivateIpAddress+" answers", func() bool {
			return c.ask(c.namespace(from), *address.PrivateIpAddress+":8080") != ""
		})
	}
	allocation, public := c.elasticIP()
	want[ec2.AssociateAddressOutput](c.t)(api.AssociateAddress(ctx, &ec2.AssociateAddressInput{
		AllocationId: &allocation, NetworkInterfaceId: eni.NetworkInterfaceId, PrivateIpAddress: &addresses[1],
	}))
	program.Eventually(c.t, program.Patience, "the host reaches the second address", func() bool {
		return c.ask("/proc/self/ns/net", public+":8080") != ""
	})
	of := "network/interfaces/macs/" + *eni.MacAddress + "/"
	if got := c.metadata(to, of+"local-ipv4s"); got != strings.Join(addresses, "\n") {
		c.t.Errorf("the metadata has the addresses %q", got)
	}
	if got := c.metadata(to, of+"ipv4-associations/"+public); got != addresses[1] {
		c.t.Errorf("the metadata has %s for %q", public, got)
	}
	return *eni.NetworkInterfaceId, addresses
}

func (c natCloud) detachInterface(id string) {
	c.t.Helper()
	eni := want[ec2.DescribeNetworkInterfacesOutput](c.t)(
		c.API.EC2.DescribeNetworkInterfaces(c.t.Context(), &ec2.DescribeNetworkInterfacesInput{
			NetworkInterfaceIds: []string{id},
		})).NetworkInterfaces[0]
	want[ec2.DetachNetworkInterfaceOutput](c.t)(
		c.API.EC2.DetachNetworkInterface(c.t.Context(), &ec2.DetachNetworkInterfaceInput{
			AttachmentId: eni.Attachment.AttachmentId,
		}))
}

// A machine of a private subnet, made through the API, reaches the outside with the Elastic
// IP address of a NAT gateway and cannot be reached; a machine with an Elastic IP address of
// its own can, and has a volume meanwhile.
func TestRealPrivateSubnetHasTheWayOutThatTheAPISays(t *testing.T) {
	cloud := program.Start(t)
	layout, err := host.LayoutFor(cloud.State)
	if err != nil {
		t.Fatal(err)
	}
	c, ctx, api := natCloud{cloud, t, layout}, t.Context(), cloud.API.EC2

	subnets := want[ec2.DescribeSubnetsOutput](t)(api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})).Subnets
	groups := want[ec2.DescribeSecurityGroupsOutput](t)(
		api.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})).SecurityGroups
	want[ec2.AuthorizeSecurityGroupIngressOutput](t)(
		api.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: groups[0].GroupId, IpProtocol: aws.String("-1"), CidrIp: aws.String("0.0.0.0/0"),
		}))
	vpc := subnets[0].VpcId // the default VPC, whose main route table leads to the internet
	c.recordFlows(*vpc)
	private := want[ec2.CreateSubnetOutput](t)(api.CreateSubnet(ctx, &ec2.CreateSubnetInput{
		VpcId: vpc, CidrBlock: aws.String("172.31.200.0/24"), AvailabilityZone: subnets[0].AvailabilityZone,
	})).Subnet.SubnetId
	table := want[ec2.CreateRouteTableOutput](t)(
		api.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: vpc})).RouteTable.RouteTableId
	want[ec2.AssociateRouteTableOutput](t)(
		api.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{RouteTableId: table, SubnetId: private}))

	observer, inside := c.launch(*subnets[1].SubnetId), c.launch(*private)
	c.observe(observer)
	c.observe(inside)
	address, public := c.elasticIP()
	want[ec2.AssociateAddressOutput](t)(
		api.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: &address, InstanceId: &observer}))
	const hostNamespace = "/proc/self/ns/net"
	program.Eventually(t, program.Patience, "the host reaches the Elastic IP address", func() bool {
		return c.ask(hostNamespace, public+":8080") != ""
	})
	if answer := c.ask(c.namespace(inside), public+":8080"); answer != "" {
		t.Errorf("a subnet without a route has a way out: %s answers", answer)
	}
	c.intercept(t, inside, observer, *table)

	allocation, way := c.elasticIP()
	gateway := want[ec2.CreateNatGatewayOutput](t)(api.CreateNatGateway(ctx, &ec2.CreateNatGatewayInput{
		SubnetId: subnets[0].SubnetId, AllocationId: &allocation,
	})).NatGateway.NatGatewayId
	state := func() types.NatGatewayState {
		in := &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{*gateway}}
		return want[ec2.DescribeNatGatewaysOutput](t)(api.DescribeNatGateways(ctx, in)).NatGateways[0].State
	}
	program.Eventually(t, program.Patience, "the NAT gateway is available", func() bool {
		return state() == types.NatGatewayStateAvailable
	})
	want[ec2.CreateRouteOutput](t)(api.CreateRoute(ctx, &ec2.CreateRouteInput{
		RouteTableId: table, DestinationCidrBlock: aws.String("0.0.0.0/0"), NatGatewayId: gateway,
	}))
	program.Eventually(t, program.Patience, "the outside sees the gateway's address", func() bool {
		return c.ask(c.namespace(inside), public+":8080") == way
	})
	for _, port := range []string{"8080", "22"} {
		if answer := c.ask(hostNamespace, way+":"+port); answer != "" {
			t.Errorf("port %s of the gateway answers %q", port, answer)
		}
	}

	c.checkIPv6(inside, observer, *groups[0].GroupId)
	eni, second := c.attachInterface(observer, inside)
	flows := c.passGateway(inside, observer, *groups[0].GroupId, public, way)
	volume := c.startOnVolume(observer) // which kills the daemon

	// The Elastic IP address survives a stop and a start.
	want[ec2.StopInstancesOutput](t)(
		api.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{observer}}))
	program.Eventually(t, program.Patience, "the machine is stopped", func() bool {
		return c.instance(observer).State.Name == types.InstanceStateNameStopped
	})
	if is := aws.ToString(c.instance(observer).PublicIpAddress); is != public {
		t.Errorf("a stopped machine has the address %q", is)
	}
	want[ec2.StartInstancesOutput](t)(
		api.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{observer}}))
	program.Eventually(t, program.Patience, "the machine answers SSH at its address", func() bool {
		return strings.HasPrefix(c.ask(hostNamespace, public+":22"), "SSH-")
	})

	for _, address := range second {
		if answer := c.ask(c.namespace(inside), address+":22"); !strings.HasPrefix(answer, "SSH-") {
			t.Errorf("after a start, %s answers %q", address, answer)
		}
	}
	c.detachInterface(eni)
	program.Eventually(t, program.Patience, "the detached interface is silent", func() bool {
		return c.ask(c.namespace(inside), second[0]+":22") == ""
	})
	if devices := c.run(observer, "ip", "-o", "link"); strings.Contains(devices, "ens6") {
		t.Errorf("the machine keeps its device:\n%s", devices)
	}

	want[ec2.DeleteNatGatewayOutput](t)(
		api.DeleteNatGateway(ctx, &ec2.DeleteNatGatewayInput{NatGatewayId: gateway}))
	program.Eventually(t, program.Patience, "the NAT gateway is deleted", func() bool {
		return state() == types.NatGatewayStateDeleted
	})
	program.Eventually(t, program.Patience, "its way out is gone", func() bool {
		return c.ask(c.namespace(inside), public+":22") == ""
	})
	want[ec2.ReleaseAddressOutput](t)(api.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: &allocation}))
	c.requireTokens(observer)
	c.continueOnVolume(volume, observer)

	c.wantRecords(flows...)
}

// requireTokens changes the metadata options of a running instance, which its metadata service obeys
// from the next request on.
func (c natCloud) requireTokens(instance string) {
	c.t.Helper()
	const ask = "curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/instance-id"
	for _, step := range []struct {
		tokens types.HttpTokensState
		want   string
	}{{types.HttpTokensStateRequired, "401"}, {types.HttpTokensStateOptional, "200"}} {
		want[ec2.ModifyInstanceMetadataOptionsOutput](c.t)(c.API.EC2.ModifyInstanceMetadataOptions(
			c.t.Context(), &ec2.ModifyInstanceMetadataOptionsInput{InstanceId: &instance, HttpTokens: step.tokens},
		))
		if got := c.inside(instance, ask); got != step.want {
			c.t.Errorf("with tokens %s, a request without one has the status %s, want %s", step.tokens, got, step.want)
		}
	}
}
