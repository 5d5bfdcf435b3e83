package cli

import (
	"context"
	"strings"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/journal"
	"aloft.dev/aloft/internal/stack"
)

// readJournal prints the log from CloudWatch Logs.
func (o *logsOptions) readJournal(ctx context.Context, d *deployment, q journal.Query) error {
	status, err := d.Status(ctx)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, m := range status.Machines {
		names[m.InstanceID] = m.Name
	}
	if q.Instance, err = instanceNamed(status, o.server); err != nil {
		return err
	}
	// The pauses of a drill's polls suit new lines too.
	reader := journal.Reader{
		API: d.client.Logs, Group: stack.LogGroupName(d.spec.App), Poll: 4 * o.pollInterval(),
	}
	printLine := o.linePrinter(q.Instance == "")
	err = reader.Read(ctx, q, func(l journal.Line) {
		name := names[l.Instance]
		if name == "" {
			name = l.Instance
		}
		at := l.Time.UTC()
		printLine(logLine{Server: name, Instance: l.Instance, Process: l.Process, Time: &at, Line: l.Text})
	})
	if awsapi.IsNotFound(err) {
		return diag.List{{
			Where: d.spec.App, Summary: "has no log in CloudWatch Logs yet",
			Hint:  "aloft up creates it, and servers that it releases from then on write to it",
			Cause: err,
		}}
	}
	return err
}

// instanceNamed returns the ID of the instance of a server, which may be gone if the ID
// names it.
func instanceNamed(s *apply.Status, name string) (string, error) {
	if name == "" || strings.HasPrefix(name, "i-") {
		return name, nil
	}
	var all []string
	for _, m := range s.Machines {
		if m.Name == name {
			return m.InstanceID, nil
		}
		all = append(all, m.Name)
	}
	return "", diag.List{{
		Where: name, Summary: "is not a server of " + s.App,
		Detail: "the servers: " + strings.Join(all, ", "),
		Hint:   "name one of these, or a server that is gone by its instance ID",
	}}
}
