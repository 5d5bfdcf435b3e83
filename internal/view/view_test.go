package view_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/preflight"
	"aloft.dev/aloft/internal/view"
)

func TestAPipeGetsOneLineAnEventAndNoColours(t *testing.T) {
	var out bytes.Buffer
	p := view.NewPlain(&out, view.Style{})
	for _, e := range []event.Event{
		{Kind: event.Start, Address: "vpc", Step: "1", Message: "create VPC 10.0.0.0/16"},
		{Kind: event.Progress, Address: "vpc", Message: "waiting: pending"},
		{Kind: event.Progress, Address: "vpc", Message: "waiting: pending"},
		{Kind: event.Output, Address: "server-1", Step: "15", Message: "added 63 packages\r\n"},
		{Kind: event.Done, Address: "vpc", Step: "1", Message: "VPC vpc-1", Elapsed: 1234 * time.Millisecond},
		{Kind: event.Fail, Address: "image", Message: "disk full", Elapsed: 75 * time.Second},
	} {
		p.Event(e)
	}
	want := strings.Join([]string{
		"· step 1      vpc                  create VPC 10.0.0.0/16",
		"…             vpc                  waiting: pending",
		"│ step 15     server-1             added 63 packages",
		"✓ step 1      vpc                  VPC vpc-1  1.2s",
		"✗             image                disk full  1m15s",
		"",
	}, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestALiveViewLeavesWhatIsFinishedOnTheScreen(t *testing.T) {
	var out bytes.Buffer
	l := view.NewLive(&out, view.Style{})
	l.Event(event.Event{Kind: event.Start, Time: time.Now(), Address: "vpc", Message: "create VPC"})
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprintf("VPC vpc-%d.", i))
		l.Event(event.Event{Kind: event.Done, Address: "vpc", Message: want[i]})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	rest := out.String()
	for _, line := range want {
		_, after, found := strings.Cut(rest, line)
		if !found {
			t.Fatalf("%q is missing, or not where it belongs, in %q", line, out.String())
		}
		rest = after
	}
}

func TestAProblemTellsWhereWhatWhyAndTheRemedy(t *testing.T) {
	var out bytes.Buffer
	view.Style{}.Problems(&out, diag.List{
		{
			Where:   "server-1",
			Summary: "npm ci failed (exit 1)",
			Detail:  "npm ERR! a\nnpm ERR! b\n",
			Hint:    "fix package.json\nrun aloft up again",
		},
	})
	want := "Error: server-1: npm ci failed (exit 1)\n  │ npm ERR! a\n  │ npm ERR! b\n" +
		"  → fix package.json\n    run aloft up again\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// A server decides on what its output and its errors contain.
func TestServersDoNotControlTheTerminal(t *testing.T) {
	const hostile = "\x1b[2J\u009b2J\u202e\x07\x9b\u0085text"
	problem := diag.List{{Where: hostile, Summary: hostile, Detail: hostile, Hint: hostile}}
	happened := event.Event{Kind: event.Output, Address: "server-1", Message: hostile}
	for name, show := range map[string]func(io.Writer){
		"problems":   func(out io.Writer) { view.Style{}.Problems(out, problem) },
		"JSON":       func(out io.Writer) { _ = view.ProblemsJSON(out, problem) },
		"line":       func(out io.Writer) { view.NewPlain(out, view.Style{}).Event(happened) },
		"JSON lines": func(out io.Writer) { view.NewJSONLines(out).Event(happened) },
		"checks": func(out io.Writer) {
			view.Style{}.Checks(out, preflight.Report{{Name: "a", State: preflight.Failed, Problems: problem}})
		},
	} {
		var out bytes.Buffer
		show(&out)
		for _, control := range []string{"\x1b", "\u009b", "\u202e", "\x07", "\x9b2", "\u0085"} {
			if strings.Contains(out.String(), control) || !strings.Contains(out.String(), "text") {
				t.Errorf("%s: %q", name, out.String())
			}
		}
	}
}

func TestJSONKeepsTheText(t *testing.T) {
	const text = "日本 \u009b \u202e \x7f \x1b é"
	var out bytes.Buffer
	var got map[string]string
	if err := view.JSON(&out, map[string]string{"a": text}); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got["a"] != text {
		t.Errorf("%q %v", got, err)
	}
}
