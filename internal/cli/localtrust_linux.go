package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/truststore"
	"aloft.dev/aloft/internal/diag"
)

func runLocalTrust(ctx context.Context, o *localTrustOptions) error {
	layout, err := o.layout()
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return diag.List{{
			Where: "this user", Summary: "is not root, and only root may change the system's store",
			Hint: "run it with sudo",
		}}
	}
	stores := trustStores(layout)
	if o.remove {
		results, err := stores.Remove(ctx)
		o.printTrust(results, "removed from", "is not in")
		return err
	}
	certificate, err := os.ReadFile(layout.AuthorityRoot())
	if errors.Is(err, fs.ErrNotExist) {
		return diag.List{{
			Where: "local cloud", Summary: "has no certificate authority yet",
			Hint: "start it with: sudo aloft local start",
		}}
	}
	if err != nil {
		return fmt.Errorf("read the local cloud's certificate authority: %w", err)
	}
	results, err := stores.Install(ctx, certificate)
	o.printTrust(results, "added to", "is already in")
	return err
}

// trustStores returns the stores of this host, and of the user who ran sudo.
func trustStores(layout host.Layout) truststore.Stores {
	stores := truststore.Stores{Name: "aloft-local-cloud"}
	if layout.Prefix != "aloft" {
		stores.Name += "-" + layout.Prefix
	}
	id := os.Getenv("SUDO_UID")
	if id == "" {
		id = strconv.Itoa(os.Geteuid())
	}
	if u, err := user.LookupId(id); err == nil {
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			stores.User = &truststore.User{Name: u.Username, Home: u.HomeDir, UID: uint32(uid), GID: uint32(gid)}
		}
	}
	return stores
}

// printTrust says what was done to each store.
func (o *localTrustOptions) printTrust(results []truststore.Result, changed, unchanged string) {
	for _, r := range results {
		switch {
		case r.Note != "":
			_, _ = fmt.Fprintf(o.Err, "%s %s: %s\n", o.style(o.Err).Warn("!"), diag.Printable(r.Store), r.Note)
		case r.Changed:
			_, _ = fmt.Fprintf(o.Err, "%s The certificate authority was %s %s.\n", o.style(o.Err).Good("✓"), changed,
				diag.Printable(r.Store))
		default:
			_, _ = fmt.Fprintf(o.Err, "%s The certificate authority %s %s.\n", o.style(o.Err).Good("✓"), unchanged,
				diag.Printable(r.Store))
		}
	}
}

// noteTrust says after a reset that this host still trusts the authority that is gone.
func (o *localResetOptions) noteTrust(layout host.Layout) {
	if trustStores(layout).Installed() {
		_, _ = fmt.Fprintf(o.Err, "%s This computer still trusts the certificate authority of the deleted cloud. "+
			"Its key is gone.\n  To remove it: sudo aloft local trust --remove\n", o.style(o.Err).Warn("!"))
	}
}
