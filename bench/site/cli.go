//go:build linux

// Package site deploys an application on the local cloud for benchmarks, with the same
// commands that people use.
package site

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"aloft.dev/aloft/internal/awsapi"
)

// Aloft runs bin/aloft and returns its standard output. The error contains all its output.
func Aloft(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, filepath.Join("bin", "aloft"), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("aloft %s: %w\n%s%s", strings.Join(args, " "), err, stderr.Bytes(), stdout.Bytes())
	}
	return stdout.Bytes(), nil
}

// readJSON runs bin/aloft with --json and decodes its output.
func readJSON(ctx context.Context, into any, args ...string) error {
	out, err := Aloft(ctx, append(args, "--json")...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("decode the output of aloft %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// Connect returns clients of the running local cloud. It sets the environment variables of
// "aloft local env".
func Connect(ctx context.Context) (*awsapi.Client, error) {
	var env map[string]string
	if err := readJSON(ctx, &env, "local", "env"); err != nil {
		return nil, err
	}
	for name, value := range env {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	return awsapi.New(ctx, awsapi.Options{Region: env["AWS_REGION"], Endpoint: env["AWS_ENDPOINT_URL"]})
}
