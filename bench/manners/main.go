//go:build linux

// Command manners runs the whole life of a deployment on local clouds with AWS's
// manners, for many seeds, in virtual time: AWS's own latencies pass at once. It
// prints for each manner how many of the commands passed, how long the first up takes
// beside the critical path of its graph, and then one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"aloft.dev/aloft/test/manners"
)

func main() {
	seeds := flag.Int("seeds", 20, "number of seeds with all manners")
	single := flag.Int("single", 5, "number of seeds with each manner by itself")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *seeds, *single); err != nil {
		fmt.Fprintln(os.Stderr, "bench/manners:", err)
		os.Exit(1)
	}
}

// run runs the journeys as a test, because virtual time exists in tests alone.
func run(ctx context.Context, seeds, single int) error {
	dir, err := os.MkdirTemp("", "aloft-manners-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "results.json")
	test := exec.CommandContext(ctx, "go", "test", "-count=1", "-timeout=1h", "-run", "^TestJourneys$",
		"./test/manners", "-args",
		"-seeds", strconv.Itoa(seeds), "-single", strconv.Itoa(single), "-report", file)
	test.Stdout, test.Stderr = os.Stderr, os.Stderr
	failed := test.Run()
	data, err := os.ReadFile(file)
	if err != nil {
		return errors.Join(failed, err)
	}
	var results []manners.Result
	if err := json.Unmarshal(data, &results); err != nil {
		return fmt.Errorf("read the results: %w", err)
	}
	summary := summarize(results)
	summary.print(os.Stdout)
	if err := json.NewEncoder(os.Stdout).Encode(summary); err != nil {
		return err
	}
	return failed
}
