//go:build linux

package firewall

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A router records flows in sets of a table of its own, which outlives changes of the router's
// ruleset: the kernel adds an element for each flow, with a counter. An interface has a set for
// each direction and verdict, and each set a limit, so that a machine that scans ports takes the
// room of no other. A router without a Recording has no such table.
//
// So that the table sees packets that are refused, and who refuses them, the router's own ruleset
// marks these packets, and drops them only after they were recorded.

// Recording says which flows of an interface a router records. The zero Recording records none.
type Recording struct {
	Accepted, Rejected bool // by security groups and network ACLs
	// Flags distinguishes flows by flags of TCP, so that each takes up to four elements.
	Flags bool
}

// Union returns a Recording with the flows of both.
func (r Recording) Union(other Recording) Recording {
	return Recording{r.Accepted || other.Accepted, r.Rejected || other.Rejected, r.Flags || other.Flags}
}

const (
	// maxRecords is how many flows of an interface a set has.
	maxRecords = 1 << 13
	// recordLifetime is the lifetime of a set's elements. What is left of it tells when the kernel
	// added an element. Nobody has read elements that expire, because no daemon runs.
	recordLifetime = 24 * time.Hour
	// recorderTable begins the names of tables that record. A number follows.
	recorderTable = "aloft-records-"
)

// priorityRefuse is after the table that records.
const priorityRefuse = priorityLast + 10

var (
	forwardRecord = hook{"forward", nftables.ChainTypeFilter, priorityLast}
	forwardRefuse = hook{"forward", nftables.ChainTypeFilter, priorityRefuse}
)

// refusal is the mark of a packet that is dropped once it is recorded. Marks of subnets and of
// nodes are smaller.
type refusal uint32

const (
	refusedBySender   refusal = 1<<31 + iota // by what filters at the sender's interface
	refusedByReceiver                        // by what filters at the receiver's interface
)

func (f refusal) is() equals { return equals{mark, markValue(uint32(f))} }

// markPacket gives a packet a mark.
type markPacket uint32

func (m markPacket) text() string { return "meta mark set " + markValue(uint32(m)).text }

func (m markPacket) exprs() []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: register1, Data: markValue(uint32(m)).data},
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: register1},
	}
}

// records reports whether the router records flows of any interface.
func (r Router) records() bool {
	for _, i := range r.Interfaces {
		if i.Recording != (Recording{}) {
			return true
		}
	}
	return false
}

// refuse returns the rule that drops packets that a filter does not allow, and counts them.
func (r Router) refuse(as refusal) rule {
	if !r.recording {
		return countedDrop
	}
	return rule{counter{}, markPacket(as), accept}
}

// refuseChain drops the packets that refuse has marked, if there is anything to record.
func (r Router) refuseChain() []chain {
	if !r.recording {
		return nil
	}
	return []chain{{name: "refuse", hook: forwardRefuse, rules: []rule{
		{refusedBySender.is(), drop}, {refusedByReceiver.is(), drop},
	}}}
}

// Recorder returns the table that records flows of the router's interfaces. ok is false if it
// records none. Recorded reads it.
func (r Router) Recorder() (recorder Ruleset, ok bool) {
	sending := set{name: "sending", key: []field{inDevice}, isVerdictMap: true}
	receiving := set{name: "receiving", key: []field{outDevice}, isVerdictMap: true}
	var sets []set
	var chains []chain
	for _, i := range r.Interfaces {
		if i.Recording == (Recording{}) {
			continue
		}
		device := []value{deviceValue(i.Device)}
		sending.add(element{key: device, verdict: jumpTo("sent-" + i.ID)})
		receiving.add(element{key: device, verdict: jumpTo("received-" + i.ID)})
		for _, out := range []bool{true, false} {
			added, leading := i.recorders(r.Family, out)
			sets, chains = append(sets, added...), append(chains, leading...)
		}
	}
	base := chain{name: recordBase, hook: forwardRecord, rules: []rule{
		{verdictMap{inDevice, sending.name}},
		{refusedBySender.is(), accept},
		{verdictMap{outDevice, receiving.name}},
	}}
	ported := set{name: "ported", key: []field{protocol}}
	for _, number := range []int{6, 17, 33, 132, 136} { // TCP, UDP, DCCP, SCTP, UDP-Lite
		ported.add(element{key: []value{byteValue(number)}})
	}
	return Ruleset{
		Family: r.Family,
		sets:   append([]set{sending, receiving, ported}, sets...), chains: append([]chain{base}, chains...),
	}, len(sets) > 0
}

// recordBase is the name of the chain of a table that records from which the others are reached.
const recordBase = "record"

// recorders returns the sets that record an interface's flows in a direction, and the chains that
// lead to them.
func (i Interface) recorders(family Family, out bool) (sets []set, chains []chain) {
	first, refused := chain{name: "received-" + i.ID}, refusedByReceiver
	if out {
		first, refused = chain{name: "sent-" + i.ID}, refusedBySender
	}
	add := func(accepted bool, leads rule) {
		name := recordSet{i.ID, out, accepted}.name()
		sets = append(sets, set{
			name: name, key: recordKey(family), dynamic: true, size: maxRecords, lifetime: recordLifetime,
		})
		chains = append(chains, recordChain(name, family, i.Recording.Flags))
		first.rules = append(first.rules, append(leads, goTo(name)))
	}
	if i.Recording.Rejected {
		add(false, rule{refused.is()})
	} else {
		first.rules = append(first.rules, rule{refused.is(), returnToCaller})
	}
	if i.Recording.Accepted {
		add(true, nil)
	}
	return sets, append(chains, first)
}

// recordChain records a packet in a set of the same name, and counts it if the set is full.
func recordChain(name string, family Family, flags bool) chain {
	c := chain{name: name}
	if flags {
		tcp := equals{protocol, byteValue(protocolNumbers["tcp"])}
		add := addRecord{set: name, family: family, ports: true, flags: true}
		c.rules = append(c.rules, rule{tcp, add, returnToCaller})
	}
	c.rules = append(c.rules,
		rule{
			inSet{[]field{protocol}, "ported", false},
			addRecord{set: name, family: family, ports: true}, returnToCaller,
		},
		rule{addRecord{set: name, family: family}, returnToCaller},
		rule{counter{}},
	)
	return c
}

// recordSet names a set of records.
type recordSet struct {
	Interface     string
	Out, Accepted bool
}

func (s recordSet) name() string {
	direction, verdict := "received", "rejected"
	if s.Out {
		direction = "sent"
	}
	if s.Accepted {
		verdict = "accepted"
	}
	return strings.Join([]string{direction, verdict, s.Interface}, "-")
}

// parseRecordSet parses the name of a set. ok is false if it has no records.
func parseRecordSet(name string) (s recordSet, ok bool) {
	parts := strings.SplitN(name, "-", 3)
	if len(parts) != 3 {
		return s, false
	}
	return recordSet{Interface: parts[2], Out: parts[0] == "sent", Accepted: parts[1] == "accepted"}, true
}

// The fields of a key that have no name of their own.
var (
	bothPorts = payloadField("mark", "@th,0,32", nftables.TypeMark, transport, 0)
	tcpFlags  = payloadField("tcp_flag", "tcp flags", nftables.TypeTCPFlag, transport, 13)
)

// recordKey returns the parts of the key of a flow.
func recordKey(family Family) []field {
	return []field{family.source(), family.destination(), protocol, bothPorts, tcpFlags}
}

// recordedFlags are the flags of TCP that records tell: FIN, SYN, RST and ACK.
const recordedFlags = 0x17

// addRecord counts a packet in its flow's element of a set, which it adds. It matches unless the set
// is full, or the packet is too short.
type addRecord struct {
	set          string
	family       Family
	ports, flags bool // part of the key; zero otherwise
}

func (a addRecord) text() string {
	parts := []string{a.family.source().text, a.family.destination().text, protocol.text, "0", "0"}
	if a.ports {
		parts[3] = bothPorts.text
	}
	if a.flags {
		parts[4] = tcpFlags.text + " & " + strconv.Itoa(recordedFlags)
	}
	return "add @" + a.set + " { " + strings.Join(parts, " . ") + " counter }"
}

func (a addRecord) exprs() []expr.Any {
	// A part of the key takes whole registers of 4 bytes.
	register := uint32(unix.NFT_REG32_00)
	var all []expr.Any
	for _, part := range []field{a.family.source(), a.family.destination(), protocol} {
		all = append(all, part.load(register))
		register += (part.datatype.Bytes + 3) / 4
	}
	zero := func(register uint32) expr.Any { return &expr.Immediate{Register: register, Data: make([]byte, 4)} }
	if a.ports {
		all = append(all, bothPorts.load(register))
	} else {
		all = append(all, zero(register))
	}
	register++
	if a.flags {
		all = append(all, tcpFlags.load(register), &expr.Bitwise{
			SourceRegister: register, DestRegister: register, Len: 1, Mask: []byte{recordedFlags}, Xor: []byte{0},
		})
	} else {
		all = append(all, zero(register))
	}
	return append(all, &expr.Dynset{
		SrcRegKey: unix.NFT_REG32_00, SetName: a.set, Operation: unix.NFT_DYNSET_OP_ADD,
		Exprs: []expr.Any{&expr.Counter{}},
	})
}
