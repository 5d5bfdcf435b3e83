package drill

import (
	"context"
	"errors"
	"fmt"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/release"
)

// serviceScripts returns the script that breaks the application's service on a
// server, and the one that repairs it (systemctl(1)). systemd does not restart a
// service that systemctl stopped, despite its Restart= setting.
func serviceScripts(e Experiment, app string) (breaks, repairs string) {
	unit := release.Unit(app)
	if e == Freeze {
		return "systemctl kill -s STOP " + unit, "systemctl kill -s CONT " + unit + " || systemctl start " + unit
	}
	return "systemctl stop " + unit, "systemctl start " + unit
}

// runOn runs a script on a server. It calls connected right before.
func (d *Drill) runOn(ctx context.Context, server, script string, connected func()) (err error) {
	run, closeConnection, err := d.cfg.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", server, err)
	}
	defer func() { err = errors.Join(err, closeConnection()) }()
	connected()
	return awsapi.Wrap("run "+script+" on "+server, run(ctx, script))
}
