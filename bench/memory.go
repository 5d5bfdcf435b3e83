//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// bootTime is how long a machine is given to finish booting before its memory is measured.
const bootTime = 3 * time.Second

// idleMemory returns the memory of an idle machine in MB.
func idleMemory(instance string) (float64, error) {
	time.Sleep(bootTime)
	out, err := exec.Command(filepath.Join("bin", "aloft"), "local", "status", "--json").Output()
	if err != nil {
		return 0, fmt.Errorf("read the machine's memory: %w", err)
	}
	var status struct {
		Machines []struct {
			ID          string `json:"id"`
			MemoryBytes int64  `json:"memory_bytes"`
		} `json:"machines"`
	}
	if err := json.Unmarshal(out, &status); err != nil {
		return 0, fmt.Errorf("read the machine's memory: %w", err)
	}
	for _, m := range status.Machines {
		if m.ID == instance {
			return float64(m.MemoryBytes) / 1e6, nil
		}
	}
	return 0, fmt.Errorf("read the machine's memory: %s is not running", instance)
}

// daemonMemory returns the resident memory of the daemon in MB (proc_pid_statm(5)).
func daemonMemory() (float64, error) {
	text, err := os.ReadFile("/run/aloft/daemon.json")
	if err != nil {
		return 0, fmt.Errorf("find the daemon: %w", err)
	}
	var daemon struct {
		PID int `json:"pid"`
	}
	if err := json.Unmarshal(text, &daemon); err != nil {
		return 0, fmt.Errorf("find the daemon: %w", err)
	}
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", daemon.PID))
	if err != nil {
		return 0, fmt.Errorf("read the daemon's memory: %w", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	return float64(pages*os.Getpagesize()) / 1e6, err
}
