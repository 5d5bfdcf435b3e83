//go:build linux

package firewall

import (
	"hash/fnv"
	"net/netip"
	"strconv"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// slotCount is over how many slots the targets of a service are spread. It is a prime, as
// distribute needs, and so much larger than a usual number of targets that their shares
// differ little.
const slotCount = 251

// distribute gives each slot one of the targets, each target as many as another or one more.
// When targets come or go, few of the other targets' slots change their target, so a client
// that always has the same slot rarely changes its (Eisenbud et al., Maglev: A Fast and
// Reliable Software Network Load Balancer, section 3.4).
func distribute(targets []netip.AddrPort) [slotCount]netip.AddrPort {
	var slots [slotCount]netip.AddrPort
	next := make([]int, len(targets)) // how many slots of its sequence a target has tried
	for free := slotCount; free > 0; {
		for i, t := range targets {
			if free == 0 {
				break
			}
			first, step := hashOf(t, "first")%slotCount, hashOf(t, "step")%(slotCount-1)+1
			for {
				slot := (first + uint64(next[i])*step) % slotCount
				next[i]++
				if !slots[slot].IsValid() {
					slots[slot] = t
					free--
					break
				}
			}
		}
	}
	return slots
}

func hashOf(t netip.AddrPort, salt string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(salt + " " + t.String()))
	return h.Sum64()
}

// ports is the source port and the destination port of TCP and UDP.
var ports = field{
	text: "th sport . th dport", datatype: nftables.SetDatatype{Bytes: 4},
	load: func(register uint32) expr.Any {
		return &expr.Payload{DestRegister: register, Base: transport, Offset: 0, Len: 4}
	},
}

// slotOf is the slot of a packet, one of so many: a hash of fields whose sizes are multiples of four
// bytes.
type slotOf struct {
	fields []field
	count  uint32
}

func (s slotOf) text() string {
	parts := make([]string, 0, len(s.fields))
	for _, f := range s.fields {
		parts = append(parts, f.text)
	}
	return "jhash " + strings.Join(parts, " . ") + " mod " + strconv.Itoa(int(s.count))
}

// exprs loads the slot into the first register.
func (s slotOf) exprs() []expr.Any {
	var all []expr.Any
	var size uint32
	for _, f := range s.fields {
		all = append(all, f.load(unix.NFT_REG32_00+size/4)) // next to each other, as the hash reads them
		size += f.datatype.Bytes
	}
	return append(all, &expr.Hash{
		SourceRegister: unix.NFT_REG32_00, DestRegister: unix.NFT_REG32_00, Length: size,
		Modulus: s.count, Type: expr.HashTypeJenkins,
	})
}

// chooseSlot applies the verdict that a map has for the slot of a packet.
type chooseSlot struct {
	fields []field
	set    string
}

func (c chooseSlot) slot() slotOf { return slotOf{c.fields, slotCount} }

func (c chooseSlot) text() string { return c.slot().text() + " vmap @" + c.set }

func (c chooseSlot) exprs() []expr.Any {
	return append(c.slot().exprs(), &expr.Lookup{
		SourceRegister: unix.NFT_REG32_00, SetName: c.set, IsDestRegSet: true, DestRegister: unix.NFT_REG_VERDICT,
	})
}

// inFirstSlot matches the packets of the first of so many slots.
type inFirstSlot slotOf

func (m inFirstSlot) text() string { return slotOf(m).text() + " == 0" }

func (m inFirstSlot) exprs() []expr.Any {
	return append(slotOf(m).exprs(), &expr.Cmp{
		Op: expr.CmpOpEq, Register: unix.NFT_REG32_00, Data: binaryutil.NativeEndian.PutUint32(0),
	})
}
