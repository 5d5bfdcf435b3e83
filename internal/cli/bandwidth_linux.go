package cli

import (
	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/diag"
)

// change returns what the flags change.
func (b *bandwidthFlags) change() (change bandwidth.Change, err error) {
	if change.Network, err = parseBandwidth(networkRateFlag, b.network, "64Mbps"); err != nil {
		return change, err
	}
	change.Disk, err = parseBandwidth(diskRateFlag, b.disk, "50MB/s")
	return change, err
}

// parseBandwidth returns the setting that the value of a flag names, or nil if it is empty.
func parseBandwidth(flag, value, example string) (*bandwidth.Setting, error) {
	if value == "" {
		return nil, nil //nolint:nilnil // nothing to change
	}
	setting, err := bandwidth.Parse(value)
	if err != nil {
		return nil, diag.List{{
			Where:   "--" + flag,
			Summary: err.Error(),
			Hint:    "for example --" + flag + " " + example,
			Cause:   err,
		}}
	}
	return &setting, nil
}

// arguments returns the flags as arguments, without those that were not given.
func (b *bandwidthFlags) arguments() (args []string) {
	if b.network != "" {
		args = append(args, "--"+networkRateFlag+"="+b.network)
	}
	if b.disk != "" {
		args = append(args, "--"+diskRateFlag+"="+b.disk)
	}
	return args
}
