package cli

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/verify"
	"aloft.dev/aloft/internal/view"
)

type verifyOptions struct {
	*global
	dir   string
	zones bool
	load  loadFlags
}

func newVerifyCommand(g *global, run func(context.Context, *verifyOptions) error) *cobra.Command {
	o := &verifyOptions{global: g}
	c := &cobra.Command{
		Use:   "verify [DIR]",
		Short: "Prove from outside that every server in every zone serves, and only where it should",
		Long: `Requests the application under its DNS name, checks the health of every server, and
connects to ports that must be closed. Exit code 0: all checks passed; 3: one failed.
It waits up to three minutes for a new DNS name. Requests count as uneven only if chance
spreads them so in less than one of a million runs. Ports for which a firewall or proxy
on the way answers are not judged.

With --zones it cuts off one zone after another under load instead (aloft drill zone).
Exit code 0: the application survives the loss of any zone; 4: it does not.`,
		Example: `  aloft verify
  aloft verify --zones --rate 300
  aloft verify --json | jq '.checks[] | select(.ok | not)'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = folder(args)
			return run(c.Context(), o)
		},
	}
	c.Flags().BoolVar(&o.zones, "zones", false, "cut off each zone in turn, under load, and compare it with its bound")
	o.load.add(c.Flags())
	addFromFlag(c, g)
	return c
}

func runVerify(ctx context.Context, o *verifyOptions) error {
	if o.zones {
		return o.verifyZones(ctx)
	}
	d, err := o.openFolder(ctx, o.dir, nil)
	if err != nil {
		return err
	}
	if err := o.handleUnfinishedDrill(ctx, d, willRead); err != nil {
		return err
	}
	status, err := d.deployedStatus(ctx)
	if err != nil {
		return err
	}
	report := o.verify(ctx, d, status, func(message string) { _, _ = fmt.Fprintln(o.Err, message) })
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if o.json {
		err = view.JSON(o.Out, report)
	} else {
		o.printChecks(o.Out, report)
	}
	if err == nil && !report.OK() {
		return exit(ExitNotVerified)
	}
	return err
}

// verify checks a deployment from outside. waiting is called when a check has to wait.
func (g *global) verify(
	ctx context.Context, d *deployment, s *apply.Status, waiting func(string),
) verify.Report {
	facts := verify.Facts{
		Spec: d.spec, DNSName: s.DNSName, Problem: s.Problem, TargetGroupARN: s.TargetGroupARN,
	}
	for _, m := range s.Machines {
		if m.Lifecycle != "" && m.Lifecycle != "InService" {
			facts.Transient = append(facts.Transient, m.InstanceID)
			continue
		}
		// A missing address becomes the zero Addr, which the checks report.
		private, _ := netip.ParseAddr(m.PrivateIP)
		public, _ := netip.ParseAddr(m.PublicIP)
		facts.Servers = append(facts.Servers, verify.Server{
			Name: m.Name, InstanceID: m.InstanceID, Zone: m.Zone, PrivateIP: private, PublicIP: public,
		})
		if public.IsValid() && !facts.From.IsValid() {
			// If the address is unknown, the checks skip what depends on it.
			if from, err := g.ownAddress(ctx, public); err == nil {
				facts.From = from
			}
		}
	}
	return verify.Verifier{
		Health: d.client.ELB, Dial: g.dial, Waiting: waiting, Roots: g.roots(), Patience: g.patience,
	}.Run(ctx, facts)
}

// ownAddress returns the address from which a server sees this computer. It is the zero
// Addr if that may be one of several.
func (g *global) ownAddress(ctx context.Context, server netip.Addr) (netip.Addr, error) {
	source, err := g.source()
	if err != nil {
		return netip.Addr{}, err
	}
	all, err := source(ctx, server)
	if err != nil || len(all) != 1 || !all[0].IsSingleIP() {
		return netip.Addr{}, err
	}
	return all[0].Addr(), nil
}

// verifyAsStep verifies a deployment as the last step of a run.
func (g *global) verifyAsStep(ctx context.Context, d *deployment, s *apply.Status, events event.Sink) verify.Report {
	span := events.Begin(event.Event{
		Address: "verify",
		Step:    "22",
		Message: "check that every server in every zone serves, and only where it should",
	})
	report := g.verify(ctx, d, s, func(message string) {
		events(event.Event{Time: time.Now(), Kind: event.Progress, Address: "verify", Message: message})
	})
	failed := report.Failed()
	if len(failed) == 0 {
		span.Done(fmt.Sprintf("all %d checks passed", len(report.Checks)))
		return report
	}
	names := make([]string, len(failed))
	for i, c := range failed {
		names[i] = c.Name
	}
	span.Fail("checks failed: " + strings.Join(names, ", "))
	return report
}

// printChecks prints one line per check.
func (g *global) printChecks(w io.Writer, report verify.Report) {
	style := g.style(w)
	_, _ = fmt.Fprintln(w, style.Strong(report.URL))
	for _, c := range report.Checks {
		mark, detail := style.Good("✓"), diag.Printable(c.Detail)
		if !c.OK {
			mark = style.Bad("✗")
		}
		_, _ = fmt.Fprintf(w, "%s %s: %s %s\n", mark, c.Name, detail, style.Faint("("+view.Duration(c.Elapsed)+")"))
	}
}
