package release

import (
	"context"

	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/remote"
)

// Refresh fetches the environment again on a machine of the release, restarts the
// application's processes and proves that they work. The load balancer sends the machine
// no requests meanwhile. Refresh needs no Source. Errors are diagnostics, except when the context ends.
func (b *Builder) Refresh(ctx context.Context, t remote.Target, sink event.Sink) error {
	return b.on(ctx, t, sink, func(m *machine) error {
		restart := step{
			number: "16", name: "restart with the new environment",
			// The machine has a role now, even if its image was made on one without.
			script: b.variables() + "install -d /etc/aloft\n: >\"/etc/aloft/$app.role\"\n" +
				"systemctl stop \"aloft-$app-env.service\"\n" + join("units", "start"),
		}
		if err := m.track(restart, func() error { return m.run(ctx, restart) }); err != nil {
			return err
		}
		proving := step{number: "16", name: "prove that it answers"}
		return m.track(proving, func() error { return b.prove(ctx, m, proving, 0) })
	})
}
