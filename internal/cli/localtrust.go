package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type localTrustOptions struct {
	*global
	remove bool
}

func newLocalTrustCommand(g *global, run func(context.Context, *localTrustOptions) error) *cobra.Command {
	o := &localTrustOptions{global: g}
	c := &cobra.Command{
		Use:   "trust",
		Short: "Make this computer trust the local cloud's certificates for names like api.example.localhost",
		Long: `Adds the local cloud's certificate authority to the system's store of certificates, and to
those of the user's Chromium and Firefox, so that curl and browsers open HTTPS names of
the local cloud without a warning. What is already there is left alone.

The authority can sign names below localhost, test, example, home.arpa and internal only.
Its certificate says so: nobody can use it for another site, whoever has its key.`,
		Example: "  sudo aloft local trust\n  sudo aloft local trust --remove",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	c.Flags().BoolVar(&o.remove, "remove", false, "remove the authority from all stores")
	return c
}
