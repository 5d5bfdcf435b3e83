package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/adoption"
	"aloft.dev/aloft/internal/view"
)

type adoptOptions struct {
	*global
	dir string
}

func newAdoptCommand(g *global, run func(context.Context, *adoptOptions) error) *cobra.Command {
	o := &adoptOptions{global: g}
	return &cobra.Command{
		Use:   "adopt [DIR]",
		Short: "List what an account already has that looks like the application, and what it takes",
		Long: `Reads the account in one region and lists what somebody has made for the application
without Aloft: load balancers, target groups, Auto Scaling groups, instances and what
belongs to them, by names, tags and ports, and by the names in domain. For each it says
what becomes of it, and at the end what aloft.yaml would say. It changes nothing, not even
tags.`,
		Example: `  aloft adopt --on aws
  aloft adopt ./shop --on aws --region eu-central-1
  aloft adopt --on aws --json | jq -r .spec`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = folder(args)
			return run(c.Context(), o)
		},
	}
}

func runAdopt(ctx context.Context, o *adoptOptions) error {
	d, err := o.openFolder(ctx, o.dir, nil)
	if err != nil {
		return err
	}
	report, err := adoption.List(ctx, d.client, d.spec)
	if err != nil {
		return err
	}
	if o.json {
		return view.JSON(o.Out, report)
	}
	o.printAdoption(report)
	return nil
}

// printAdoption prints what was found, by what becomes of it.
func (g *global) printAdoption(r *adoption.Report) {
	style := g.style(g.Out)
	if len(r.Items) == 0 {
		_, _ = fmt.Fprintf(g.Out, "Nothing in %s looks like %s.\n", r.Region, style.Strong(r.App))
	}
	for _, fate := range []struct {
		fate  adoption.Fate
		title string
	}{
		{adoption.Used, "Can be used as it is:"},
		{adoption.Replaced, "Aloft makes its own beside it:"},
		{adoption.Moved, "Is moved by you, when the new application serves:"},
	} {
		g.printFate(style, r, fate.fate, fate.title)
	}
	if r.Spec != "" {
		_, _ = fmt.Fprintf(g.Out, "%s\n\n%s\n", style.Strong("In aloft.yaml this would be:"),
			strings.TrimRight("  "+strings.ReplaceAll(r.Spec, "\n", "\n  "), " \n"))
	}
	for _, action := range r.Unchecked {
		_, _ = fmt.Fprintf(g.Out, "\n%s not checked: %s is not allowed or not offered\n", style.Warn("–"), action)
	}
	_, _ = fmt.Fprintln(g.Out, "\nNothing was changed.")
}

func (g *global) printFate(style view.Style, r *adoption.Report, fate adoption.Fate, title string) {
	begun := false
	for _, item := range r.Items {
		if item.Fate != fate {
			continue
		}
		if !begun {
			_, _ = fmt.Fprintf(g.Out, "%s\n\n", style.Strong(title))
			begun = true
		}
		mark, name := style.Good("✓"), item.Name
		if !item.Likely {
			mark = style.Warn("?")
		}
		if name == "" || name == item.ID {
			name = item.ID
		} else if !strings.HasPrefix(item.ID, "arn:") {
			name += " (" + item.ID + ")"
		}
		_, _ = fmt.Fprintf(g.Out, "  %s %-18s %s: %s\n      %s\n",
			mark, item.Kind, style.Name(name), strings.Join(item.Why, "; "), item.Takes)
	}
	if begun {
		_, _ = fmt.Fprintln(g.Out)
	}
}
