package cli

import (
	"context"
	"time"

	"aloft.dev/aloft/internal/awsapi"
)

// How often a drill polls the health of its targets. The local cloud serves any
// number of requests; AWS throttles.
const (
	pollLocal = 250 * time.Millisecond
	pollAWS   = 2 * time.Second
)

func (g *global) pollInterval() time.Duration {
	if g.on == "aws" {
		return pollAWS
	}
	return pollLocal
}

// connectToCloud returns clients of the cloud that --on names. On AWS, region may be ""
// for the region that the environment or the profile names.
func (g *global) connectToCloud(ctx context.Context, region string, start bool) (*awsapi.Client, error) {
	if g.on == "aws" {
		return g.connectToAWS(ctx, region)
	}
	return g.connectToLocalCloud(ctx, region, start)
}
