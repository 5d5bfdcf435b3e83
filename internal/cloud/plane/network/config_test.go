//go:build linux

package network

import (
	"testing"
)

func TestConfigEqual(t *testing.T) {
	a := func() Config {
		return Config{
			VPCs: []VPC{{ID: "vpc-1", Interfaces: []Interface{{ID: "eni-1", SecurityGroups: []string{"sg-1"}}}}},
		}
	}
	b := a()
	b.VPCs[0].Interfaces[0].SecurityGroups[0] = "sg-2"
	if !a().Equal(a()) || a().Equal(b) {
		t.Error("Equal does not compare the interfaces' security groups")
	}
}
