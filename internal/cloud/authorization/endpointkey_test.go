package authorization

import (
	"slices"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/wire"
)

func TestRequestsByAnEndpointHaveItsConditionKeys(t *testing.T) {
	caller := wire.Caller{SourceIP: "10.0.1.5", Endpoint: wire.Endpoint{ID: "vpce-1", VPC: "vpc-1"}}
	keys := requestKeys(caller, time.Now())
	for key, want := range map[string][]string{
		"aws:SourceVpce": {"vpce-1"}, "aws:SourceVpc": {"vpc-1"}, "aws:VpcSourceIp": {"10.0.1.5"}, "aws:SourceIp": nil,
	} {
		if !slices.Equal(keys[key], want) {
			t.Errorf("%s is %q, want %q", key, keys[key], want)
		}
	}
}
