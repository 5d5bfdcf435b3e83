package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/inventory"
	"aloft.dev/aloft/internal/reachability"
	"aloft.dev/aloft/internal/view"
)

// Names of places that people use.
const (
	placeHere     = "here"
	placeBalancer = "balancer"
)

type whyOptions struct {
	*global
	from, to string
	dir      string
	noProbe  bool
}

func newWhyCommand(g *global, run func(context.Context, *whyOptions) error) *cobra.Command {
	o := &whyOptions{global: g}
	c := &cobra.Command{
		Use:   "why FROM TO:PORT [DIR]",
		Short: "Say whether one place can reach another over TCP, and what decides",
		Long: `Follows a connection hop by hop over what the cloud describes: security groups and network
ACLs in both directions, routes, gateways, public addresses, load balancers and their
targets. It names the rule that decides, and the smallest change that would allow the
connection. It changes nothing.

FROM and TO are servers (server-1), instances, network interfaces, addresses, balancer or
the application's domain, internet (any address there) or here (this computer).

With --on aws it adds what Reachability Analyzer has found of the same paths, if there
are analyses: it makes none, for they cost money.

On the local cloud it also asks the kernel: on which addresses the target listens, what a
connection from FROM really meets, and how many packets each firewall dropped meanwhile.

Exit code 0: TO can be reached; 3: it cannot, or nobody can say.`,
		Example: `  aloft why here balancer:80
  aloft why server-1 server-2:5432
  aloft why internet server-1:22 --json | jq .decided
  aloft why i-0123456789abcdef0 10.0.2.7:6379 --on aws`,
		Args: cobra.RangeArgs(2, 3),
		RunE: func(c *cobra.Command, args []string) error {
			o.from, o.to, o.dir = args[0], args[1], folder(args[2:])
			return run(c.Context(), o)
		},
	}
	c.Flags().BoolVar(&o.noProbe, "no-probe", false, "do not connect to TO; only read")
	addFromFlag(c, g)
	return c
}

func runWhy(ctx context.Context, o *whyOptions) error {
	name, port, err := splitTarget(o.to)
	if err != nil {
		return err
	}
	d, err := o.openFolder(ctx, o.dir, nil)
	if err != nil {
		return err
	}
	status, err := d.Status(ctx)
	if err != nil {
		return err
	}
	all, err := inventory.Read(ctx, inventory.Source{Region: d.client.Region, EC2: d.client.EC2, ELB: d.client.ELB})
	if err != nil {
		return err
	}
	to, err := o.place(ctx, status, name)
	if err != nil {
		return err
	}
	from, err := o.place(ctx, status, o.from)
	if err != nil {
		return err
	}
	answer, err := reachability.Find(all, from, to, port)
	if err != nil {
		return explainPlace(err, status)
	}
	if o.probe != nil {
		if err := answer.Observe(func(p *reachability.Path) (*reachability.Facts, error) {
			return o.probe(ctx, p, !o.noProbe)
		}); err != nil {
			return err
		}
	}
	if o.on == "aws" {
		o.analyze(ctx, d, answer)
	}
	if o.json {
		err = view.JSON(o.Out, answer)
	} else {
		o.printAnswer(o.Out, answer)
	}
	if err == nil && !answer.Reachable() {
		return exit(ExitNotVerified)
	}
	return err
}

// analyze adds the analyses of Reachability Analyzer that exist. The answer is complete without
// them, so that they cannot be read is not an error.
func (o *whyOptions) analyze(ctx context.Context, d *deployment, a *reachability.Answer) {
	err := a.Analyze(func(from, to []string) ([]inventory.Analysis, error) {
		return inventory.ReadAnalyses(ctx, d.client.EC2, from, to)
	})
	if err != nil {
		_, _ = fmt.Fprintln(o.Err, diag.Printable(err.Error()))
	}
}

// splitTarget parses TO:PORT.
func splitTarget(text string) (name string, port uint16, err error) {
	name, number, err := net.SplitHostPort(text)
	if err == nil {
		var n uint64
		n, err = strconv.ParseUint(number, 10, 16)
		port = uint16(n)
	}
	if err != nil || name == "" || port == 0 {
		return "", 0, diag.List{{
			Where: text, Summary: "is not a place with a port", Hint: "for example: aloft why here server-1:22",
			Cause: err,
		}}
	}
	return name, port, nil
}

// place returns the place that a person's name for it refers to.
func (g *global) place(ctx context.Context, s *apply.Status, name string) (reachability.Place, error) {
	p := reachability.Place{Name: name, Ref: name}
	for _, m := range s.Machines {
		if m.Name == name {
			p.Ref = m.InstanceID
			return p, nil
		}
	}
	switch {
	case name == placeBalancer || slices.Contains(s.Domains, name) || s.DNSName == name && name != "":
		if s.LoadBalancerARN == "" {
			return p, diag.List{{Where: name, Summary: s.App + " has no load balancer", Hint: "aloft up creates it"}}
		}
		p.Ref = s.LoadBalancerARN
	case name == placeHere:
		address, err := g.addressHere(ctx, s)
		if err != nil {
			return p, err
		}
		p.Ref, p.Name = address.String(), name+" ("+address.String()+")"
	}
	return p, nil
}

// addressHere returns the address from which the cloud sees this computer.
func (g *global) addressHere(ctx context.Context, s *apply.Status) (netip.Addr, error) {
	i := slices.IndexFunc(s.Machines, func(m apply.Machine) bool { return m.PublicIP != "" })
	target := netip.IPv6Unspecified()
	if i >= 0 {
		target, _ = netip.ParseAddr(s.Machines[i].PublicIP)
	}
	if source, err := g.source(); err != nil {
		return netip.Addr{}, err
	} else if target.Is4() || len(g.from) > 0 {
		all, err := source(ctx, target)
		if err != nil {
			return netip.Addr{}, err
		}
		return all[0].Addr(), nil
	}
	return netip.Addr{}, diag.List{{
		Where: placeHere, Summary: "nobody knows the address from which the cloud sees this computer",
		Hint: "name it: --from ADDRESS, or use internet", Detail: "no server has a public address",
	}}
}

// explainPlace explains an error of reachability.Find.
func explainPlace(err error, s *apply.Status) error {
	var unknown *reachability.UnknownPlaceError
	names := []string{}
	for _, m := range s.Machines {
		names = append(names, m.Name)
	}
	names = append(names, placeBalancer, reachability.Internet, placeHere)
	hint := "the places of " + s.App + ": " + strings.Join(names, ", ") + "; or an id or an address"
	switch {
	case errors.As(err, &unknown):
		return diag.List{{
			Where: unknown.Place.Name, Summary: "is no machine, address or load balancer in " + s.Region,
			Hint: hint, Cause: err,
		}}
	case errors.Is(err, reachability.ErrOutside):
		return diag.List{{Where: "aloft why", Summary: "neither end is in the cloud", Hint: hint, Cause: err}}
	}
	return err
}

// printAnswer prints the paths of an answer, hop by hop.
func (o *whyOptions) printAnswer(w io.Writer, a *reachability.Answer) {
	style := o.style(w)
	title := a.From + " → " + a.Target()
	switch a.State {
	case reachability.Allows:
		_, _ = fmt.Fprintln(w, style.Good("✓ ")+style.Strong(title)+": can be reached")
	case reachability.Unknown:
		_, _ = fmt.Fprintln(w, style.Warn("? ")+style.Strong(title)+": nobody can say"+decision(a))
	default:
		_, _ = fmt.Fprintln(w, style.Bad("✗ ")+style.Strong(title)+": cannot be reached"+decision(a))
	}
	for _, stage := range a.Stages {
		for i := range stage.Paths {
			o.printPath(w, &stage.Paths[i])
		}
	}
	for _, found := range a.Analyses {
		said := style.Good("✓ ") + "can be reached"
		if !found.Reachable {
			said = style.Bad("✗ ") + "cannot be reached: " + strings.Join(found.Reasons, ", ")
		}
		_, _ = fmt.Fprintf(w, "\nReachability Analyzer, %s, %s → %s: %s\n", found.At.Format("2006-01-02 15:04:05 UTC"),
			found.From, found.To, said)
	}
	if len(a.Fixes) > 0 {
		_, _ = fmt.Fprintln(w, "\nThis would allow it:")
		for _, fix := range a.Fixes {
			_, _ = fmt.Fprintln(w, "  "+style.Name(fix))
		}
	}
}

// decision names what decides.
func decision(a *reachability.Answer) string {
	if a.Decided == nil {
		return ""
	}
	return fmt.Sprintf(", because of %s %s", kindTitles[a.Decided.Kind], a.Decided.ID)
}

// kindTitles are the words for kinds of hops.
var kindTitles = map[reachability.Kind]string{
	reachability.Machine: "machine", reachability.GroupOut: "group, out", reachability.GroupIn: "group, in",
	reachability.ACLOut: "ACL, out", reachability.ACLIn: "ACL, in", reachability.Route: "route",
	reachability.Gateway: "gateway", reachability.NAT: "NAT", reachability.Address: "address",
	reachability.Listener: "listener", reachability.Health: "health", reachability.Socket: "socket",
}

func (o *whyOptions) printPath(w io.Writer, p *reachability.Path) {
	style := o.style(w)
	to := endText(p.To) + " port " + strconv.Itoa(int(p.Port))
	_, _ = fmt.Fprintf(w, "\n%s → %s\n", endText(p.From), style.Strong(to))
	var rows [][]string
	for _, h := range p.Hops {
		mark := style.Good("✓")
		switch h.State {
		case reachability.Blocks:
			mark = style.Bad("✗")
		case reachability.Unknown:
			mark = style.Warn("?")
		}
		reason := diag.Printable(h.Reason)
		if h.Dropped != nil && h.Dropped.After > 0 {
			reason += fmt.Sprintf(" (packets dropped: %d before the probe, %d after)",
				h.Dropped.Before, h.Dropped.After)
		}
		id := h.ID
		if i := strings.LastIndex(id, ":"); i >= 0 {
			id = id[i+1:] // an ARN's last part says enough
		}
		rows = append(rows, []string{"  " + mark, kindTitles[h.Kind], id, h.Rule, reason})
	}
	style.Table(w, rows)
	if p.Probe != nil {
		_, _ = fmt.Fprintf(w, "  a connection from there: %s after %.1f ms\n", p.Probe.Outcome, p.Probe.Millis)
	}
}

// endText names an end of a path with its address and its interface.
func endText(e reachability.End) string {
	text := cmp.Or(e.Name, e.Interface)
	var more []string
	for _, s := range []string{e.Address, e.Interface} {
		if s != "" && !strings.Contains(text, s) {
			more = append(more, s)
		}
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	return text
}
