package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aloft.dev/aloft/internal/diag"
)

const rootHelp = `Aloft keeps a backend up. One command takes an application from its source to servers in
three Availability Zones behind a load balancer, on AWS or on the local cloud: the AWS
that Aloft runs on this computer.`

const rootExamples = `  aloft init                 write aloft.yaml for the application in this folder
  aloft plan                 show what up would change
  aloft up                   deploy on the local cloud
  aloft up --on aws          deploy on AWS
  aloft rollback             return to the previous release
  aloft status               show the servers, their health and the URL
  aloft down                 delete everything`

// newRootCommand returns the command aloft with all commands below it.
func newRootCommand(g *global) *cobra.Command {
	root := &cobra.Command{
		Use:               "aloft",
		Short:             "Highly available, secure, scalable: from source to servers in one command",
		Long:              rootHelp,
		Example:           rootExamples,
		Version:           g.version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return g.check() },
	}
	root.SetOut(g.Out)
	root.SetErr(g.Err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return diag.List{{Summary: err.Error(), Hint: "see " + c.CommandPath() + " --help", Cause: err}}
	})
	addGlobalFlags(root.PersistentFlags(), g)
	addGroup(
		root,
		"The application",
		newInitCommand(g, runInit),
		newPlanCommand(g, runPlan),
		newCostCommand(g, runCost),
		newUpCommand(g, runUp),
		newPromoteCommand(g, runPromote),
		newReleasesCommand(g, runReleases),
		newRollbackCommand(g, runRollback),
		newEnvCommand(g, runEnvList, runEnvChange),
		newStatusCommand(g, runStatus),
		newScaleCommand(g, runScale),
		newVerifyCommand(g, runVerify),
		newWhyCommand(g, runWhy),
		newConsoleCommand(g, runConsole),
		newDrillCommand(g, runDrill),
		newSSHCommand(g, runSSH),
		newLogsCommand(g, runLogs),
		newDownCommand(g, runDown),
		newAdoptCommand(g, runAdopt),
		newExportCommand(g, runExport),
		newPolicyCommand(g, runPolicy),
	)
	addGroup(root, "The local cloud", newLocalCommand(g))
	explainArguments(root)
	return root
}

func addGlobalFlags(flags *pflag.FlagSet, g *global) {
	flags.StringVar(&g.on, "on", g.on, "the `CLOUD` to use: local or aws")
	flags.StringVar(&g.region, "region", "", "the AWS `REGION`, in place of aloft.yaml's")
	flags.StringVar(&g.stage, "stage", "", "the `STAGE` of the application, one of stages in aloft.yaml")
	flags.StringVar(&g.profile, "profile", "", "the `PROFILE` in the AWS configuration files, with --on aws")
	flags.StringVar(&g.endpoint, "endpoint", "", "the `URL` of another AWS than Amazon's, with --on aws")
	flags.StringVar(&g.stateDir, "state-dir", defaultStateDir, "the `FOLDER` of the local cloud's state")
	flags.BoolVar(&g.json, "json", false,
		"print results as JSON on standard output, events as JSON lines on standard error")
	flags.BoolVar(&g.noColor, "no-color", false, "print without colours (NO_COLOR does the same)")
	flags.BoolVarP(&g.yes, "yes", "y", false, "do not ask for confirmation")
}

// addGroup adds commands that the help lists under a title of their own.
func addGroup(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title + ":"})
	for _, c := range commands {
		c.GroupID = title
	}
	root.AddCommand(commands...)
}
