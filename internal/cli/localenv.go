package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type localEnvOptions struct{ *global }

func newLocalEnvCommand(g *global, run func(context.Context, *localEnvOptions) error) *cobra.Command {
	o := &localEnvOptions{global: g}
	return &cobra.Command{
		Use:   "env",
		Short: "Print shell exports that make any AWS client use the local cloud",
		Long: `Prints the endpoint, the region and the credentials of the local cloud as environment
variables. --region sets the region.`,
		Example: `  eval "$(sudo aloft local env)"`,
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
}
