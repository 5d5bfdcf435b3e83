//go:build linux

package firewall

import (
	"hash/fnv"
	"net/netip"
	"strconv"
	"strings"

	"github.com/google/nftables"
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

// chooseSlot applies the verdict that a map has for the slot of a packet, which is a hash of
// fields whose sizes are multiples of four bytes.
type chooseSlot struct {
	fields []field
	set    string
}

func (c chooseSlot) text() string {
	parts := make([]string, 0, len(c.fields))
	for _, f := range c.fields {
		parts = append(parts, f.text)
	}
	return "jhash " + strings.Join(parts, " . ") + " mod " + strconv.Itoa(slotCount) + " vmap @" + c.set
}

func (c chooseSlot) exprs() []expr.Any {
	var all []expr.Any
	var size uint32
	for _, f := range c.fields {
		all = append(all, f.load(unix.NFT_REG32_00+size/4)) // next to each other, as the hash reads them
		size += f.datatype.Bytes
	}
	return append(all,
		&expr.Hash{
			SourceRegister: unix.NFT_REG32_00, DestRegister: unix.NFT_REG32_00, Length: size,
			Modulus: slotCount, Type: expr.HashTypeJenkins,
		},
		&expr.Lookup{
			SourceRegister: unix.NFT_REG32_00, SetName: c.set, IsDestRegSet: true, DestRegister: unix.NFT_REG_VERDICT,
		},
	)
}
