package cli

import (
	"context"
	"fmt"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/view"
)

func runConsole(ctx context.Context, o *consoleOptions) error {
	if o.on != "local" {
		return diag.List{{
			Where: "--on " + o.on, Summary: "has no console of aloft's",
			Hint: "leave out --on for the local cloud; on AWS, use https://console.aws.amazon.com",
		}}
	}
	s, err := o.loadSpec(o.dir)
	if err != nil {
		return err
	}
	layout, err := o.layout()
	if err != nil {
		return err
	}
	running, err := findDaemon(layout)
	if err != nil {
		return notRunning(err, "sudo aloft local start"+o.cloudFlags()+" starts it")
	}
	if err := o.requireSameVersion(running); err != nil {
		return err
	}
	link, err := running.ConsoleLink(ctx, layout, s.Region)
	if err != nil {
		return err
	}
	if o.json {
		return view.JSON(o.Out, map[string]string{"url": link})
	}
	_, err = fmt.Fprintf(o.Out, "Open this link in a browser. It works once, within five minutes:\n%s\n", link)
	return err
}
