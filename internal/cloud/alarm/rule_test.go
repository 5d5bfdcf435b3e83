package alarm

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestRulesCombineStatesOfAlarms(t *testing.T) {
	states := map[string]string{"hot": InAlarm, "calm": OK, "new": InsufficientData, "two words": InAlarm}
	const arn = "arn:aws:cloudwatch:r:000000000000:alarm:"
	for text, want := range map[string]bool{
		"TRUE":                         true,
		"false":                        false,
		"ALARM(hot)":                   true,
		`ALARM("two words")`:           true,
		`ALARM( "hot" )`:               true,
		"ALARM(" + arn + "hot)":        true,
		`OK("` + arn + `hot")`:         false,
		"OK(calm)":                     true,
		"INSUFFICIENT_DATA(new)":       true,
		"ALARM(gone)":                  false,
		"NOT ALARM(hot)":               false,
		"NOT NOT ALARM(hot)":           true,
		"ALARM(hot) AND ALARM(calm)":   false,
		"ALARM(hot)\n OR ALARM(calm)":  true,
		"TRUE OR FALSE AND FALSE":      true,
		"(TRUE OR FALSE) AND FALSE":    false,
		"NOT FALSE AND TRUE":           true,
		"NOT (FALSE OR TRUE)":          false,
		"ALARM(hot) and not OK(hot)":   true,
		"((ALARM(hot)))AND(OK(calm))":  true,
		"FALSE OR FALSE OR ALARM(hot)": true,
	} {
		rule, err := ParseRule("r", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := rule.Holds(func(name string) string { return states[name] }); got != want {
			t.Errorf("%s is %t", text, got)
		}
	}
	rule, err := ParseRule("r", "ALARM(b) OR OK(a) OR ALARM("+arn+"b)")
	if err != nil || !slices.Equal(rule.Children, []string{"b", "a"}) {
		t.Errorf("children %v, %v", rule.Children, err)
	}
}

func TestWrongRulesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "is missing at the end",
		"ALARM(a) AND":                           "is missing at the end",
		"ALARM":                                  "( is missing",
		"ALARM(":                                 ") is missing",
		`ALARM("a)`:                              `" is missing`,
		`ALARM("a"`:                              ") is missing",
		"ALARM()":                                "is no alarm",
		"ALARM(two words)":                       "quotation marks",
		"ALARM(a) ALARM(b)":                      "unexpected",
		"(TRUE":                                  ") is missing",
		"TRUE)":                                  "unexpected",
		"MAYBE(a)":                               "is missing before",
		"ALARM(arn:aws:sns:r:1:a)":               "is no alarm of this account",
		strings.Repeat("(", 600):                 "500 elements",
		strings.Repeat("TRUE OR ", 500) + "TRUE": "500 elements",
	} {
		if _, err := ParseRule("r", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
	if _, err := ParseRule("r", "AT_LEAST(1, ALARM, (a, b))"); !errors.Is(err, ErrAtLeast) {
		t.Errorf("AT_LEAST: %v", err)
	}
	var many []string
	for i := range 101 {
		many = append(many, "ALARM(a"+strings.Repeat("a", i)+")")
	}
	_, err := ParseRule("r", strings.Join(many, " OR "))
	if err == nil || !strings.Contains(err.Error(), "100 alarms") {
		t.Errorf("101 children: %v", err)
	}
}

func FuzzParseRule(f *testing.F) {
	f.Add(`(ALARM("a") OR NOT OK(b)) AND TRUE`)
	f.Fuzz(func(_ *testing.T, text string) {
		if rule, err := ParseRule("r", text); err == nil {
			rule.Holds(func(string) string { return InAlarm }) // must not panic
		}
	})
}
