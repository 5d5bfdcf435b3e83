//go:build linux

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/load"
)

func TestTraceOfAnUnfinishedRun(t *testing.T) {
	run := trace{
		tripled: 100 * time.Second,
		grows:   290 * time.Second,
		grown:   330 * time.Second,
		fallen:  430 * time.Second,
	}
	for at := 5 * time.Second; at < 560*time.Second; at += interval {
		p := point{
			at:        at,
			Desired:   3,
			InService: 3,
			low:       apply.ScalingAlarm{State: "OK", Needed: 15},
			high:      apply.ScalingAlarm{State: "OK"},
			next:      "<no change>",
		}
		switch {
		case at < 60*time.Second:
			p.high.State, p.low.State = "INSUFFICIENT_DATA", "INSUFFICIENT_DATA"
		case at < run.tripled+60*time.Second:
			p.value = 640
		case at < run.grown:
			p.value = 1920
		case at < run.fallen+60*time.Second:
			p.value = 960
		default:
			p.value, p.low.Beyond = 320, 1
		}
		if at >= run.grows {
			p.Desired, p.high.State = 6, "ALARM"
		}
		if at >= run.grown {
			p.InService, p.high.State = 6, "OK"
		}
		run.points = append(run.points, p)
	}
	for at := time.Duration(0); at < 560*time.Second; at += time.Second / 10 {
		run.requests.Samples = append(run.requests.Samples, load.Sample{At: at, Kind: load.OK})
	}
	run.requests.Samples[1000].Kind = load.BadGateway
	for d := xml.NewDecoder(bytes.NewReader(run.svg())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if r := run.result(); r.Most != 6 || r.Failed != 1 || r.Grows == nil || *r.Grows != 190 || r.Shrinks != nil ||
		r.LowBeyond != 1 {
		t.Errorf("got result %+v", r)
	}
}
