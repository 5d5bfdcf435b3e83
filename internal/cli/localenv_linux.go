package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

func runLocalEnv(ctx context.Context, o *localEnvOptions) error {
	layout, err := o.layout()
	if err != nil {
		return err
	}
	credentials, err := host.ReadCredentials(layout)
	if errors.Is(err, fs.ErrNotExist) {
		return diag.List{{
			Where:   "local cloud",
			Summary: "was never started here",
			Hint:    "sudo aloft local start" + o.cloudFlags(),
			Cause:   err,
		}}
	}
	if errors.Is(err, fs.ErrPermission) {
		return needsRoot(err, `eval "$(sudo aloft local env)"`)
	}
	if err != nil {
		return err
	}
	address := host.DefaultAddress
	if running, err := findDaemon(ctx, layout); err == nil {
		address = running.Address
	}
	region := cmp.Or(o.region, spec.DefaultRegion)
	variables := [][2]string{
		{"AWS_ENDPOINT_URL", "http://" + address}, {"AWS_REGION", region}, {"AWS_DEFAULT_REGION", region},
		{"AWS_ACCESS_KEY_ID", credentials.AccessKeyID}, {"AWS_SECRET_ACCESS_KEY", credentials.SecretAccessKey},
	}
	if o.json {
		document := map[string]string{}
		for _, v := range variables {
			document[v[0]] = v[1]
		}
		return view.JSON(o.Out, document)
	}
	for _, v := range variables {
		_, _ = fmt.Fprintf(o.Out, "export %s=%s\n", v[0], v[1])
	}
	return nil
}
