//go:build linux

package firewall

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// nfgenHeader is the size in bytes of the header of nftables' messages, struct nfgenmsg in
// linux/netfilter/nfnetlink.h.
const nfgenHeader = 4

// Generation returns a number that changes with every change of the rulesets of a network
// namespace, whoever makes it.
func Generation(namespace int) (uint32, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: namespace})
	if err != nil {
		return 0, fmt.Errorf("open nftables: %w", err)
	}
	defer func() { _ = conn.Close() }()
	messages, err := conn.Execute(netlink.Message{
		Header: netlink.Header{
			Type:  netlink.HeaderType(unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_GETGEN),
			Flags: netlink.Request,
		},
		Data: make([]byte, nfgenHeader),
	})
	if err != nil {
		return 0, fmt.Errorf("read the generation of the rulesets: %w", err)
	}
	for _, m := range messages {
		if len(m.Data) < nfgenHeader {
			continue
		}
		attributes, err := netlink.NewAttributeDecoder(m.Data[nfgenHeader:])
		if err != nil {
			return 0, fmt.Errorf("read the generation of the rulesets: %w", err)
		}
		attributes.ByteOrder = binary.BigEndian
		for attributes.Next() {
			if attributes.Type() == unix.NFTA_GEN_ID {
				return attributes.Uint32(), nil
			}
		}
	}
	return 0, errors.New("read the generation of the rulesets: the kernel returns none")
}
