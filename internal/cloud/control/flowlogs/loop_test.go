//go:build linux

package flowlogs_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/control/flowlogs"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/flowlog"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/store"
)

// world is what the loop reads from and writes to.
type world struct {
	*store.Store
	t        *testing.T
	recorded firewall.Recorded
	lines    []string
	refused  bool
	stop     func()
}

func (w *world) Recorded() (firewall.Recorded, error) {
	recorded := w.recorded
	w.recorded = firewall.Recorded{}
	return recorded, nil
}

// groups and buckets take records for a world.
type (
	groups  struct{ *world }
	buckets struct{ *world }
)

func (g groups) Deliver(region identity.Region, group, stream string, events []eventlog.Event) error {
	for _, e := range events {
		at := time.UnixMilli(e.Time).UTC().Format(time.TimeOnly)
		g.lines = append(g.lines, fmt.Sprintf("%s %s %s %s: %s", region, group, stream, at, e.Message))
	}
	return nil
}

func (b buckets) Deliver(d bucketpolicy.Delivery, log io.Reader) error {
	if b.refused {
		return bucketpolicy.ErrNotAdmitted
	}
	zip, err := gzip.NewReader(log)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(zip)
	name := d.Key[:len(d.Key)-len("01234567.log.gz")]
	b.lines = append(b.lines, d.Bucket+" "+name, string(text))
	return err
}

// run calls test while a loop delivers the flow logs of a store with two interfaces in use.
func run(t *testing.T, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		w := &world{Store: s, t: t}
		w.put(func(tx *store.Tx) {
			store.VPCs.Put(tx, &store.VPC{ID: "vpc-1", Region: "r", CIDR: netip.MustParsePrefix("10.0.0.0/16")})
			store.Subnets.Put(tx, &store.Subnet{ID: "subnet-1", Region: "r", VPCID: "vpc-1", ZoneID: "z1"})
			store.RouteTables.Put(tx, &store.RouteTable{
				ID: "rtb-1", Region: "r", VPCID: "vpc-1", Associations: []store.RouteTableAssociation{{Main: true}},
				Routes: []store.Route{
					{Destination: netip.MustParsePrefix("0.0.0.0/0"), GatewayID: "igw-1"},
					{Destination: netip.MustParsePrefix("192.0.2.0/24"), PeeringID: "pcx-1"},
				},
			})
			for id, address := range map[string]string{"eni-a": "10.0.1.5", "eni-b": "10.0.1.6"} {
				store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
					ID: id, Region: "r", VPCID: "vpc-1", SubnetID: "subnet-1", State: "in-use",
					PrivateIP: netip.MustParseAddr(address),
				})
			}
			store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
				ID: "eni-c", Region: "r", VPCID: "vpc-1", SubnetID: "subnet-1", State: "available",
				PrivateIP: netip.MustParseAddr("10.0.1.7"),
			})
			store.Roles.Put(tx, &store.Role{Name: "flows", ARN: "arn:aws:iam::000000000000:role/flows"})
		})
		w.start()
		test(w)
		w.stop()
	})
}

// start starts a loop, which stop ends.
func (w *world) start() {
	loop := &flowlogs.Loop{
		Store: w.Store, Network: w, Logs: groups{w}, Buckets: buckets{w}, Log: slog.New(slog.DiscardHandler),
		MayWrite: func(_ store.Reader, _ *store.Role, _ identity.Region, group string) (bool, error) {
			return group == "flows", nil
		},
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = loop.Run(ctx) }()
	w.stop = func() { cancel(); <-done }
	synctest.Wait()
}

func (w *world) put(change func(tx *store.Tx)) {
	w.t.Helper()
	if err := w.Update(func(tx *store.Tx) error { change(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// add creates a flow log.
func (w *world) add(id, resource string, change func(row *store.FlowLog)) {
	row := &store.FlowLog{
		ID: id, Region: "r", ResourceID: resource, Traffic: "ALL", Format: flowlog.DefaultFormat,
		DestinationType: "cloud-watch-logs", LogGroup: "flows", RoleARN: "arn:aws:iam::000000000000:role/flows",
		Created: time.Now(),
	}
	change(row)
	w.put(func(tx *store.Tx) { store.FlowLogs.Put(tx, row) })
}

// minute returns what is delivered in the next minute, sorted.
func (w *world) minute() []string {
	w.lines = nil
	time.Sleep(time.Minute)
	synctest.Wait()
	slices.Sort(w.lines)
	return w.lines
}

func (w *world) assertMinute(want ...string) {
	w.t.Helper()
	if got := w.minute(); !slices.Equal(got, want) {
		w.t.Errorf("delivered:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func record(from, to string, out, accepted bool) firewall.Record {
	flow := firewall.Flow{
		Interface: "eni-a", Out: out, Accepted: accepted, Protocol: 6,
		Source: netip.MustParseAddrPort(from), Destination: netip.MustParseAddrPort(to),
	}
	return firewall.Record{
		Flow: flow, Packets: 2, Bytes: 120,
		First: time.Now().Add(10 * time.Second), Last: time.Now().Add(50 * time.Second),
	}
}

func TestFlowsAreDeliveredToLogGroups(t *testing.T) {
	run(t, func(w *world) {
		w.assertMinute()
		w.add("fl-1", "vpc-1", func(*store.FlowLog) {})
		w.add("fl-2", "eni-a", func(row *store.FlowLog) {
			row.Traffic, row.Format = "REJECT", "${action} ${dstport}"
		})
		w.recorded = firewall.Recorded{Records: []firewall.Record{
			record("10.0.1.5:1000", "198.51.100.1:443", true, true),
			record("198.51.100.1:9", "10.0.1.5:22", false, false),
		}}
		w.assertMinute(
			"r flows eni-a-all 00:01:10: 2 000000000000 eni-a 10.0.1.5 198.51.100.1 1000 443 6 2 120 "+
				"946684870 946684910 ACCEPT OK",
			"r flows eni-a-all 00:01:10: 2 000000000000 eni-a 198.51.100.1 10.0.1.5 9 22 6 2 120 "+
				"946684870 946684910 REJECT OK",
			"r flows eni-a-reject 00:01:10: REJECT 22",
			"r flows eni-b-all 00:01:00: 2 000000000000 eni-b - - - - - - - 946684860 946684920 - NODATA",
		)
		// An interface that is gone has the records of its last minute.
		w.put(func(tx *store.Tx) {
			store.NetworkInterfaces.Delete(tx, "eni-b")
			store.FlowLogs.Delete(tx, "fl-2")
		})
		w.recorded = firewall.Recorded{Skipped: map[string]uint64{"eni-a": 7}}
		w.assertMinute(
			"r flows eni-a-all 00:02:00: 2 000000000000 eni-a - - - - - - - 946684920 946684980 - SKIPDATA",
			"r flows eni-b-all 00:02:00: 2 000000000000 eni-b - - - - - - - 946684920 946684980 - NODATA",
		)
		w.put(func(tx *store.Tx) { store.VPCs.Delete(tx, "vpc-1"); store.NetworkInterfaces.Delete(tx, "eni-a") })
		w.assertMinute(
			"r flows eni-a-all 00:03:00: 2 000000000000 eni-a - - - - - - - 946684980 946685040 - NODATA",
		)
		if rows := store.FlowLogs.List(w.View()); len(rows) != 0 {
			t.Errorf("flow logs of nothing: %+v", rows)
		}
	})
}

func TestAnInterfaceOfSecondsHasItsRecords(t *testing.T) {
	run(t, func(w *world) {
		w.add("fl-1", "subnet-1", func(row *store.FlowLog) { row.Format = "${interface-id} ${instance-id} ${dstport}" })
		w.minute()
		eni := &store.NetworkInterface{
			ID: "eni-d", Region: "r", VPCID: "vpc-1", SubnetID: "subnet-1", State: "in-use", InstanceID: "i-1",
			PrivateIP: netip.MustParseAddr("10.0.1.8"),
		}
		w.put(func(tx *store.Tx) { store.NetworkInterfaces.Put(tx, eni) })
		synctest.Wait()
		flow := record("198.51.100.1:9", "10.0.1.8:22", false, true)
		flow.Interface = eni.ID
		w.recorded.Records = append(w.recorded.Records, flow)
		w.put(func(tx *store.Tx) { store.NetworkInterfaces.Delete(tx, eni.ID) })
		w.assertMinute(
			"r flows eni-a-all 00:01:00: eni-a - -",
			"r flows eni-b-all 00:01:00: eni-b - -",
			"r flows eni-d-all 00:01:10: eni-d i-1 22",
		)
	})
}

// A daemon delivers at its end. What the one before it had read and not delivered is not known.
func TestARestartLeavesSkippedData(t *testing.T) {
	run(t, func(w *world) {
		w.add("fl-1", "eni-a", func(row *store.FlowLog) { row.Format = "${dstport} ${log-status}" })
		w.minute()
		w.recorded.Records = append(w.recorded.Records, record("198.51.100.1:9", "10.0.1.5:22", false, true))
		w.lines = nil
		w.stop()
		if want := []string{"r flows eni-a-all 00:01:10: 22 OK"}; !slices.Equal(w.lines, want) {
			t.Errorf("delivered at the end %q, want %q", w.lines, want)
		}
		w.start()
		w.add("fl-2", "eni-b", func(row *store.FlowLog) { row.Format = "${log-status}" })
		w.assertMinute("r flows eni-a-all 00:01:00: - SKIPDATA", "r flows eni-b-all 00:01:00: NODATA")
		w.assertMinute("r flows eni-a-all 00:02:00: - NODATA", "r flows eni-b-all 00:02:00: NODATA")
	})
}

// A flow log has no records of flows that ended before it was created, though another one had them
// recorded.
func TestAFlowLogBeginsWhenItIsCreated(t *testing.T) {
	run(t, func(w *world) {
		flow := record("198.51.100.1:9", "10.0.1.5:22", false, true)
		w.recorded.Records = append(w.recorded.Records, flow)
		time.Sleep(55 * time.Second)
		w.add("fl-1", "eni-a", func(row *store.FlowLog) { row.Format = "${dstport} ${log-status}" })
		if got, want := w.minute(), []string{"r flows eni-a-all 00:00:55: - NODATA"}; !slices.Equal(got, want) {
			t.Errorf("delivered %q, want %q", got, want)
		}
	})
}

func TestFlowsAreDeliveredToBuckets(t *testing.T) {
	run(t, func(w *world) {
		w.add("fl-1", "subnet-1", func(row *store.FlowLog) {
			row.DestinationType, row.Destination = "s3", "arn:aws:s3:::logs/folder"
			row.Format = "${interface-id} ${dstaddr} ${traffic-path} ${log-status}"
		})
		w.recorded = firewall.Recorded{Records: []firewall.Record{record("10.0.1.5:1", "198.51.100.1:2", true, true)}}
		got := w.minute()
		want := "logs folder/AWSLogs/000000000000/vpcflowlogs/r/2000/01/01/" +
			"000000000000_vpcflowlogs_r_fl-1_20000101T0001Z_"
		if len(got) != 2 || !slices.Contains(got, want) {
			t.Fatalf("delivered %q, want %s", got, want)
		}
		lines := strings.Split(strings.TrimSuffix(strings.Join(got, ""), "\n"), "\n")
		slices.Sort(lines)
		for _, want := range []string{"eni-a 198.51.100.1 8 OK", "eni-b - - NODATA"} {
			if !slices.Contains(lines, want) {
				t.Errorf("delivered %q, want %s", lines, want)
			}
		}
		w.put(func(tx *store.Tx) { store.FlowLogs.Delete(tx, "fl-1") })
		w.add("fl-2", "eni-a", func(row *store.FlowLog) {
			row.DestinationType, row.Destination, row.Hive, row.Hourly = "s3", "arn:aws:s3:::logs", true, true
		})
		want = "logs AWSLogs/aws-account-id=000000000000/aws-service=vpcflowlogs/aws-region=r/" +
			"year=2000/month=01/day=01/hour=00/000000000000_vpcflowlogs_r_fl-2_20000101T0002Z_"
		if got := w.minute(); !slices.Contains(got, want) {
			t.Errorf("delivered %q, want %s", got, want)
		}
	})
}

func TestPathsOfTraffic(t *testing.T) {
	run(t, func(w *world) {
		w.add("fl-1", "eni-a", func(row *store.FlowLog) { row.Format = "${dstaddr} ${traffic-path}" })
		for _, to := range []string{"10.0.9.9:1", "192.0.2.1:1", "198.51.100.1:1"} {
			w.recorded.Records = append(w.recorded.Records, record("10.0.1.5:1", to, true, true))
		}
		prefix := "r flows eni-a-all 00:00:10: "
		w.assertMinute(prefix+"10.0.9.9 1", prefix+"192.0.2.1 4", prefix+"198.51.100.1 8")
	})
}

func TestAFailedDeliveryIsToldUntilOneSucceeds(t *testing.T) {
	run(t, func(w *world) {
		w.add("fl-1", "eni-a", func(row *store.FlowLog) { row.LogGroup = "secret" })
		w.add("fl-2", "eni-a", func(row *store.FlowLog) {
			row.DestinationType, row.Destination = "s3", "arn:aws:s3:::logs"
		})
		w.refused = true
		w.assertMinute()
		for _, row := range store.FlowLogs.List(w.View()) {
			if row.Failure != "Access error" {
				t.Errorf("%s: %s", row.ID, row.Failure)
			}
		}
		w.refused = false
		w.minute()
		if row, _ := store.FlowLogs.Get(w.View(), "fl-2"); row.Failure != "" {
			t.Errorf("after a delivery: %s", row.Failure)
		}
	})
}
