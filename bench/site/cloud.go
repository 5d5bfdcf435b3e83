// Package site runs an application on the local cloud for benchmarks, by the
// command line as people do.
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

// Aloft runs bin/aloft and gives its standard output; an error holds what it said.
func Aloft(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, filepath.Join("bin", "aloft"), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("aloft %s: %w\n%s%s", strings.Join(args, " "), err, said.Bytes(), out.Bytes())
	}
	return out.Bytes(), nil
}

// read runs bin/aloft and reads the document that it prints.
func read(ctx context.Context, into any, args ...string) error {
	out, err := Aloft(ctx, append(args, "--json")...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("read what aloft %s prints: %w", strings.Join(args, " "), err)
	}
	return nil
}

// Connect gives clients of the local cloud, which runs.
func Connect(ctx context.Context) (*awsapi.Client, error) {
	var env map[string]string
	if err := read(ctx, &env, "local", "env"); err != nil {
		return nil, err
	}
	for name, value := range env {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	return awsapi.New(ctx, awsapi.Options{Region: env["AWS_REGION"], Endpoint: env["AWS_ENDPOINT_URL"]})
}
