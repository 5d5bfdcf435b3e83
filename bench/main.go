//go:build linux

// Command bench measures the main job on the local cloud: deploying the tutorial from a
// cached image, deploying it again unchanged, planning, tearing it down, and the API's
// latency. It prints a table and then one line of JSON. The local cloud must not be running.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/bench/site"
	"aloft.dev/aloft/internal/awsapi"
)

const app = "examples/tutorial"

// figure is one measurement and its bound.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Bound float64 `json:"bound"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	figures, err := measure()
	if err != nil {
		return err
	}
	for _, f := range figures {
		fmt.Printf("%-46s %9.4f %-2s   (bound %g %s)\n", f.Name, f.Value, f.Unit, f.Bound, f.Unit)
	}
	line, err := json.Marshal(map[string]any{"benchmark": "main-job", "figures": figures})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

func measure() (figures []figure, err error) {
	if err := aloft("local", "start"); err != nil {
		return nil, err
	}
	defer func() {
		if stopErr := aloft("local", "stop"); err == nil {
			err = stopErr
		}
	}()
	if err := aloft("up", app); err != nil { // builds the base image, fetches the runtime
		return nil, err
	}
	if err := aloft("down", app, "--yes", "--images"); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := aloft("up", app); err != nil {
		return nil, err
	}
	figures = append(figures, figure{"up from nothing, image made, verified", time.Since(began).Seconds(), "s", 35})
	if err := aloft("down", app, "--yes"); err != nil {
		return nil, err
	}
	for _, command := range []struct {
		name  string
		bound float64
		args  []string
	}{
		{"up from nothing, images kept, verified", 10, []string{"up", app}},
		{"up with nothing to do", 1, []string{"up", app}},
		{"plan with nothing to do", 0.5, []string{"plan", app}},
	} {
		began := time.Now()
		if err := aloft(command.args...); err != nil {
			return nil, err
		}
		figures = append(figures, figure{command.name, time.Since(began).Seconds(), "s", command.bound})
	}
	cloud, err := measureCloud(context.Background())
	if err != nil {
		return nil, err
	}
	figures = append(figures, cloud...)
	began = time.Now()
	if err := aloft("down", app, "--yes"); err != nil {
		return nil, err
	}
	return append(figures, figure{"down", time.Since(began).Seconds(), "s", 5}), nil
}

// measureCloud measures the local cloud while the tutorial runs on it.
func measureCloud(ctx context.Context) ([]figure, error) {
	memory, err := daemonMemory()
	if err != nil {
		return nil, err
	}
	client, err := site.Connect(ctx)
	if err != nil {
		return nil, err
	}
	latency, err := describeVpcs(ctx, client, 500)
	if err != nil {
		return nil, err
	}
	launch, idle, err := measureLaunch(ctx, client)
	if err != nil {
		return nil, err
	}
	return []figure{
		{"daemon with three machines, resident", memory, "MB", 100},
		{"DescribeVpcs seen by the SDK, median of 500", latency * 1000, "ms", 1},
		{"machine: launch to sshd's greeting", launch, "s", 1},
		{"machine at rest", idle, "MB", 60},
	}, nil
}

func aloft(args ...string) error {
	_, err := site.Aloft(context.Background(), args...)
	return err
}

// describeVpcs returns the median duration of a call in seconds.
func describeVpcs(ctx context.Context, client *awsapi.Client, calls int) (float64, error) {
	durations := make([]float64, 0, calls)
	for range calls {
		began := time.Now()
		if _, err := client.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{}); err != nil {
			return 0, fmt.Errorf("describe VPCs: %w", err)
		}
		durations = append(durations, time.Since(began).Seconds())
	}
	slices.Sort(durations)
	return durations[calls/2], nil
}
