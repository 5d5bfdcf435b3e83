// Package bandwidth says how much of the host's network and disk a machine may use: what its
// instance type has on AWS, one figure for all machines, or as much as there is.
package bandwidth

import (
	"fmt"
	"strconv"
	"strings"
)

// Setting limits the bandwidth of machines. The zero Setting is their instance type.
type Setting struct {
	unlimited bool
	bytes     uint64 // per second; 0: not the same for all
}

// The settings that are words.
const (
	byType    = "type"
	unlimited = "unlimited"
)

// units are the units of rates in bytes per second. Networks are measured in bits and disks in
// bytes, as AWS measures them.
var units = []struct {
	name  string
	bytes uint64
}{
	{"Gbps", 1_000_000_000 / 8}, {"Mbps", 1_000_000 / 8}, {"MB/s", 1_000_000},
}

// maxRate is the highest rate in bytes per second: 100 Gbps.
const maxRate = 100_000_000_000 / 8

// Parse returns the setting that a text names: "type", "unlimited", or a rate such as 64Mbps,
// 1Gbps or 50MB/s.
func Parse(text string) (Setting, error) {
	switch text {
	case byType:
		return Setting{}, nil
	case unlimited:
		return Setting{unlimited: true}, nil
	}
	for _, unit := range units {
		number, ok := strings.CutSuffix(text, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n == 0 || n*unit.bytes > maxRate {
			return Setting{}, fmt.Errorf("%q is not a rate from 1Mbps to 100Gbps", text)
		}
		return Setting{bytes: n * unit.bytes}, nil
	}
	return Setting{}, fmt.Errorf("%q is neither %q nor %q nor a rate in Mbps, Gbps or MB/s", text, byType, unlimited)
}

// ByType reports whether instance types decide.
func (s Setting) ByType() bool { return s == Setting{} }

// BytesPerSecond returns the rate of all machines, or 0 if there is none.
func (s Setting) BytesPerSecond() uint64 { return s.bytes }

// packetsPerVCPU is how many packets a machine may send in a second for each of its processors.
// AWS limits packets by instance type and does not publish how many there are (Amazon EC2 User
// Guide, Monitor network performance, pps_allowance_exceeded). A server can answer some thousand
// requests a second with so many.
const packetsPerVCPU = 10_000

// PacketsPerSecond returns how many packets a machine may send in a second, or 0 if there is no
// limit. A rate for all machines is one of bytes: packets stay limited by type.
func (s Setting) PacketsPerSecond(vcpus int) int {
	if s.unlimited {
		return 0
	}
	return packetsPerVCPU * vcpus
}

// String returns the text that Parse reads.
func (s Setting) String() string {
	switch {
	case s.unlimited:
		return unlimited
	case s.bytes == 0:
		return byType
	}
	for _, unit := range units {
		if s.bytes%unit.bytes == 0 {
			return strconv.FormatUint(s.bytes/unit.bytes, 10) + unit.name
		}
	}
	return ""
}

// MarshalText returns what String returns.
func (s Setting) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText sets s to what Parse returns.
func (s *Setting) UnmarshalText(text []byte) (err error) {
	*s, err = Parse(string(text))
	return err
}

// Settings are the settings of one local cloud.
type Settings struct {
	Network Setting `json:"network"`
	Disk    Setting `json:"disk"`
}

// Change says what to change in Settings; nil keeps what was.
type Change struct{ Network, Disk *Setting }

// Apply returns the settings with the change.
func (s Settings) Apply(c Change) Settings {
	if c.Network != nil {
		s.Network = *c.Network
	}
	if c.Disk != nil {
		s.Disk = *c.Disk
	}
	return s
}
