//go:build linux

package network

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// namespace is an open network namespace with netlink sockets in it.
type namespace struct {
	path    string
	file    *os.File
	netlink *netlink.Handle
	ipv6    bool // its routes and rules of IPv6 count, too
}

// openNamespace opens the namespace at path with a netlink socket for routing and
// one for each of the other families.
func openNamespace(path string, families ...int) (*namespace, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open network namespace: %w", err)
	}
	handle, err := netlink.NewHandleAt(netns.NsHandle(file.Fd()), append(families, unix.NETLINK_ROUTE)...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open netlink in %s: %w", path, err), file.Close())
	}
	return &namespace{path: path, file: file, netlink: handle}, nil
}

// createNamespace pins a namespace at path unless one is there, applies the sysctls and opens
// it. A new namespace has no IPv6 until setIPv6 gives it to it.
func createNamespace(path string, settings ...[]sysctl) (*namespace, error) {
	if err := pin(path); err != nil {
		return nil, err
	}
	ipv6 := false
	err := inNamespace(path, func() error {
		for _, s := range settings {
			if err := writeSysctls(s); err != nil {
				return err
			}
		}
		if err := forgetFlows(); err != nil {
			return err
		}
		if !HasIPv6() {
			return nil
		}
		forwarding, err := readSysctl(ipv6Forwarding)
		if ipv6 = forwarding == "1"; ipv6 || err != nil {
			return err
		}
		return writeSysctls(disableIPv6)
	})
	if err != nil {
		return nil, err
	}
	n, err := openNamespace(path, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, err
	}
	n.ipv6 = ipv6
	if _, err := n.setUpLoopback(); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// HasIPv6 reports whether the kernel has IPv6.
func HasIPv6() bool {
	_, err := os.Stat("/proc/sys/net/ipv6")
	return err == nil
}

// setIPv6 makes the namespace forward IPv6, or not.
func (n *namespace) setIPv6(on bool) error {
	if n.ipv6 == on {
		return nil
	}
	settings := disableIPv6
	if on {
		settings = enableIPv6
	}
	if err := inNamespace(n.path, func() error { return writeSysctls(settings) }); err != nil {
		return err
	}
	n.ipv6 = on
	return nil
}

// removeIPv6 makes the namespace forward no IPv6 any more, and removes its firewall for it.
func (n *namespace) removeIPv6() error {
	if !n.ipv6 {
		return nil
	}
	if err := n.setIPv6(false); err != nil {
		return err
	}
	return firewall.Remove(n.fd(), nftTable, firewall.IPv6)
}

// families returns the kernel's numbers of the families that the namespace has.
func (n *namespace) families() []int {
	if n.ipv6 {
		return []int{netlink.FAMILY_V4, netlink.FAMILY_V6}
	}
	return []int{netlink.FAMILY_V4}
}

func (n *namespace) close() error {
	n.netlink.Close()
	return n.file.Close()
}

func (n *namespace) fd() int { return int(n.file.Fd()) }

// devices returns the namespace's devices by name.
func (n *namespace) devices() (map[string]netlink.Link, error) {
	links, err := n.netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list devices of %s: %w", n.path, err)
	}
	byName := make(map[string]netlink.Link, len(links))
	for _, link := range links {
		byName[link.Attrs().Name] = link
	}
	return byName, nil
}

// inNamespace runs do on a thread in the network namespace at path. Sockets that do
// opens stay in that namespace.
func inNamespace(path string, do func() error) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open network namespace: %w", err)
	}
	defer func() { _ = file.Close() }()
	return thread.RunDisposable(func() error {
		if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter network namespace %s: %w", path, err)
		}
		return do()
	})
}
