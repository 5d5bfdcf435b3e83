package stack

import (
	"fmt"
	"strings"
)

// KindSchedule is the kind of a scheduled action of an Auto Scaling group.
const KindSchedule Kind = "schedule"

var scheduleKind = properties{kind: KindSchedule, mayReferTo: []Kind{KindScalingGroup}, deletedWithOwner: true}

// Attributes of a schedule.
const (
	AttrCron     AttributeKey = "cron"
	AttrTimeZone AttributeKey = "time zone"
	AttrDesired  AttributeKey = "desired"
)

// Schedule sets the sizes of an Auto Scaling group at recurring times. A size of 0
// is left unchanged.
type Schedule struct {
	ActionName        string
	Group             Ref
	Cron, TimeZone    string
	Min, Max, Desired int
}

// ScheduleName returns the name of a schedule's action: "aloft-shop-schedule-1".
func ScheduleName(app, address string) string { return ScalingName(app) + "-" + address }

// Kind implements Body.
func (Schedule) Kind() Kind { return KindSchedule }

// Title implements Body.
func (s Schedule) Title() string {
	var sizes []string
	for _, size := range []struct {
		name  string
		value int
	}{{"min", s.Min}, {"max", s.Max}, {"desired", s.Desired}} {
		if size.value > 0 {
			sizes = append(sizes, fmt.Sprintf("%s %d", size.name, size.value))
		}
	}
	return fmt.Sprintf("schedule %s (%s): %s", s.Cron, s.TimeZone, strings.Join(sizes, ", "))
}

// Attributes implements Body.
func (s Schedule) Attributes() []Attribute {
	return []Attribute{
		fixed(ref(AttrGroup, s.Group)),
		text(AttrCron, s.Cron),
		text(AttrTimeZone, s.TimeZone),
		text(AttrMin, s.Min),
		text(AttrMax, s.Max),
		text(AttrDesired, s.Desired),
	}
}

// Needs implements Body.
func (Schedule) Needs() []Ref { return nil }
