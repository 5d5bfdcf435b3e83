//go:build linux

// Command base-image builds the base image of the local cloud's machines in the directory
// given as its argument. `make demo` runs it in parallel with the build of Aloft to save
// time; without it, the local cloud builds the same image when it first starts.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"aloft.dev/aloft/internal/cloud/plane/image"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: base-image DIRECTORY")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := build(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "base-image:", err)
		os.Exit(1)
	}
}

func build(ctx context.Context, dir string) error {
	// Machine launchers, which run as nobody, must be able to enter the state directory.
	if err := os.MkdirAll(filepath.Dir(dir), 0o711); err != nil {
		return err
	}
	store, err := image.Open(dir)
	if err != nil {
		return err
	}
	last := ""
	_, err = store.EnsureBase(ctx, image.Debian12, func(stage string, fraction float64) {
		if stage != last {
			fmt.Printf("base image: %s (%.0f %%)\n", stage, 100*fraction)
			last = stage
		}
	})
	return err
}
