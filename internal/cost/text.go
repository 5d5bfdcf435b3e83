package cost

import (
	"fmt"
	"strconv"
	"strings"
)

// String prints the estimate for people: a line for each part, the sum, and what the
// sum does not contain.
func (e *Estimate) String() string {
	var out strings.Builder
	for _, l := range e.Lines {
		amount := "no price known"
		quantity := strconv.FormatFloat(l.Quantity, 'f', -1, 64)
		detail := quantity
		if l.Known {
			amount = fmt.Sprintf("$%.2f", l.Monthly)
			detail = fmt.Sprintf("%s × $%s %s", quantity, strconv.FormatFloat(l.Price, 'f', -1, 64), units[l.Unit])
		}
		if l.Note != "" {
			detail += " (" + l.Note + ")"
		}
		_, _ = fmt.Fprintf(&out, "  %-23s %14s   %s\n", l.Item, amount, detail)
	}
	_, _ = fmt.Fprintf(&out, "  %-23s %14s   a month in %s\n", "sum", e.Sum(), e.Region)
	if e.Spare != nil {
		_, _ = fmt.Fprintf(&out, "\n$%.2f of it is for %d of the %d servers, so that any zone can be lost.\n",
			e.Spare.Monthly, e.Spare.Servers, int(e.Lines[0].Quantity))
	}
	if e.Maximum != nil {
		_, _ = fmt.Fprintf(&out, "\nIt is $%.2f with %d servers, the most that the group may have.\n",
			e.Maximum.Monthly, e.Maximum.Servers)
	}
	_, _ = fmt.Fprintf(&out, "\nPrices: %s, of %s. Not included: data transfer and machines that build releases.\n",
		e.Source, e.Date)
	return out.String()
}

// units are the units of prices in words.
var units = map[string]string{"hour": "an hour", "month": "a month", "GB-month": "a GB and month"}

// Sum returns the sum for people: "$71.28", or "at least $48.50".
func (e *Estimate) Sum() string {
	sum := fmt.Sprintf("$%.2f", e.Monthly)
	if e.AtLeast {
		return "at least " + sum
	}
	return sum
}
