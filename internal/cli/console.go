package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/console"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/operator"
	"aloft.dev/aloft/internal/view"
)

type consoleOptions struct {
	*global
	dir      string
	readOnly bool
	port     uint16 // with --on aws; 0: any
}

func newConsoleCommand(g *global, run func(context.Context, *consoleOptions) error) *cobra.Command {
	o := &consoleOptions{global: g}
	c := &cobra.Command{
		Use:   "console [DIR]",
		Short: "Open pages in a browser that show the cloud, drill the application and roll it back",
		Long: `Prints a link to pages that show the application's region: what stands where and how it
is, what passes through load balancers, alarms and scaling activities, calls of the APIs,
and why one place cannot reach another. The pages follow changes.

Drills and rollbacks can be started from the pages for as long as this command runs. It
performs them, with your credentials, as aloft drill and aloft rollback do: a browser
never has credentials. Ctrl-C ends it, and restores what a drill changed.

The local cloud serves its pages itself. With --on aws this command serves them on this
computer, from AWS's APIs.

The link opens the console once, within five minutes, in one browser of this computer.
From elsewhere, forward the port: ssh -L 4566:127.0.0.1:4566 HOST.`,
		Example: `  aloft console
  aloft console --read-only --json | jq -r .url
  aloft console --on aws --port 8800`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = folder(args)
			return run(c.Context(), o)
		},
	}
	flags := c.Flags()
	flags.BoolVar(&o.readOnly, "read-only", false,
		"start no drill and no rollback from the pages; for the local cloud, print the link and end")
	flags.Uint16Var(&o.port, "port", 0, "with --on aws: the port of the pages; by default a free one")
	addFromFlag(c, g)
	return c
}

// printLink prints the link to the console.
func (o *consoleOptions) printLink(link string) error {
	if o.json {
		return view.JSON(o.Out, map[string]string{"url": link})
	}
	_, err := fmt.Fprintf(o.Out, "Open this link in a browser. It works once, within five minutes:\n%s\n", link)
	if err == nil && !o.readOnly {
		_, err = fmt.Fprintln(o.Out,
			"Drills and rollbacks can be started there while this command runs. Ctrl-C ends it.")
	}
	return err
}

// consoleLog receives what goes wrong with pages.
func (o *consoleOptions) consoleLog() *slog.Logger { return slog.New(slog.NewTextHandler(o.Err, nil)) }

const (
	// awsRefresh is how often an open page is read from AWS's APIs, which do not announce changes.
	awsRefresh = 30 * time.Second
	// consoleHeaderTimeout limits how long a browser may take to send a request.
	consoleHeaderTimeout = 10 * time.Second
)

// connectionKey is the key of a request's connection in its context.
type connectionKey struct{}

// runAWSConsole serves the pages of AWS until ctx ends.
func (o *consoleOptions) runAWSConsole(ctx context.Context) error {
	d, err := o.openFolder(ctx, o.dir, nil)
	if err != nil {
		return err
	}
	pages, err := console.New(console.Config{
		AWS: func(region string) aws.Config { return d.client.ConfigOf(region) },
		Watch: func() func(context.Context) error {
			return func(ctx context.Context) error {
				<-ctx.Done()
				return context.Cause(ctx)
			}
		},
		User: func(r *http.Request) (string, bool) {
			conn, ok := r.Context().Value(connectionKey{}).(net.Conn)
			if !ok {
				return "", false
			}
			return userOfConnection(conn)
		},
		Now:   time.Now,
		Pages: console.PagesConfig{Templates: operator.Templates(), Refresh: awsRefresh, Log: o.consoleLog()},
	})
	if err != nil {
		return err
	}
	if o.readOnly {
		pages.AddFallbacks()
	} else {
		actions, err := o.newOperator(d.spec, o.dir)
		if err != nil {
			return err
		}
		defer actions.Close()
		actions.Register(pages.Pages)
	}
	return o.serveConsole(ctx, pages, d.spec.Region)
}

// serveConsole serves pages on this computer until ctx ends.
func (o *consoleOptions) serveConsole(ctx context.Context, pages *console.Console, region string) error {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(o.port)))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return diag.List{{
			Where: address, Summary: "the pages cannot be served there", Detail: err.Error(),
			Hint: "leave --port out for a free port", Cause: err,
		}}
	}
	server := &http.Server{
		Handler: pages, ReadHeaderTimeout: consoleHeaderTimeout,
		ErrorLog: slog.NewLogLogger(o.consoleLog().Handler(), slog.LevelWarn),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, conn)
		},
	}
	stop := context.AfterFunc(ctx, func() {
		pages.Close() // or open pages would hold up the end
		_ = server.Close()
	})
	defer stop()
	link, err := pages.Link(region)
	if err == nil {
		err = o.printLink("http://" + listener.Addr().String() + link)
	}
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the pages: %w", err)
	}
	return nil
}
