package console

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// took is the latency of answers that took from a number of milliseconds to twice as many.
func took(millis time.Duration, count uint64) Latency {
	return Latency{{millis * time.Millisecond, 2 * millis * time.Millisecond, count}}
}

// counted is a load balancer's count of one target.
func counted(target string, requests, failures uint64) Count {
	return Count{
		Balancer: "arn:lb", Zone: "us-east-1a", Group: "arn:tg", Target: target, Port: 80,
		Requests: requests, Failures: failures, Times: took(4, requests),
	}
}

func TestRatesAreWhatPassedBetweenTwoReadings(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var counts []Count
	m := meter{
		now:  func() time.Time { return now },
		read: func(context.Context) ([]Count, error) { return counts, nil },
	}
	measure := func(after time.Duration, readings ...Count) map[route]rate {
		t.Helper()
		now, counts = now.Add(after), readings
		rates, err := m.measure(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return rates
	}
	of := counted("i-1", 0, 0).route()
	if rates := measure(0, counted("i-1", 100, 0)); rates != nil {
		t.Errorf("after one reading: %v", rates)
	}
	rates := measure(2*time.Second, counted("i-1", 120, 4))
	if got, want := rates[of], (rate{requests: 10, failures: 2, times: took(4, 20)}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if again := measure(time.Second/2, counted("i-1", 999, 0)); !reflect.DeepEqual(again, rates) {
		t.Errorf("read again too soon: %v", again)
	}
	rates = measure(2*time.Second, counted("i-1", 10, 0), counted("i-2", 5, 5))
	if got := rates[of].requests; got != 4 {
		t.Errorf("of a target that was registered again: %v a second", got)
	}
	if rates := measure(time.Hour, counted("i-1", 9999, 0)); rates != nil {
		t.Errorf("after an hour in which nobody looked: %v", rates)
	}
}

func TestPathsAreDrawn(t *testing.T) {
	all := town(40)
	lb := all.LoadBalancers[0]
	arn := aws.ToString(lb.LoadBalancerArn)
	for _, zone := range []string{"us-east-1b", "us-east-1a"} {
		lb.AvailabilityZones = append(lb.AvailabilityZones, elbtypes.AvailabilityZone{ZoneName: &zone})
	}
	all.TargetGroups[0].LoadBalancerArns = []string{arn}
	at := func(zone, target string) route { return route{arn, zone, "arn:tg", target, 80} }
	f := newFlow(all, lb, map[route]rate{
		at("us-east-1a", "i-1"):                    {requests: 30, failures: 3, times: took(2, 60)},
		at("us-east-1b", "i-1"):                    {requests: 10, times: took(8, 20)},
		at("us-east-1b", "i-9"):                    {requests: 0.5, times: took(1, 1)},
		at("us-east-1x", "i-9"):                    {requests: 7},
		{"arn:other", "us-east-1a", "", "i-1", 80}: {requests: 7},
	})
	if f.Zones[0].Name != "us-east-1a" || f.Zones[0].Requests != 30 || f.Zones[1].Requests != 10.5 {
		t.Errorf("zones %+v", f.Zones)
	}
	if first := f.Targets[0]; first.ID != "i-1" || first.Requests != 40 || first.Failures != 3 ||
		first.Times.Median() != "3.33" || first.Times.P99() != "15.7" || first.ByZone[0].P99() != "3.98" ||
		first.ByZone[1].Median() != "12" {
		t.Errorf("the first target %+v", first)
	}
	if f.Zones[1].Times.Median() != "11.8" || f.Targets[1].Times.Median() != "–" || f.Times.Median() != "3.32" {
		t.Errorf("latency of a zone %v, of a target without requests %v, of all %v", f.Zones[1].Times,
			f.Targets[1].Times, f.Times)
	}
	if len(f.Targets) != 40 || f.More != 40-maxDrawn || len(f.Drawn()) != maxDrawn {
		t.Errorf("%d targets, and %d more that are not drawn", len(f.Targets), f.More)
	}
	moving, failing := 0, 0
	for _, e := range f.Edges {
		if e.Speed > 0 {
			moving++
		}
		if e.Fails {
			failing++
		}
	}
	if len(f.Edges) != 2+2*maxDrawn || moving < 4 || failing != 2 {
		t.Errorf("%d paths; %d move and %d fail", len(f.Edges), moving, failing)
	}
	if text := f.Total(); text != "40.5 requests a second, 3 of them fail" {
		t.Errorf("in words: %q", text)
	}
	if text := newFlow(all, lb, nil).Total(); text != "It is being measured." {
		t.Errorf("before it is known: %q", text)
	}
}

func TestSpeedGrowsWithTheRate(t *testing.T) {
	for perSecond, want := range map[float64]int{0: 0, 0.01: 1, 1: 1, 2: 2, 10: 2, 50: 3, 1000: 4, 1e6: 4} {
		if got := speed(perSecond); got != want {
			t.Errorf("%g a second: %d, want %d", perSecond, got, want)
		}
	}
}
