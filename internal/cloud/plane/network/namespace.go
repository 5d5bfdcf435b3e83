package network

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namespace is a network namespace with netlink sockets in it.
type namespace struct {
	path    string
	file    *os.File
	netlink *netlink.Handle
}

// openNamespace opens the namespace at path for routing, and further netlink families.
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

func (p *namespace) close() error {
	p.netlink.Close()
	return p.file.Close()
}

func (p *namespace) fd() int { return int(p.file.Fd()) }

// devices lists the devices of the place by name.
func (p *namespace) devices() (map[string]netlink.Link, error) {
	links, err := p.netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list devices of %s: %w", p.path, err)
	}
	all := make(map[string]netlink.Link, len(links))
	for _, link := range links {
		all[link.Attrs().Name] = link
	}
	return all, nil
}
