//go:build linux

package firewall

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// Flow is a direction of a flow at an interface.
type Flow struct {
	Interface           string // ID
	Out                 bool   // the interface sent it
	Accepted            bool
	Source, Destination netip.AddrPort // port 0: the protocol has none
	Protocol            uint8
}

// Record is what passed an interface in a direction of a flow, or was refused there.
type Record struct {
	Flow
	Flags          uint8  // of TCP, of all packets together, if the Recording tells them
	Packets, Bytes uint64 // as the router sees them: bytes include headers of IP
	First          time.Time
	Last           time.Time // no packet was counted later
}

// Recorded is what routers have recorded. The zero Recorded is nothing.
type Recorded struct {
	Records []Record // one for a flow
	// Skipped counts by interface the packets of flows that found no room.
	Skipped map[string]uint64

	index map[Flow]int // of Records
}

// maxRecorded is how many records a Recorded has at most.
const maxRecorded = 1 << 17

// Merge adds what another one has. Of flows that find no room it adds how many packets they had.
func (r *Recorded) Merge(other Recorded) {
	for _, record := range other.Records {
		r.add(record)
	}
	for id, packets := range other.Skipped {
		r.skip(id, packets)
	}
}

func (r *Recorded) add(record Record) {
	at, known := r.index[record.Flow]
	switch {
	case known:
		sum := &r.Records[at]
		sum.Flags |= record.Flags
		sum.Packets, sum.Bytes = sum.Packets+record.Packets, sum.Bytes+record.Bytes
		if record.First.Before(sum.First) {
			sum.First = record.First
		}
		if record.Last.After(sum.Last) {
			sum.Last = record.Last
		}
	case len(r.Records) == maxRecorded:
		r.skip(record.Interface, record.Packets)
	default:
		if r.index == nil {
			r.index = map[Flow]int{}
		}
		r.index[record.Flow] = len(r.Records)
		r.Records = append(r.Records, record)
	}
}

func (r *Recorded) skip(id string, packets uint64) {
	if r.Skipped == nil {
		r.Skipped = map[string]uint64{}
	}
	r.Skipped[id] += packets
}

// Rotate makes recorders the tables that record in a network namespace, in place of those that do.
// It returns what all tables before them have recorded, and removes these, or leaves them for a later
// call if they are at most keep. Each packet is recorded once. If an error stops Rotate, what was
// recorded until then stays for the next call.
func Rotate(namespace, keep int, recorders ...Ruleset) (recorded Recorded, err error) {
	conn, err := nftables.New(nftables.WithNetNSFd(namespace), largeBuffers)
	if err != nil {
		return recorded, fmt.Errorf("open nftables: %w", err)
	}
	before, next, err := recorderTables(conn)
	if err != nil || len(before)+len(recorders) == 0 {
		return recorded, err
	}
	for _, table := range before {
		conn.FlushChain(&nftables.Chain{Name: recordBase, Table: table})
	}
	firstID := uint32(1)
	for _, recorder := range recorders {
		recorder.Table = next
		if err := replace(conn, recorder, firstID); err != nil {
			return recorded, err
		}
		firstID += uint32(len(recorder.sets))
	}
	if err := conn.Flush(); err != nil {
		return recorded, fmt.Errorf("change what records flows: %w", err)
	}
	if len(before) <= keep {
		return recorded, nil
	}
	now := time.Now()
	for _, table := range before {
		read, err := readRecords(conn, table, now)
		if err != nil {
			return recorded, err
		}
		conn.DelTable(table)
		if err := conn.Flush(); err != nil {
			return recorded, fmt.Errorf("remove what recorded flows: %w", err)
		}
		recorded.Merge(read)
	}
	return recorded, nil
}

// recorderTables returns the tables of a namespace that record, and a name for the next ones.
func recorderTables(conn *nftables.Conn) (present []*nftables.Table, next string, err error) {
	tables, err := conn.ListTables()
	if err != nil {
		return nil, "", fmt.Errorf("list what records flows: %w", err)
	}
	highest := 0
	for _, table := range tables {
		if text, ok := strings.CutPrefix(table.Name, recorderTable); ok {
			number, _ := strconv.Atoi(text)
			highest, present = max(highest, number), append(present, table)
		}
	}
	return present, recorderTable + strconv.Itoa(highest+1), nil
}

// readRecords reads a table.
func readRecords(conn *nftables.Conn, table *nftables.Table, now time.Time) (recorded Recorded, err error) {
	sets, err := conn.GetSets(table)
	if err != nil {
		return recorded, fmt.Errorf("read recorded flows: %w", err)
	}
	for _, set := range sets {
		from, ok := parseRecordSet(set.Name)
		if !ok {
			continue
		}
		elements, err := conn.GetSetElements(set)
		if err != nil {
			return recorded, fmt.Errorf("read recorded flows of %s: %w", from.Interface, err)
		}
		for _, e := range elements {
			record, err := recordOf(from, e, now)
			if err != nil {
				return recorded, err
			}
			recorded.add(record)
		}
		skipped, err := counted(conn, table, set.Name)
		if err != nil {
			return recorded, err
		}
		if skipped > 0 {
			recorded.skip(from.Interface, skipped)
		}
	}
	return recorded, nil
}

// recordOf returns the record of an element that is read now.
func recordOf(from recordSet, e nftables.SetElement, now time.Time) (Record, error) {
	const afterAddresses = 12 // protocol, ports and flags
	length := (len(e.Key) - afterAddresses) / 2
	if length != 4 && length != 16 || e.Counter == nil {
		return Record{}, errors.New("read recorded flows: the kernel's elements are others")
	}
	source, _ := netip.AddrFromSlice(e.Key[:length])
	destination, _ := netip.AddrFromSlice(e.Key[length : 2*length])
	rest := e.Key[2*length:]
	flow := Flow{
		Interface: from.Interface, Out: from.Out, Accepted: from.Accepted, Protocol: rest[0],
		Source:      netip.AddrPortFrom(source, binary.BigEndian.Uint16(rest[4:])),
		Destination: netip.AddrPortFrom(destination, binary.BigEndian.Uint16(rest[6:])),
	}
	return Record{
		Flow: flow, Flags: toldFlags(rest[8]), Packets: e.Counter.Packets, Bytes: e.Counter.Bytes,
		First: now.Add(e.Expires - recordLifetime), Last: now,
	}, nil
}

// toldFlags returns the flags of a segment that a record tells: an acknowledgement only of SYN
// (Amazon VPC User Guide, Flow log records: tcp-flags).
func toldFlags(flags uint8) uint8 {
	const syn, ack = 0x02, 0x10
	if flags&syn == 0 {
		flags &^= ack
	}
	return flags
}

// counted returns the sum of the counters of a chain.
func counted(conn *nftables.Conn, table *nftables.Table, chain string) (packets uint64, err error) {
	rules, err := conn.GetRules(table, &nftables.Chain{Name: chain, Table: table})
	if err != nil {
		return 0, fmt.Errorf("read the counters of %s: %w", chain, err)
	}
	for _, r := range rules {
		for _, e := range r.Exprs {
			if c, ok := e.(*expr.Counter); ok {
				packets += c.Packets
			}
		}
	}
	return packets, nil
}
