package cli

import "github.com/spf13/cobra"

// newLocalCommand returns the command that holds those of the local cloud.
func newLocalCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "local",
		Short: "Manage the local cloud: the AWS that Aloft runs on this computer",
		Long: `The local cloud serves the AWS APIs on this computer and runs real machines, networks,
firewalls and load balancers for them. Every AWS client can use it.`,
		Example: `  sudo aloft local start
  eval "$(sudo aloft local env)"; aws ec2 describe-vpcs
  sudo aloft local stop`,
	}
	c.AddCommand(
		newLocalStartCommand(g, runLocalStart),
		newLocalStopCommand(g, runLocalStop),
		newLocalResetCommand(g, runLocalReset),
		newLocalLogsCommand(g, runLocalLogs),
		newLocalRestartCommand(g, runLocalRestart),
		newLocalStatusCommand(g, runLocalStatus),
		newLocalEnvCommand(g, runLocalEnv),
		newLocalMannersCommand(g, runLocalManners),
		newLocalImageCommand(g, runLocalImage),
		newLocalTrustCommand(g, runLocalTrust),
	)
	return c
}
