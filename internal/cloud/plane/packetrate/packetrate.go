//go:build linux

// Package packetrate limits how many packets the processes of a cgroup send.
//
// The kernel handles a packet between two virtual devices at once, and most of that work happens
// in a queue that all devices of the host share. A firewall comes after the queue: what it drops
// has cost others their time. These limits hold where a socket hands a packet over, so packets
// beyond them cost their sender alone.
//
// Packets that come from no socket of IPv4 or IPv6 are not limited here: those of packet sockets,
// and those that a machine forwards. The firewall holds them to the same rate.
package packetrate

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// ErrNotSupported means that the kernel cannot limit packets (CONFIG_CGROUP_BPF).
var ErrNotSupported = errors.New("the kernel cannot limit the packets of cgroups")

// burst is how long a cgroup may send as fast as it can, if it then sends nothing for as long as
// these packets take at its rate: perSecond x burst packets.
const burst = 20 * time.Millisecond

// Limit limits the packets that the processes of a version 2 cgroup, and those below it, send
// from sockets that they create, in packets per second. What TCP hands over as one segment is one
// packet. Packets beyond the limit are dropped, and TCP sends more slowly then.
//
// A limit replaces the one before, and ends with its cgroup.
func Limit(cgroup string, perSecond int) error {
	program, err := load(time.Second / time.Duration(perSecond))
	if err != nil {
		return fmt.Errorf("limit packets: %w", err)
	}
	defer func() { _ = program.Close() }()
	dir, err := os.Open(cgroup)
	if err != nil {
		return fmt.Errorf("limit packets: %w", err)
	}
	defer func() { _ = dir.Close() }()
	// A link would end with this process. A program that is attached without flags is the only
	// one of its cgroup: the next one takes its place.
	err = link.RawAttachProgram(link.RawAttachProgramOptions{
		Target: int(dir.Fd()), Program: program, Attach: ebpf.AttachCGroupInetEgress,
	})
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, ebpf.ErrNotSupported) {
		return ErrNotSupported
	}
	if err != nil {
		return fmt.Errorf("limit packets: %w", err)
	}
	return nil
}

// The results of a program at a cgroup's egress (Linux's kernel/bpf/cgroup.c,
// __cgroup_bpf_run_filter_skb). dropped drops the packet and tells TCP of congestion; the send
// call of other protocols succeeds, as if a network had lost the packet.
const (
	passed  = 1
	dropped = 2
)

// load loads a program that drops packets sent more often than at an interval. Its one variable is
// the time at which the packets so far would have ended if they had come at that interval (the
// generic cell rate algorithm). Two processors may write it at once; then a packet is not counted.
func load(interval time.Duration) (*ebpf.Program, error) {
	variable, err := ebpf.NewMap(&ebpf.MapSpec{
		Name: "aloft_packets", Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1,
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = variable.Close() }() // the program has its own reference
	const end, now, address = asm.R1, asm.R0, asm.R6
	return ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "aloft_packets", Type: ebpf.CGroupSKB, AttachType: ebpf.AttachCGroupInetEgress, License: "GPL",
		Instructions: asm.Instructions{
			// address = the variable's
			asm.StoreImm(asm.RFP, -4, 0, asm.Word),
			asm.Mov.Reg(asm.R2, asm.RFP),
			asm.Add.Imm(asm.R2, -4),
			asm.LoadMapPtr(asm.R1, variable.FD()),
			asm.FnMapLookupElem.Call(),
			asm.JEq.Imm(asm.R0, 0, "pass"),
			asm.Mov.Reg(address, asm.R0),

			// if end < now { end = now } else if end > now+burst { drop }
			asm.FnKtimeGetNs.Call(),
			asm.LoadMem(end, address, 0, asm.DWord),
			asm.JGE.Reg(end, now, "ahead"),
			asm.StoreMem(address, 0, now, asm.DWord),
			asm.Ja.Label("count"),
			asm.Add.Imm(now, int32(burst)).WithSymbol("ahead"),
			asm.JGT.Reg(end, now, "drop"),

			// end += interval
			asm.Mov.Imm(asm.R1, int32(interval)).WithSymbol("count"),
			asm.AddAtomic.Mem(address, asm.R1, asm.DWord, 0),

			asm.Mov.Imm(asm.R0, passed).WithSymbol("pass"),
			asm.Return(),
			asm.Mov.Imm(asm.R0, dropped).WithSymbol("drop"),
			asm.Return(),
		},
	})
}
