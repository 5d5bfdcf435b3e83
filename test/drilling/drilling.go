//go:build linux

// Package drilling runs drills on a simulated cloud.
package drilling

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/lease"
	"aloft.dev/aloft/test/simulation"
)

// ServiceTag is the tag that represents the application's state on a machine:
// "running" or "stopped".
const ServiceTag = "service"

// New returns a drill whose scripts on machines are tag changes, so that a run
// can be killed at them.
func New(c *awsapi.Client, d *apply.Deployment) *drill.Drill {
	return NewPolling(c, d, 5*time.Millisecond)
}

// NewPolling returns a drill that checks the targets' health at an interval.
func NewPolling(c *awsapi.Client, d *apply.Deployment, poll time.Duration) *drill.Drill {
	holder := lease.Self()
	return drill.New(drill.Config{
		App: "tutorial", Client: c, Poll: poll, Holder: holder, Dead: simulation.OthersGone(holder),
		Refill: d.Refill,
		Connect: func(ctx context.Context, server string) (func(context.Context, string) error, func() error, error) {
			s, err := d.Status(ctx)
			if err != nil {
				return nil, nil, err
			}
			run := func(ctx context.Context, script string) error {
				for _, m := range s.Machines {
					if m.Name == server {
						state := "running"
						if strings.HasPrefix(script, "systemctl stop") ||
							strings.HasPrefix(script, "systemctl kill -s STOP") {
							state = "stopped"
						}
						_, err := c.EC2.CreateTags(ctx, &ec2.CreateTagsInput{
							Resources: []string{m.InstanceID},
							Tags:      []types.Tag{{Key: aws.String(ServiceTag), Value: &state}},
						})
						return err
					}
				}
				return fmt.Errorf("no %s", server)
			}
			return run, func() error { return nil }, nil
		},
	})
}
