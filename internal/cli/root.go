package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/cloud"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

// app is one run of the program: its streams and global flags.
type app struct {
	Stdio
	version string

	on       string
	region   string
	profile  string
	stateDir string
	json     bool
	noColor  bool
	yes      bool
	ref      string // of up and plan: instead of the spec's
}

const rootHelp = `Aloft keeps a backend up: one command takes an application from its source to three
servers in three Availability Zones behind a load balancer, on AWS or on the AWS that
Aloft runs on this machine.`

const rootExamples = `  aloft init                 write aloft.yaml for the application in this folder
  aloft plan                 show what up would do
  aloft up                   do it, on the local cloud
  aloft up --on aws          do it on AWS
  aloft rollback             back to the release before
  aloft status               the servers, their health and the URL
  aloft down                 remove everything`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "aloft",
		Short:         "Highly available, secure, scalable: from source to servers in one command",
		Long:          rootHelp,
		Example:       rootExamples,
		Version:       a.version,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if a.on != "local" && a.on != "aws" {
				return diag.List{{Where: "--on " + a.on, Summary: "is not a cloud", Hint: "use --on local or --on aws"}}
			}
			if a.region != "" && !spec.ValidRegion(a.region) {
				return diag.List{
					{
						Where:   "--region " + a.region,
						Summary: "is not an AWS region",
						Hint:    "for example: --region eu-central-1",
					},
				}
			}
			return nil
		},
	}
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return diag.List{{Summary: err.Error(), Hint: "see " + c.CommandPath() + " --help", Cause: err}}
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.on, "on", "local", "`CLOUD` to work on: local or aws")
	flags.StringVar(&a.region, "region", "", "AWS `REGION`; the spec's by default")
	flags.StringVar(&a.profile, "profile", "", "`PROFILE` of the AWS configuration files, with --on aws")
	flags.StringVar(&a.stateDir, "state-dir", cloud.DefaultStateDir, "`FOLDER` of the local cloud's state")
	flags.BoolVar(
		&a.json,
		"json",
		false,
		"print results as JSON on standard output, events as JSON lines on standard error",
	)
	flags.BoolVar(&a.noColor, "no-color", false, "print without colours (NO_COLOR does the same)")
	flags.BoolVarP(&a.yes, "yes", "y", false, "do not ask")
	addGroup(
		root,
		"The application",
		a.initCommand(),
		a.planCommand(),
		a.upCommand(),
		a.releasesCommand(),
		a.rollbackCommand(),
		a.statusCommand(),
		a.scaleCommand(),
		a.verifyCommand(),
		a.drillCommand(),
		a.sshCommand(),
		a.logsCommand(),
		a.downCommand(),
	)
	addGroup(root, "The local cloud", a.localCommand())
	explainArguments(root)
	return root
}

// addGroup adds commands that the help shows under a title of their own.
func addGroup(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title + ":"})
	for _, c := range commands {
		c.GroupID = title
	}
	root.AddCommand(commands...)
}

// explainArguments lets all commands say what they expect when their arguments do
// not fit, and those that only hold others refuse names that are not theirs.
func explainArguments(c *cobra.Command) {
	fits := c.Args
	if !c.Runnable() && c.HasParent() { // cobra does it for the root
		c.DisableFlagsInUseLine = true
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		fits = func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := "see " + c.CommandPath() + " --help"
			if near := spec.Nearest(args[0], subcommands(c)); near != "" {
				hint = "did you mean " + c.CommandPath() + " " + near + "? " + hint
			}
			return diag.List{{Summary: fmt.Sprintf("unknown command %q for %s", args[0], c.CommandPath()), Hint: hint}}
		}
	}
	if fits != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			err := fits(c, args)
			var told diag.List
			if err == nil || errors.As(err, &told) {
				return err
			}
			return diag.List{{Where: c.CommandPath(), Summary: err.Error(), Hint: "usage: " + c.UseLine(), Cause: err}}
		}
	}
	for _, sub := range c.Commands() {
		explainArguments(sub)
	}
}

func subcommands(c *cobra.Command) []string {
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return names
}

// style gives the colours for a stream: none when it is not a terminal or the
// user does not want them (no-color.org).
func (a *app) style(w io.Writer) view.Style {
	return view.Style{Color: !a.noColor && os.Getenv("NO_COLOR") == "" && isTerminal(w)}
}

// folder is the [DIR] argument of a command.
func folder(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}
