//go:build linux

package cloud

import (
	"context"
	"fmt"
	"net/http"
	"runtime"

	"aloft.dev/aloft/internal/cloud/api/acm"
	"aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/api/cloudwatch"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/api/elbv2"
	"aloft.dev/aloft/internal/cloud/api/servicequotas"
	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/api/sts"
	"aloft.dev/aloft/internal/cloud/frontend"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/wire"
)

// homeRegion is created at the first start, so that its base image is built
// before the first request.
const homeRegion = "us-east-1"

// handler returns the handler of all APIs, which share one endpoint.
func (d *daemon) handler() (http.Handler, error) {
	credentials, err := host.EnsureCredentials(d.Layout)
	if err != nil {
		return nil, err
	}
	machines := ec2.New(ec2.Config{
		Store: d.store, PublicRange: network.DefaultPublicRange, Images: baseImages(runtime.GOARCH),
		Manners: &d.manners,
		Console: func(_ context.Context, id string) ([]byte, error) { return d.machines.Console(id) },
	})
	if err := machines.EnsureRegion(homeRegion); err != nil {
		return nil, fmt.Errorf("create region %s: %w", homeRegion, err)
	}
	balancing := elbv2.New(elbv2.Config{Store: d.store, PublicRange: network.DefaultPublicRange, Manners: &d.manners})
	d.fleet = &autoscaling.Fleet{Store: d.store, Compute: machines, Balancing: balancing}
	metrics := cloudwatch.New(cloudwatch.Config{Metrics: &d.metrics, Store: d.store, Manners: &d.manners})
	groups := autoscaling.New(autoscaling.Config{Store: d.store, Templates: machines, Manners: &d.manners})
	front := frontend.New(frontend.Config{
		Store: d.store, Manners: &d.manners, Log: d.Log,
		NotFound: map[string]func(field, id string) error{
			"ec2": ec2.NotFound, "elasticloadbalancing": elbv2.NotFound, "autoscaling": autoscaling.NotFound,
		},
	})
	handler, err := wire.NewHandler(wire.Config{
		Around: front.Around,
		Services: []wire.Service{
			{Name: "ec2", API: machines},
			{Name: "elasticloadbalancing", API: balancing},
			{Name: "monitoring", API: metrics},
			{Name: "autoscaling", API: groups},
			{Name: "ssm", API: ssm.New(ssm.Config{Store: d.store, EnsureRegion: machines.EnsureRegion})},
			{Name: "sts", API: sts.New()},
			{Name: "acm", API: acm.New(acm.Config{Store: d.store})},
			{Name: "servicequotas", API: servicequotas.New(servicequotas.Config{Manners: &d.manners})},
		},
		Credentials: func(id string) (string, bool) {
			return credentials.SecretAccessKey, id == credentials.AccessKeyID
		},
		AcceptAnyCredentials: d.AcceptAnyCredentials,
		Fallback:             d.own(machines),
		Log:                  d.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("serve the APIs: %w", err)
	}
	return handler, nil
}
