package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

type envOptions struct {
	*global
	dir  string
	show bool              // of list
	set  map[string]string // of set
	drop []string          // of unset
	file string            // of import; "-" for standard input
}

const envHelp = `Variables are kept in Parameter Store, encrypted, and in no image; servers read them when
they start. Those of aloft.yaml (env, env_file, secrets) follow the file at each aloft up.
Those that aloft env sets are only in the cloud. A change restarts the servers one after
the other, while the others serve: it builds nothing, is a release of its own in aloft
releases, and aloft rollback undoes it.`

func newEnvCommand(
	g *global, list func(context.Context, *envOptions) error, change func(context.Context, *envOptions) error,
) *cobra.Command {
	c := &cobra.Command{
		Use:   "env",
		Short: "List and change the application's environment variables",
		Long:  envHelp,
		Example: `  aloft env list
  aloft env set LOG_LEVEL=debug
  aloft env import .env`,
	}
	c.AddCommand(newEnvListCommand(g, list), newEnvSetCommand(g, change), newEnvUnsetCommand(g, change),
		newEnvImportCommand(g, change))
	return c
}

func newEnvListCommand(g *global, run func(context.Context, *envOptions) error) *cobra.Command {
	o := &envOptions{global: g}
	c := &cobra.Command{
		Use:   "list [DIR]",
		Short: "List the variables that servers read, and where they are from",
		Long: `Reads the variables from the cloud, as servers do when they start. Values are shown only
with --show; those of secrets never, because they stay where they are.`,
		Example: "  aloft env list\n  aloft env list --show\n  aloft env list --json | jq -r '.variables[].name'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = folder(args)
			return run(c.Context(), o)
		},
	}
	c.Flags().BoolVar(&o.show, "show", false, "also print the values")
	return c
}

func newEnvSetCommand(g *global, run func(context.Context, *envOptions) error) *cobra.Command {
	o := &envOptions{global: g}
	c := &cobra.Command{
		Use:   "set [DIR] NAME=VALUE...",
		Short: "Set variables, and restart the servers one after the other",
		Long: `Sets variables that are only in the cloud. A first argument without = is the folder. Your
shell may keep values of arguments in its history; aloft env import - reads lines from
standard input instead.`,
		Example: "  aloft env set LOG_LEVEL=debug\n  aloft env set ./shop TIER=free LIMIT=100",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			o.dir = "."
			if !strings.Contains(args[0], "=") {
				o.dir, args = args[0], args[1:]
			}
			if o.set, err = assignments(args); err != nil {
				return err
			}
			return run(c.Context(), o)
		},
	}
	addFromFlag(c, g)
	return c
}

// assignments parses NAME=VALUE arguments. Its errors do not contain values.
func assignments(args []string) (map[string]string, error) {
	all := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || !spec.ValidVariable(name) || strings.ContainsRune(value, 0) {
			return nil, diag.List{{
				Where: "aloft env set " + name, Summary: "is not an assignment to a variable",
				Hint: "for example: aloft env set LOG_LEVEL=debug",
			}}
		}
		all[name] = value
	}
	if len(all) == 0 {
		return nil, diag.List{{
			Where: "aloft env set", Summary: "no variable is given", Hint: "for example: aloft env set LOG_LEVEL=debug",
		}}
	}
	return all, nil
}

func newEnvUnsetCommand(g *global, run func(context.Context, *envOptions) error) *cobra.Command {
	o := &envOptions{global: g}
	c := &cobra.Command{
		Use:   "unset [DIR] NAME...",
		Short: "Remove variables that aloft env has set, and restart the servers one after the other",
		Long: `Removes variables that are only in the cloud. A first argument that cannot be the name of
a variable, such as ./shop, is the folder.`,
		Example: "  aloft env unset LOG_LEVEL\n  aloft env unset ./shop TIER LIMIT",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = "."
			if !spec.ValidVariable(args[0]) {
				o.dir, args = args[0], args[1:]
			}
			if o.drop = args; len(args) == 0 {
				return diag.List{{
					Where: "aloft env unset", Summary: "no variable is given",
					Hint: "for example: aloft env unset LOG_LEVEL",
				}}
			}
			return run(c.Context(), o)
		},
	}
	addFromFlag(c, g)
	return c
}

func newEnvImportCommand(g *global, run func(context.Context, *envOptions) error) *cobra.Command {
	o := &envOptions{global: g}
	c := &cobra.Command{
		Use:   "import [DIR] FILE",
		Short: "Set the variables of a file such as .env, and restart the servers one after the other",
		Long: `FILE has lines of NAME=value, as other tools read them from .env; - is standard input.
Variables that the file does not name stay as they are. The file is not needed afterwards.`,
		Example: `  aloft env import .env
  aloft env import ./shop shop/production.env
  pass show shop/env | aloft env import -`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			o.file, o.dir = args[len(args)-1], folder(args[:len(args)-1])
			return run(c.Context(), o)
		},
	}
	addFromFlag(c, g)
	return c
}

// variable is a variable as commands list it.
type variable struct {
	Name  string  `json:"name"`
	From  string  `json:"from"` // aloft.yaml, aloft env, or what a secret refers to
	Value *string `json:"value,omitempty"`
}

func runEnvList(ctx context.Context, o *envOptions) error {
	d, err := o.openFolder(ctx, o.dir, nil)
	if err != nil {
		return err
	}
	e, err := d.Environment(ctx)
	if err != nil {
		return err
	}
	all := []variable{}
	for _, name := range e.Names() {
		v := variable{Name: name, From: e.Secrets[name]}
		if v.From == "" {
			value, ok := e.Spec[name]
			if v.From = spec.FileName; !ok {
				value, v.From = e.Set[name], "aloft env"
			}
			if o.show {
				v.Value = &value
			}
		}
		all = append(all, v)
	}
	if o.json {
		return view.JSON(o.Out, map[string]any{"app": d.spec.App, "region": d.spec.Region, "variables": all})
	}
	o.printVariables(d.spec, all)
	return nil
}

func (o *envOptions) printVariables(s *spec.Spec, all []variable) {
	if len(all) == 0 {
		_, _ = fmt.Fprintf(o.Out, "%s has no variables in %s.\n", s.App, s.Region)
		return
	}
	rows := [][]string{{"NAME", "FROM"}}
	if o.show {
		rows[0] = append(rows[0], "VALUE")
	}
	for _, v := range all {
		row := []string{v.Name, v.From}
		if v.Value != nil {
			row = append(row, printable(*v.Value))
		} else if o.show {
			row = append(row, "")
		}
		rows = append(rows, row)
	}
	o.style(o.Out).Table(o.Out, rows)
}

// printable returns a value in one line, quoted if it has characters that are not.
func printable(value string) string {
	quoted := fmt.Sprintf("%q", value)
	if quoted[1:len(quoted)-1] == value {
		return value
	}
	return quoted
}

// readImport reads the variables of o.file.
func (o *envOptions) readImport() (map[string]string, error) {
	var text []byte
	var err error
	if o.file == "-" {
		text, err = io.ReadAll(o.In)
	} else {
		text, err = os.ReadFile(filepath.Clean(o.file))
	}
	if err != nil {
		return nil, diag.List{{
			Where: o.file, Summary: "cannot be read", Detail: err.Error(), Hint: "give a file with lines of NAME=value",
			Cause: err,
		}}
	}
	all, err := spec.ParseEnvFile(text)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("it has no variables")
	}
	if err != nil {
		return nil, diag.List{{
			Where: o.file, Summary: "is not a file of variables: " + err.Error(), Hint: "write lines of NAME=value",
			Cause: err,
		}}
	}
	for name, value := range all {
		if !spec.ValidVariable(name) || strings.ContainsRune(value, 0) {
			return nil, diag.List{{
				Where: o.file, Summary: fmt.Sprintf("%q is not the name of an environment variable", name),
				Hint: "use letters, digits and underscores",
			}}
		}
	}
	return all, nil
}

// runEnvChange carries out set, unset and import.
func runEnvChange(ctx context.Context, o *envOptions) error {
	began := time.Now()
	s, err := o.loadSpec(o.dir)
	if err != nil {
		return err
	}
	if o.file != "" {
		if o.set, err = o.readImport(); err != nil {
			return err
		}
	}
	if err := checkNotInSpec(s, slices.Concat(slices.Sorted(maps.Keys(o.set)), o.drop)); err != nil {
		return err
	}
	d, shown, err := o.openForChange(ctx, s, false)
	if err != nil {
		return err
	}
	status, changed, err := d.SetEnvironment(ctx, o.edit)
	if err := shown.end(ctx, err); err != nil {
		return err
	}
	if o.json {
		return view.JSON(o.Out, map[string]any{"changed": append([]string{}, changed...), "status": status})
	}
	style := o.style(o.Out)
	switch {
	case len(changed) == 0:
		_, _ = fmt.Fprintf(o.Out, "%s The variables are so already: nothing to do.\n", style.Good("✓"))
	case status == nil:
		_, _ = fmt.Fprintf(o.Out, "%s Changed %s. %s has no servers yet: %s starts them with it.\n", style.Good("✓"),
			strings.Join(changed, ", "), s.App, style.Name(o.nextCommand("aloft up", o.dir)))
	default:
		_, _ = fmt.Fprintf(o.Out, "%s Changed %s: all servers serve with it, after %s.\n\n", style.Good("✓"),
			strings.Join(changed, ", "), view.Duration(time.Since(began)))
		o.printServers(status)
	}
	return nil
}

// edit changes what aloft env has set.
func (o *envOptions) edit(set map[string]string) error {
	for _, name := range o.drop {
		if _, ok := set[name]; !ok {
			return diag.List{{
				Where: name, Summary: "is not set by aloft env", Hint: "aloft env list shows the variables",
			}}
		}
		delete(set, name)
	}
	maps.Copy(set, o.set)
	return nil
}

// checkNotInSpec refuses variables that the spec defines: their values would not change.
func checkNotInSpec(s *spec.Spec, names []string) error {
	var problems diag.List
	variables := s.Variables()
	for _, name := range names {
		_, ok := variables[name]
		if _, secret := s.Secrets[name]; ok || secret {
			problems.Add(name, "change it there and run aloft up, or remove it there first",
				"is defined in %s or its env_file", spec.FileName)
		}
	}
	return problems.Err()
}
