//go:build linux

// Command api measures the APIs of the simulated local cloud: how fast it starts, answers and
// launches, how it finds some instances among many, and how much memory they take. It prints a
// table and then one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud"
	"aloft.dev/aloft/internal/cloud/host"
)

// Sizes of the measurements.
const (
	questions = 400    // DescribeVpcs
	few       = 1_000  // instances that are launched and listed
	many      = 10_000 // instances among which some are found
	perLaunch = 100    // the most that one RunInstances launches
	perPage   = 100
)

// zones have a subnet each, which no ten thousand instances fit into.
var zones = []string{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"}

// figure is one measurement and its bound.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Bound float64 `json:"bound"`
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench/api:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	figures, err := measure(ctx)
	if err != nil {
		return err
	}
	for _, f := range figures {
		fmt.Printf("%-46s %9.3f %-2s   (bound %g %s)\n", f.Name, f.Value, f.Unit, f.Bound, f.Unit)
	}
	line, err := json.Marshal(map[string]any{"benchmark": "api", "figures": figures})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

// measure measures a simulated cloud in this process.
func measure(ctx context.Context) (figures []figure, err error) {
	dir, err := os.MkdirTemp("", "aloft-api-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	layout, err := host.MarkSimulated(dir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	began := time.Now()
	go func() {
		ended <- cloud.Run(ctx, cloud.Config{
			Layout: layout, Address: "127.0.0.1:0", Version: "bench", Log: slog.New(slog.DiscardHandler),
		})
	}()
	defer func() {
		cancel()
		err = errors.Join(err, <-ended)
	}()
	client, err := connect(ctx, layout)
	if err != nil {
		return nil, err
	}
	b := &bench{client: client}
	b.add("start, until the first answer", time.Since(began).Seconds(), "s", 0.2)
	for _, step := range []func(context.Context) error{b.questions, b.launch, b.pages, b.tag, b.memory} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return b.figures, nil
}

// connect returns a client of the cloud once it answers.
func connect(ctx context.Context, layout host.Layout) (*ec2.Client, error) {
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(time.Millisecond) {
		daemon, err := host.FindDaemon(ctx, layout)
		if err != nil {
			continue
		}
		key, err := host.ReadCredentials(layout)
		if err != nil {
			return nil, err
		}
		client := ec2.New(ec2.Options{
			Region: "us-east-1", BaseEndpoint: aws.String("http://" + daemon.Address),
			Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, ""),
		})
		_, err = client.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
		return client, err
	}
	return nil, errors.New("the simulated cloud did not start")
}

// bench measures one cloud.
type bench struct {
	client  *ec2.Client
	image   string
	figures []figure
}

func (b *bench) add(name string, value float64, unit string, bound float64) {
	b.figures = append(b.figures, figure{name, value, unit, bound})
}

// questions measures DescribeVpcs.
func (b *bench) questions(ctx context.Context) error {
	var took []time.Duration
	for range questions {
		began := time.Now()
		if _, err := b.client.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{}); err != nil {
			return err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.add("DescribeVpcs, median", took[len(took)/2].Seconds()*1000, "ms", 0.6)
	return nil
}

// launch measures the launch of a thousand instances.
func (b *bench) launch(ctx context.Context) error {
	images, err := b.client.DescribeImages(ctx, &ec2.DescribeImagesInput{Owners: []string{"amazon"}})
	if err != nil {
		return err
	}
	b.image = *images.Images[0].ImageId
	began := time.Now()
	if err := b.runInstances(ctx, 0, few); err != nil {
		return err
	}
	b.add("RunInstances, 1,000 in ten calls", time.Since(began).Seconds(), "s", 0.5)
	return nil
}

// runInstances launches the instances from one number up to another. Each hundred has a tag of
// its own.
func (b *bench) runInstances(ctx context.Context, from, to int) error {
	for n := from; n < to; n += perLaunch {
		if _, err := b.client.RunInstances(ctx, &ec2.RunInstancesInput{
			ImageId: &b.image, InstanceType: types.InstanceTypeT3Micro,
			MinCount: aws.Int32(perLaunch), MaxCount: aws.Int32(perLaunch),
			Placement: &types.Placement{AvailabilityZone: aws.String(zones[n/perLaunch%len(zones)])},
			TagSpecifications: []types.TagSpecification{{
				ResourceType: types.ResourceTypeInstance,
				Tags:         []types.Tag{{Key: aws.String("hundred"), Value: aws.String(strconv.Itoa(n / perLaunch))}},
			}},
		}); err != nil {
			return err
		}
	}
	return nil
}

// pages measures listing all instances in pages.
func (b *bench) pages(ctx context.Context) error {
	began, seen := time.Now(), 0
	pager := ec2.NewDescribeInstancesPaginator(b.client, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(perPage)})
	for pager.HasMorePages() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.Reservations {
			seen += len(r.Instances)
		}
	}
	if seen != few {
		return fmt.Errorf("the pages have %d instances, want %d", seen, few)
	}
	b.add("DescribeInstances, 1,000 in pages of 100", time.Since(began).Seconds(), "s", 0.3)
	return nil
}

// tag measures finding one instance by a tag of its own among ten thousand.
func (b *bench) tag(ctx context.Context) error {
	if err := b.runInstances(ctx, few, many); err != nil {
		return err
	}
	all, err := b.client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{
		MaxResults: aws.Int32(5),
	})
	if err != nil {
		return err
	}
	wanted := *all.Reservations[0].Instances[0].InstanceId
	if _, err := b.client.CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: []string{wanted}, Tags: []types.Tag{{Key: aws.String("wanted"), Value: aws.String("yes")}},
	}); err != nil {
		return err
	}
	var took []time.Duration
	for range 20 {
		began := time.Now()
		found, err := b.client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{
			Filters: []types.Filter{{Name: aws.String("tag:wanted"), Values: []string{"yes"}}},
		})
		if err != nil {
			return err
		}
		if len(found.Reservations) != 1 || *found.Reservations[0].Instances[0].InstanceId != wanted {
			return fmt.Errorf("found %d reservations by the tag", len(found.Reservations))
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.add("DescribeInstances by tag among 10,000, median", took[len(took)/2].Seconds()*1000, "ms", 5)
	return nil
}

// memory measures the memory of this process, which holds the cloud.
func (b *bench) memory(context.Context) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.Atoi(strings.Fields(text)[0])
			if err != nil {
				return err
			}
			b.add("memory with 10,000 instances, client included", float64(kilobytes)/1000, "MB", 150)
			return nil
		}
	}
	return errors.New("the system does not say how much memory this process has")
}
