// Command bench measures the main job on the local cloud: deploying the tutorial
// from a kept image, doing nothing, planning, tearing down, and the API's answers.
// It prints a table and, last, one line of JSON. The local cloud must not run.
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

// figure is one measurement, and the bound that it is to keep.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Bound float64 `json:"bound"`
}

func main() {
	figures, err := measure()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	for _, f := range figures {
		fmt.Printf("%-46s %9.4f %-2s   (bound %g %s)\n", f.Name, f.Value, f.Unit, f.Bound, f.Unit)
	}
	line, err := json.Marshal(map[string]any{"benchmark": "main-job", "figures": figures})
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	fmt.Println(string(line))
}

func measure() (figures []figure, err error) {
	if err := aloft("local", "start"); err != nil {
		return nil, err
	}
	defer func() { err = joined(err, aloft("local", "stop")) }()
	if err := aloft("up", app); err != nil { // makes the image, if it is not kept
		return nil, err
	}
	if err := aloft("down", app, "--yes"); err != nil {
		return nil, err
	}
	for _, run := range []struct {
		name  string
		bound float64
		args  []string
	}{
		{"up from nothing, images kept, verified", 10, []string{"up", app}},
		{"up with nothing to do", 1, []string{"up", app}},
		{"plan with nothing to do", 0.5, []string{"plan", app}},
	} {
		began := time.Now()
		if err := aloft(run.args...); err != nil {
			return nil, err
		}
		figures = append(figures, figure{run.name, time.Since(began).Seconds(), "s", run.bound})
	}
	memory, err := daemonMemory()
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	client, err := site.Connect(ctx)
	if err != nil {
		return nil, err
	}
	vpcs, err := describeVpcs(ctx, client, 500)
	if err != nil {
		return nil, err
	}
	ssh, idle, err := launch(ctx, client)
	if err != nil {
		return nil, err
	}
	figures = append(figures,
		figure{"daemon with three machines, resident", memory, "MB", 100},
		figure{"DescribeVpcs seen by the SDK, median of 500", vpcs * 1000, "ms", 1},
		figure{"machine: launch to sshd's greeting", ssh, "s", 1},
		figure{"machine at rest", idle, "MB", 60})
	began := time.Now()
	if err := aloft("down", app, "--yes"); err != nil {
		return nil, err
	}
	return append(figures, figure{"down", time.Since(began).Seconds(), "s", 5}), nil
}

func joined(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func aloft(args ...string) error {
	_, err := site.Aloft(context.Background(), args...)
	return err
}

// describeVpcs gives the median time of a call, in seconds.
func describeVpcs(ctx context.Context, client *awsapi.Client, calls int) (float64, error) {
	times := make([]float64, 0, calls)
	for range calls {
		began := time.Now()
		if _, err := client.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{}); err != nil {
			return 0, fmt.Errorf("describe VPCs: %w", err)
		}
		times = append(times, time.Since(began).Seconds())
	}
	slices.Sort(times)
	return times[calls/2], nil
}
