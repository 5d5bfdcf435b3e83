//go:build linux

package balancers

import (
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/hostedzone"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// configFor returns the balancer's configuration for the rows. namespace returns the
// path of the network namespace of a node's interface. logs is the folder of access
// logs on their way to S3. Load balancers that are not ready at the given time are absent.
func configFor(
	r store.Reader, namespace func(interfaceID string) string, logs string, now time.Time,
) balancer.Config {
	var c balancer.Config
	aliases := hostedzone.NamesOf(r)
	for _, row := range store.LoadBalancers.List(r) {
		if now.Before(row.ActiveAt) {
			continue
		}
		lb := loadBalancerConfig(r, row, namespace)
		lb.LogDir, lb.Aliases = accessLogFolder(logs, row), aliases[strings.ToLower(row.DNSName)]
		c.LoadBalancers = append(c.LoadBalancers, lb)
	}
	for _, row := range store.TargetGroups.List(r) {
		if use := useOf(r, row); use.by != nil && !now.Before(use.by.ActiveAt) {
			c.TargetGroups = append(c.TargetGroups, targetGroupConfig(r, row, use))
		}
	}
	return c
}
