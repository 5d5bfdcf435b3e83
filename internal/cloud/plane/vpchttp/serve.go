//go:build linux

// Package vpchttp serves HTTP on listeners inside VPCs, which end with their VPC.
package vpchttp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// Serve serves connections until ctx ends or the listener is closed. It closes the
// listener, and all connections with it, so that none outlives the VPC.
func Serve(ctx context.Context, server *http.Server, listener net.Listener) error {
	closing := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(closing); _ = server.Close() })
	err := server.Serve(listener)
	if stop() {
		_ = server.Close()
	} else {
		<-closing
	}
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("serve HTTP in a VPC: %w", err)
}
