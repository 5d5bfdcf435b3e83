package cli

import (
	"context"
	"net"
	"strconv"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/loopback"
	"aloft.dev/aloft/internal/console"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/operator"
	"aloft.dev/aloft/internal/spec"
)

func runConsole(ctx context.Context, o *consoleOptions) error {
	if o.on == "aws" {
		return o.runAWSConsole(ctx)
	}
	s, err := o.loadSpec(o.dir)
	if err != nil {
		return err
	}
	layout, err := o.layout()
	if err != nil {
		return err
	}
	running, err := findDaemon(ctx, layout)
	if err != nil {
		return notRunning(err, "sudo aloft local start"+o.cloudFlags()+" starts it")
	}
	if err := o.requireSameVersion(running); err != nil {
		return err
	}
	if !o.readOnly {
		return o.act(ctx, running, layout, s)
	}
	link, err := running.ConsoleLink(ctx, layout, s.Region)
	if err != nil {
		return err
	}
	return o.printLink(link)
}

// act performs what pages of the local cloud ask for, until ctx ends.
func (o *consoleOptions) act(ctx context.Context, running host.Daemon, layout host.Layout, s *spec.Spec) error {
	actions, err := o.newOperator(s, o.dir)
	if err != nil {
		return err
	}
	defer actions.Close()
	pages, err := console.NewPages(console.PagesConfig{
		Templates: operator.Templates(), Tabs: console.LocalTabs(), Log: o.consoleLog(),
	})
	if err != nil {
		return err
	}
	defer pages.Close()
	actions.Register(pages)
	conn, in, link, err := running.Act(ctx, layout, s.Region)
	if err != nil {
		return err
	}
	if err := o.printLink(link); err != nil {
		_ = conn.Close()
		return err
	}
	err = console.ServeActor(ctx, console.Buffered{Conn: conn, Reader: in}, pages)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the user ended it
	}
	return diag.List{{
		Where: "local cloud", Summary: "its daemon has ended, and with it the console", Cause: err,
		Hint: "run aloft console again when the local cloud runs",
	}}
}

// userOfConnection returns the user of this computer at the other end of a connection.
func userOfConnection(conn net.Conn) (user string, known bool) {
	uid, ok := loopback.UserOf(conn)
	return strconv.Itoa(uid), ok
}
