//go:build linux

package flowlogs

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/flowlog"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/store"
)

// The reasons for which a delivery fails, in EC2's words (Amazon EC2 API Reference, FlowLog).
const (
	accessError  = "Access error"
	unknownError = "Unknown error"
)

var errAccess = errors.New("the role or the bucket does not admit the records")

func failureOf(err error) string {
	if errors.Is(err, errAccess) || errors.Is(err, bucketpolicy.ErrNotAdmitted) {
		return accessError
	}
	return unknownError
}

// write delivers the records of a flow log.
func (l *Loop) write(
	view store.Reader, row *store.FlowLog, now time.Time, flows map[string][]firewall.Record, skipped map[string]uint64,
) error {
	format, err := flowlog.ParseFormat(row.Format)
	if err != nil {
		return err
	}
	window := flowlog.Window{Start: l.last, End: now}
	if row.Created.After(window.Start) {
		window.Start = row.Created
	}
	// What the last daemon had read and not delivered is lost.
	restarted := l.last.Equal(l.started) && row.Created.Before(l.started)
	records := map[string][]eventlog.Event{}
	for _, eni := range l.used {
		if recordsInterface(row, eni) {
			m := &measured{format, describe(view, eni), window, newPaths(view, eni)}
			records[eni.ID] = m.events(row, flows[eni.ID], restarted || skipped[eni.ID] > 0)
		}
	}
	if row.DestinationType == "s3" {
		return l.writeFile(row, now, format, records)
	}
	role, ok := store.RoleAt(view, row.RoleARN)
	if ok {
		ok, err = l.MayWrite(view, role, row.Region, row.LogGroup)
	}
	if err != nil || !ok {
		return errors.Join(errAccess, err)
	}
	for id, events := range records {
		stream := id + "-" + strings.ToLower(row.Traffic)
		if err := l.Logs.Deliver(row.Region, row.LogGroup, stream, events); err != nil {
			return fmt.Errorf("deliver to the log group %s: %w", row.LogGroup, err)
		}
	}
	return nil
}

// recordsInterface reports whether a flow log records the flows of a network interface.
func recordsInterface(row *store.FlowLog, eni *store.NetworkInterface) bool {
	return row.ResourceID == eni.VPCID || row.ResourceID == eni.SubnetID || row.ResourceID == eni.ID
}

// interfacesOf returns the network interfaces of what a flow log records.
func interfacesOf(r store.Reader, resource string) []*store.NetworkInterface {
	switch {
	case strings.HasPrefix(resource, "vpc-"):
		return store.NetworkInterfacesInVPC(r, resource)
	case strings.HasPrefix(resource, "subnet-"):
		return store.NetworkInterfacesInSubnet(r, resource)
	}
	if eni, ok := store.NetworkInterfaces.Get(r, resource); ok {
		return []*store.NetworkInterface{eni}
	}
	return nil
}

// describe returns a network interface as records describe it.
func describe(view store.Reader, eni *store.NetworkInterface) flowlog.Interface {
	i := flowlog.Interface{
		ID: eni.ID, Account: eni.Region.Account(), VPC: eni.VPCID, Subnet: eni.SubnetID, Instance: eni.InstanceID,
		Region: eni.Region.Name(),
	}
	if subnet, ok := store.Subnets.Get(view, eni.SubnetID); ok {
		i.ZoneID = subnet.ZoneID
	}
	for _, address := range eni.Addresses() {
		i.Addresses = append(i.Addresses, address.Private)
	}
	i.Addresses = append(i.Addresses, eni.IPv6...)
	return i
}

// measured writes the records of one network interface.
type measured struct {
	format flowlog.Format
	eni    flowlog.Interface
	window flowlog.Window
	paths  paths
}

// events returns the records in the order of their times.
func (m *measured) events(row *store.FlowLog, flows []firewall.Record, skipped bool) (events []eventlog.Event) {
	for _, f := range flows {
		if f.Accepted && !row.Accepts() || !f.Accepted && !row.Rejects() || f.Last.Before(row.Created) {
			continue
		}
		window := flowlog.Window{Start: f.First, End: f.Last}
		if window.Start.Before(row.Created) {
			window.Start = row.Created
		}
		line := m.format.Record(m.eni, window, flowlog.Flow{
			Out: f.Out, Accepted: f.Accepted, Source: f.Source, Destination: f.Destination, Protocol: f.Protocol,
			Flags: f.Flags, Packets: f.Packets, Bytes: f.Bytes, Path: m.paths.of(f),
		})
		events = append(events, eventlog.Event{Time: window.Start.UnixMilli(), Message: line})
	}
	if skipped || len(events) == 0 {
		line := m.format.Empty(m.eni, m.window, skipped)
		events = append(events, eventlog.Event{Time: m.window.Start.UnixMilli(), Message: line})
	}
	slices.SortStableFunc(events, func(a, b eventlog.Event) int { return cmp.Compare(a.Time, b.Time) })
	return events
}

// writeFile delivers records as a file.
func (l *Loop) writeFile(
	row *store.FlowLog, now time.Time, format flowlog.Format, records map[string][]eventlog.Event,
) error {
	var file bytes.Buffer
	zip := gzip.NewWriter(&file)
	_, err := fmt.Fprintln(zip, format.Header())
	lines := 0
	for _, id := range slices.Sorted(maps.Keys(records)) {
		for _, e := range records[id] {
			_, writeErr := fmt.Fprintln(zip, e.Message)
			err, lines = errors.Join(err, writeErr), lines+1
		}
	}
	if err := errors.Join(err, zip.Close()); err != nil || lines == 0 {
		return err
	}
	bucket, key := fileOf(row, now.UTC(), l.IDs.Hex(8))
	if err := l.Buckets.Deliver(bucketpolicy.FlowLog(row.Region, bucket, key), &file); err != nil {
		return fmt.Errorf("deliver to the bucket %s: %w", bucket, err)
	}
	return nil
}

// fileOf returns the bucket and the key of a file that is written at a time in UTC (Amazon VPC User
// Guide, Flow log files).
func fileOf(row *store.FlowLog, at time.Time, hash string) (bucket, key string) {
	account, region := row.Region.Account(), row.Region.Name()
	folder := at.Format("2006/01/02/")
	if row.Hourly {
		folder += at.Format("15/")
	}
	folder = "AWSLogs/" + account + "/vpcflowlogs/" + region + "/" + folder
	if row.Hive {
		layout := "year=2006/month=01/day=02/"
		if row.Hourly {
			layout += "hour=15/"
		}
		folder = "AWSLogs/aws-account-id=" + account + "/aws-service=vpcflowlogs/aws-region=" + region + "/" +
			at.Format(layout)
	}
	bucket, prefix := bucketpolicy.FlowLogBucket(row.Destination)
	name := strings.Join([]string{account, "vpcflowlogs", region, row.ID, at.Format("20060102T1504Z"), hash}, "_")
	return bucket, prefix + folder + name + ".log.gz"
}
