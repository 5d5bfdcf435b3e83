//go:build linux && root

package production

import (
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/test/program"
)

// https checks what browsers rely on. That curl opens the name at all shows that the chain is
// valid.
func (s *shop) https(t *testing.T) {
	head, _ := s.curl(t, "https://"+domain+"/")
	if got := head.Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Errorf("HSTS is %q", got)
	}
	balancer := s.stage(t, "production").DNSName
	for _, name := range []string{domain, balancer} { // clients may know the balancer's own name
		head, _ := s.curl(t, "http://"+name+"/a?b=c")
		if got, want := head.Get("Location"), "https://"+domain+":443/a?b=c"; got != want {
			t.Errorf("http://%s leads to %q, want %s", name, got, want)
		}
	}
	client := &http.Client{Transport: program.Browser.Transport}
	if answer, err := client.Get("https://" + domain); err == nil {
		_ = answer.Body.Close()
		t.Error("a client that does not trust the authority opens the name")
	}
}

// interfaces returns the network interfaces of production that run.
func (s *shop) interfaces(t *testing.T) []types.NetworkInterface {
	t.Helper()
	vpc := s.stage(t, "production").VPC
	out, err := s.API.EC2.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{
		Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}},
	})
	if err != nil || len(out.NetworkInterfaces) == 0 {
		t.Fatalf("%d interfaces, %v", len(out.NetworkInterfaces), err)
	}
	return out.NetworkInterfaces
}

// reachable are the ports of servers that are open from inside the VPC, by what asks.
var reachable = map[types.NetworkInterfaceType][]uint16{
	types.NetworkInterfaceTypeInterface: {3000}, // a node of the load balancer
	"nat_gateway":                       nil,
	"ec2_instance_connect_endpoint":     {22},
}

// scanned checks which ports are open: from the internet 80 and 443 of the load balancer alone,
// and from inside the VPC those of a server that its neighbours need.
func (s *shop) scanned(t *testing.T) {
	layout, err := host.LayoutFor(s.State)
	if err != nil {
		t.Fatal(err)
	}
	edge := layout.Prefix + "-edge"
	internet, server := newScanner(t, "", edge), s.stage(t, "production").Machines[0]
	inside := map[types.NetworkInterfaceType]string{} // namespaces
	for _, i := range s.interfaces(t) {
		if i.Attachment != nil && i.Attachment.InstanceId != nil {
			if i.Association != nil {
				t.Errorf("%s has a public address", *i.Attachment.InstanceId)
			}
			continue
		}
		inside[i.InterfaceType] = filepath.Join(layout.NetworkRun(), "nodes", *i.NetworkInterfaceId)
		if i.Association == nil {
			continue
		}
		var want []uint16
		if i.InterfaceType == types.NetworkInterfaceTypeInterface {
			want = []uint16{80, 443}
		}
		scanPorts(t, internet, aws.ToString(i.Description), *i.Association.PublicIp, want)
	}
	for kind, want := range reachable {
		scanPorts(t, newScanner(t, inside[kind], "ens5"), server.Name+" from "+string(kind), server.PrivateIP, want)
	}
}

// scanPorts checks that exactly the wanted ports of an address are open, and that all others
// are silent.
func scanPorts(t *testing.T, from scanner, what, address string, want []uint16) {
	t.Helper()
	open, refused := from.scan(t, netip.MustParseAddr(address))
	if !slices.Equal(open, want) || len(refused) > 0 {
		t.Errorf("%s: %s has open ports %v, want %v, and refuses %v", what, address, open, want, refused)
	}
	t.Logf("%s: %s: of 65535 ports %v are open", what, address, open)
}
