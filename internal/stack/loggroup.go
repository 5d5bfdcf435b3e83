package stack

import "fmt"

// KindLogGroup is the kind of a log group of CloudWatch Logs.
const KindLogGroup Kind = "log-group"

var logGroupKind = properties{kind: KindLogGroup, uniqueName: true}

// AddressLogGroup is the address of the application's log group.
const AddressLogGroup = "log-group"

// AttrRetention is for how long a log group keeps events.
const AttrRetention AttributeKey = "retention"

// LogGroup keeps the log of the application's servers.
type LogGroup struct {
	GroupName string
	Days      int32 // of retention
}

// LogGroupName returns the name of an application's log group.
func LogGroupName(app string) string { return "/aloft/" + app }

// Retention returns a number of days as an attribute has it. Events of a group without
// retention stay for ever.
func Retention(days int32) string {
	if days == 0 {
		return "for ever"
	}
	return fmt.Sprintf("%dd", days)
}

// Kind implements Body.
func (LogGroup) Kind() Kind { return KindLogGroup }

// Title implements Body.
func (g LogGroup) Title() string {
	return fmt.Sprintf("log group %s, which keeps lines for %d days", g.GroupName, g.Days)
}

// Attributes implements Body.
func (g LogGroup) Attributes() []Attribute {
	return []Attribute{fixed(text(AttrName, g.GroupName)), text(AttrRetention, Retention(g.Days))}
}

// Needs implements Body.
func (LogGroup) Needs() []Ref { return nil }
