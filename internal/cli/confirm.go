package cli

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"aloft.dev/aloft/internal/diag"
)

// confirm asks before something is deleted. Without a terminal the user must have
// given --yes.
func (g *global) confirm(question string) error {
	if g.yes {
		return nil
	}
	in, ok := g.In.(*os.File)
	if !ok || !isTerminal(in) {
		return diag.List{{Summary: question + " There is no terminal to confirm it on.", Hint: "add --yes to confirm"}}
	}
	_, _ = fmt.Fprintf(g.Err, "%s [y/N] ", question)
	var reply string
	_, _ = fmt.Fscanln(in, &reply)
	if reply != "y" && reply != "yes" {
		return diag.List{{Summary: "nothing was changed", Hint: "answer y, or add --yes"}}
	}
	return nil
}

// confirmDrill asks for the application's name before a drill breaks something on
// AWS. confirmed is the value of --confirm.
func (g *global) confirmDrill(app, confirmed string) error {
	if g.on != "aws" || confirmed == app {
		return nil
	}
	if confirmed == "" {
		if in, ok := g.In.(*os.File); ok && isTerminal(in) {
			_, _ = fmt.Fprintf(g.Err,
				"This drill breaks %s on AWS while users use it.\nType the application's name to continue: ", app)
		}
		confirmed, _ = bufio.NewReader(g.In).ReadString('\n') // a read error leaves the name empty
		confirmed = strings.TrimSpace(confirmed)
	}
	if confirmed != app {
		return diag.List{{
			Where:   app,
			Summary: "the drill was not confirmed; nothing was changed",
			Hint:    "type the application's name, or add --confirm " + app,
		}}
	}
	return nil
}
