//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc (proc_pid_stat(5), USER_HZ).
const tick = time.Second / 100

// cpuTimes returns the CPU time that each group of processes has used.
func cpuTimes(groups ...[]int) ([]time.Duration, error) {
	sums := make([]time.Duration, len(groups))
	for i, pids := range groups {
		for _, pid := range pids {
			used, err := cpuTime(pid)
			if err != nil {
				return nil, err
			}
			sums[i] += used
		}
	}
	return sums, nil
}

// cpuTime returns the CPU time of a process in user and kernel mode.
func cpuTime(pid int) (sum time.Duration, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// residentMemory returns the memory of the processes in KiB.
func residentMemory(pids []int) (int, error) {
	sum := 0
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			return 0, err
		}
		pages, err := strconv.Atoi(strings.Fields(string(text))[1])
		if err != nil {
			return 0, err
		}
		sum += pages * os.Getpagesize() / 1024
	}
	return sum, nil
}
