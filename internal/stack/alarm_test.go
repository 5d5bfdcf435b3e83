package stack_test

import (
	"regexp"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// An email of an alarm names commands that can be typed as they are.
func TestTheAdviceOfAlarmsNamesTheStage(t *testing.T) {
	const text = "app: shop\nstart: x\nalerts: [a@example.com]\nstages: {live: {}}\n"
	s, err := spec.ParseStage([]byte(text), spec.FileName, t.TempDir(), "live")
	if err != nil {
		t.Fatal(err)
	}
	built, err := stack.Build(s, stack.Facts{Zones: zones(s), Release: "0123456789ab", Phase: stack.PhaseServe})
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`aloft [a-z]+( --stage live)?`)
	alarms := 0
	for _, r := range built.Resources {
		alarm, ok := r.Body.(stack.Alarm)
		if !ok {
			continue
		}
		alarms++
		commands := command.FindAllString(alarm.Advice, -1)
		for _, c := range commands {
			if !strings.HasSuffix(c, " --stage live") {
				t.Errorf("%s: %s needs the stage: %s", r.Address, c, alarm.Advice)
			}
		}
		if len(commands) == 0 {
			t.Errorf("%s names no command: %s", r.Address, alarm.Advice)
		}
	}
	if alarms != len(stack.AlarmAddresses()) {
		t.Errorf("the stack has %d alarms", alarms)
	}
}
