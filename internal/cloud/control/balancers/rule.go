//go:build linux

package balancers

import (
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

func actionConfig(rows []store.Action) balancer.Action {
	var out balancer.Action
	for _, a := range rows {
		if a.Stickiness {
			out.Sticky = time.Duration(a.StickinessSeconds) * time.Second
		}
		for _, share := range a.Forward {
			out.Forward = append(out.Forward, balancer.Share{TargetGroup: share.ARN, Weight: int(share.Weight)})
		}
		if r := a.Redirect; r != nil {
			out.Redirect = &balancer.Redirect{
				Protocol: r.Protocol,
				Host:     r.Host,
				Port:     r.Port,
				Path:     r.Path,
				Query:    r.Query,
				Code:     number(strings.TrimPrefix(r.StatusCode, "HTTP_")),
			}
		}
		if f := a.FixedResponse; f != nil {
			out.FixedResponse = &balancer.FixedResponse{
				Code:        number(f.StatusCode),
				ContentType: f.ContentType,
				Body:        f.Body,
			}
		}
	}
	return out
}

func conditionConfigs(rows []store.Condition) []balancer.Condition {
	var out []balancer.Condition
	for _, row := range rows {
		c := balancer.Condition{Field: row.Field, Header: row.Header, Values: row.Values, Regexes: row.Regexes}
		for _, p := range row.Pairs {
			c.Pairs = append(c.Pairs, balancer.Pair{Key: p.Key, Value: p.Value})
		}
		out = append(out, c)
	}
	return out
}
