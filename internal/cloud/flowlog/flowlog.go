// Package flowlog writes the records of VPC Flow Logs (Amazon VPC User Guide, Flow log records).
package flowlog

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DefaultFormat is the format of records unless a flow log has another: the fields of version 2.
const DefaultFormat = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} " +
	"${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"

// Format is the fields of a flow log's records.
type Format struct {
	fields  []string
	version int
}

var formatForm = regexp.MustCompile(`^\$\{[a-z0-9-]+\}( \$\{[a-z0-9-]+\})*$`)

// ParseFormat parses a format such as "${version} ${srcaddr}". The error says what is wrong.
func ParseFormat(text string) (Format, error) {
	if !formatForm.MatchString(text) {
		return Format{}, fmt.Errorf("the format %q is not a list of fields like ${version}, separated by spaces", text)
	}
	var f Format
	for part := range strings.SplitSeq(text, " ") {
		name := part[2 : len(part)-1]
		version, ok := versions[name]
		if !ok {
			return Format{}, fmt.Errorf("the field %s is unknown", name)
		}
		f.fields, f.version = append(f.fields, name), max(f.version, version)
	}
	return f, nil
}

// Has reports whether records have a field.
func (f Format) Has(field string) bool { return slices.Contains(f.fields, field) }

// Header returns the first line of a file with records.
func (f Format) Header() string { return strings.Join(f.fields, " ") }

// versions are the versions in which fields appeared. The local cloud has no containers, no blocking
// of public access and no regional NAT gateways, about which the fields from version 7 are.
var versions = map[string]int{
	"version": 2, "account-id": 2, "interface-id": 2, "srcaddr": 2, "dstaddr": 2, "srcport": 2, "dstport": 2,
	"protocol": 2, "packets": 2, "bytes": 2, "start": 2, "end": 2, "action": 2, "log-status": 2,

	"vpc-id": 3, "subnet-id": 3, "instance-id": 3, "tcp-flags": 3, "type": 3, "pkt-srcaddr": 3, "pkt-dstaddr": 3,

	"region": 4, "az-id": 4, "sublocation-type": 4, "sublocation-id": 4,

	"pkt-src-aws-service": 5, "pkt-dst-aws-service": 5, "flow-direction": 5, "traffic-path": 5,

	"ecs-cluster-arn": 7, "ecs-cluster-name": 7, "ecs-container-instance-arn": 7, "ecs-container-instance-id": 7,
	"ecs-container-id": 7, "ecs-second-container-id": 7, "ecs-service-name": 7, "ecs-task-definition-arn": 7,
	"ecs-task-arn": 7, "ecs-task-id": 7,

	"reject-reason": 8, "resource-id": 9,
}

// Interface is the network interface of a record.
type Interface struct {
	ID, Account, VPC, Subnet, Instance string // Instance: that of the account; empty: none
	Region, ZoneID                     string
	Addresses                          []netip.Addr // the primary ones of each version first
}

// own returns an address of a packet as it belongs to the interface: the interface's primary one if
// the packet only passes it, as through a NAT gateway.
func (i Interface) own(packet netip.Addr) netip.Addr {
	if slices.Contains(i.Addresses, packet) {
		return packet
	}
	for _, address := range i.Addresses {
		if address.Is4() == packet.Is4() {
			return address
		}
	}
	return packet
}

// Window is the time that a record is about.
type Window struct{ Start, End time.Time }

// Flow is the traffic of a record in one direction.
type Flow struct {
	Out, Accepted       bool
	Source, Destination netip.AddrPort // of the packets
	Protocol            uint8
	Flags               uint8 // of TCP
	Packets, Bytes      uint64
	Path                Path // of outgoing traffic
}

// Path is how outgoing traffic leaves its interface.
type Path int

// The paths, numbered as on AWS. All instances count as based on Nitro; AWS numbers the gateways of
// others differently.
const (
	NoPath          Path = 0
	WithinVPC       Path = 1
	Peering         Path = 4 // in the same region
	InternetGateway Path = 8
)

// Record returns the record of a flow.
func (f Format) Record(i Interface, w Window, flow Flow) string {
	values := f.common(i, w, "OK")
	source, destination := flow.Source.Addr(), flow.Destination.Addr()
	values["pkt-srcaddr"], values["pkt-dstaddr"] = source.String(), destination.String()
	direction := "ingress"
	if flow.Out {
		direction, source = "egress", i.own(source)
	} else {
		destination = i.own(destination)
	}
	values["srcaddr"], values["dstaddr"], values["flow-direction"] = source.String(), destination.String(), direction
	values["srcport"] = strconv.Itoa(int(flow.Source.Port()))
	values["dstport"] = strconv.Itoa(int(flow.Destination.Port()))
	values["protocol"] = strconv.Itoa(int(flow.Protocol))
	values["packets"], values["bytes"] = strconv.FormatUint(flow.Packets, 10), strconv.FormatUint(flow.Bytes, 10)
	values["tcp-flags"] = strconv.Itoa(int(flow.Flags))
	values["type"] = "IPv6"
	if source.Is4() {
		values["type"] = "IPv4"
	}
	values["action"] = "REJECT"
	if flow.Accepted {
		values["action"] = "ACCEPT"
	}
	if flow.Out && flow.Path != NoPath {
		values["traffic-path"] = strconv.Itoa(int(flow.Path))
	}
	return f.line(values)
}

// Empty returns the record of an interface without traffic, or whose traffic was skipped because it
// had too many flows.
func (f Format) Empty(i Interface, w Window, skipped bool) string {
	status := "NODATA"
	if skipped {
		status = "SKIPDATA"
	}
	return f.line(f.common(i, w, status))
}

// common returns the values of a record that are not about traffic, by field.
func (f Format) common(i Interface, w Window, status string) map[string]string {
	return map[string]string{
		"version": strconv.Itoa(f.version), "account-id": i.Account, "interface-id": i.ID,
		"start": strconv.FormatInt(w.Start.Unix(), 10), "end": strconv.FormatInt(w.End.Unix(), 10),
		"log-status": status, "vpc-id": i.VPC, "subnet-id": i.Subnet, "instance-id": i.Instance,
		"region": i.Region, "az-id": i.ZoneID,
	}
}

// line writes values in the format. A field without a value is "-".
func (f Format) line(values map[string]string) string {
	all := make([]string, 0, len(f.fields))
	for _, name := range f.fields {
		all = append(all, cmp.Or(values[name], "-"))
	}
	return strings.Join(all, " ")
}
