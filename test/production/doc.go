//go:build linux

// Package production takes examples/production through what happens to an application that
// is live: releases, failures, attackers, and its end.
package production
