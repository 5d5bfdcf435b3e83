package cli

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

// change returns what the flags change.
func (r *reachFlags) change() (change host.ReachChange, err error) {
	if r.givenProxy {
		change.LoopbackProxy = &r.proxy
	}
	if !r.givenPrivate {
		return change, nil
	}
	ranges := []netip.Prefix{}
	for _, text := range r.private {
		prefix, err := netip.ParsePrefix(text)
		if address, addressErr := netip.ParseAddr(text); addressErr == nil {
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil || !prefix.Addr().Is4() {
			return change, diag.List{{
				Where:   "--" + allowPrivateFlag,
				Summary: fmt.Sprintf("%q is not a range of IPv4 addresses", text),
				Hint:    "for example --allow-private 10.1.0.0/16,192.168.7.20/32",
			}}
		}
		ranges = append(ranges, prefix.Masked())
	}
	change.Private = &ranges
	return change, nil
}

// arguments returns the flags as arguments, without those that were not given.
func (r *reachFlags) arguments() (args []string) {
	if r.givenPrivate {
		args = append(args, "--"+allowPrivateFlag+"="+strings.Join(r.private, ","))
	}
	if r.givenProxy {
		args = append(args, "--"+allowProxyFlag+"="+strconv.FormatBool(r.proxy))
	}
	return args
}

// mirrorsOfHost returns the places that this user's tools fetch toolchains and packages from.
func mirrorsOfHost() spec.Mirrors { return mirrors(spec.Mirrors{}, os.Getenv, os.ReadFile) }

// registries returns the URLs of mirrors.
func registries(m spec.Mirrors) []string {
	var urls []string
	for _, url := range []string{m.Node, m.NPM, m.Python, m.Go} {
		if url != "" {
			urls = append(urls, url)
		}
	}
	return urls
}

// noteProxy says that machines do not use the proxy on this computer's loopback.
func (g *global) noteProxy(config cloud.Config) {
	reach, err := host.ReadReach(config.Layout)
	if err != nil || reach.LoopbackProxy || !cloud.HasLoopbackProxy(config.HostEnv) {
		return
	}
	_, _ = fmt.Fprintf(g.Err,
		"  Machines do not use this computer's proxy, because it is on loopback: through it they\n"+
			"  could reach every service here. To allow it: %s.\n",
		g.style(g.Err).Name("sudo aloft local restart --allow-proxy"))
}
