package cli

import (
	"context"
	"fmt"
	"io"
	"net/netip"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/verify"
	"aloft.dev/aloft/internal/view"
)

func (a *app) verifyCommand() *cobra.Command {
	var zones bool
	var f drillFlags
	c := &cobra.Command{
		Use:   "verify [DIR]",
		Short: "Prove from outside that every server in every zone serves, and only where it should",
		Long: `Asks the application for its page under its name, looks at every server's health and
knocks at ports that must be closed. Exit code 0: all checks hold; 3: one does not.

With --zones it cuts off one zone after the other instead, under load (aloft drill
zone): the application survives the loss of any zone, or the exit code is 4.`,
		Example: "  aloft verify\n  aloft verify --zones --rate 300\n  aloft verify --json | jq '.checks[] | select(.ok | not)'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			if zones {
				return a.verifyZones(ctx, folder(args), f)
			}
			d, err := a.open(ctx, folder(args), false, nil)
			if err != nil {
				return err
			}
			if err := a.afterDrill(ctx, d, looks); err != nil {
				return err
			}
			status, err := d.deployed(ctx)
			if err != nil {
				return err
			}
			report := d.verify(ctx, status)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if a.json {
				err = view.JSON(a.Out, report)
			} else {
				a.checks(a.Out, report)
			}
			if err == nil && !report.OK() {
				return exit(ExitNotVerified)
			}
			return err
		},
	}
	c.Flags().BoolVar(&zones, "zones", false, "cut off every zone in turn, under load, and hold each against its bound")
	f.loadFlags(c.Flags())
	return c
}

// verify looks at what stands of a deployment from outside.
func (d *deployment) verify(ctx context.Context, s *apply.Status) verify.Report {
	facts := verify.Facts{Spec: d.spec, DNSName: s.DNSName, TargetGroupARN: s.TargetGroupARN}
	for _, m := range s.Machines {
		if m.Lifecycle != "" && m.Lifecycle != "InService" {
			facts.Passing = append(facts.Passing, m.InstanceID)
			continue
		}
		// An address that is not there is the zero Addr, which the checks tell.
		private, _ := netip.ParseAddr(m.PrivateIP)
		public, _ := netip.ParseAddr(m.PublicIP)
		facts.Servers = append(
			facts.Servers,
			verify.Server{Name: m.Name, InstanceID: m.InstanceID, Zone: m.Zone, PrivateIP: private, PublicIP: public},
		)
		if public.IsValid() && !facts.From.IsValid() {
			// Not known is an answer, too: what depends on it is then not judged.
			if from, err := apply.Egress(ctx, public); err == nil {
				facts.From = from.Addr()
			}
		}
	}
	return verify.Verifier{Health: d.client.ELB}.Run(ctx, facts)
}

// checks prints what was looked at, a line each.
func (a *app) checks(w io.Writer, report verify.Report) {
	style := a.style(w)
	_, _ = fmt.Fprintln(w, style.Strong(report.URL))
	for _, c := range report.Checks {
		mark := style.Good("✓")
		if !c.OK {
			mark = style.Bad("✗")
		}
		_, _ = fmt.Fprintf(w, "%s %s: %s %s\n", mark, c.Name, c.Detail, style.Faint("("+view.Duration(c.Elapsed)+")"))
	}
}
