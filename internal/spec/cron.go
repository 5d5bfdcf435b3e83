package spec

import (
	"fmt"
	"strings"
)

// cronFields are the fields of a cron expression in Auto Scaling (Amazon EC2 Auto
// Scaling User Guide, "Scheduled scaling: recurring schedules").
var cronFields = []struct {
	name     string
	from, to int
	names    []string // of the values, beginning with from
}{
	{"minute", 0, 59, nil}, {"hour", 0, 23, nil}, {"day of the month", 1, 31, nil},
	{"month", 1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
	{"day of the week", 0, 7, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
}

// cronProblem returns what is wrong with a cron expression, or "" if it is valid.
func cronProblem(expression string) string {
	fields := strings.Fields(expression)
	if len(fields) != len(cronFields) {
		return fmt.Sprintf("it has %d fields instead of %d", len(fields), len(cronFields))
	}
	for i, field := range fields {
		for item := range strings.SplitSeq(field, ",") {
			if !validCronItem(item, cronFields[i].from, cronFields[i].to, cronFields[i].names) {
				return fmt.Sprintf("%q is no %s", item, cronFields[i].name)
			}
		}
	}
	return ""
}

// validCronItem reports whether an item is *, a value or a range, with or without
// a step.
func validCronItem(item string, from, to int, names []string) bool {
	span, step, stepped := strings.Cut(item, "/")
	if n, ok := parseCronNumber(step); stepped && (!ok || n < 1 || n > to) {
		return false
	}
	if span == "*" {
		return true
	}
	first, last, ranged := strings.Cut(span, "-")
	a, ok := parseCronValue(first, from, to, names)
	if !ok || !ranged {
		return ok
	}
	b, ok := parseCronValue(last, from, to, names)
	return ok && a <= b
}

func parseCronValue(text string, from, to int, names []string) (int, bool) {
	for i, name := range names {
		if strings.EqualFold(text, name) {
			return from + i, true
		}
	}
	n, ok := parseCronNumber(text)
	return n, ok && n >= from && n <= to
}

// parseCronNumber parses one to four digits. Unlike strconv.Atoi it accepts no
// sign.
func parseCronNumber(text string) (int, bool) {
	n := 0
	for _, r := range text {
		if r < '0' || r > '9' {
			return 0, false
		}
		n = 10*n + int(r-'0')
	}
	return n, text != "" && len(text) <= 4
}
