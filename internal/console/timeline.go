package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

const (
	timelineSpan   = time.Hour
	timelineWindow = 10 * time.Minute // whose events are listed
	// shownMoments is how many events a page lists.
	shownMoments = 300
)

// Moment is an event of the timeline.
type Moment struct {
	At     time.Time
	Kind   string // "call", "activity", "alarm"
	Title  string
	Text   string
	Health Health
}

// timelineData is the last hour, and the events of ten minutes of it.
type timelineData struct {
	From, Until           time.Time // of the hour
	WindowFrom, WindowEnd time.Time
	Back                  int // minutes from the end of the hour to that of the window
	Requests, Errors      Series
	Calls, FailedCalls    Series
	HasCalls              bool
	Reads                 bool // calls that read are listed too
	Marks                 []Mark
	Moments               []Moment  // of the window, the latest first
	Left                  int       // that are not listed
	CallsSince            time.Time // earlier ones are not kept; zero: all of the hour are
}

// Mark is an event in the drawing of the hour.
type Mark struct {
	X      float64
	Health Health
	Alarm  bool
}

// Width of the drawing.
const timelineWidth = 600

// x returns where an instant of the hour is drawn.
func (d timelineData) x(at time.Time) float64 {
	return timelineWidth * at.Sub(d.From).Seconds() / timelineSpan.Seconds()
}

// WindowX and WindowWidth place the window.
func (d timelineData) WindowX() float64 { return max(0, d.x(d.WindowFrom)) }

// WindowWidth returns how wide the window is drawn.
func (d timelineData) WindowWidth() float64 { return d.x(d.WindowEnd) - d.WindowX() }

// Bars returns a path of a bar for each minute of a series, into a height at a vertical position.
func (d timelineData) Bars(s Series, top, height float64) string {
	highest := 0.0
	for _, v := range s {
		highest = max(highest, v)
	}
	return bars(s, highest, top, height)
}

// BarsOf draws a series at the scale of another one.
func (d timelineData) BarsOf(s, scale Series, top, height float64) string {
	highest := 0.0
	for _, v := range scale {
		highest = max(highest, v)
	}
	return bars(s, highest, top, height)
}

func bars(s Series, highest, top, height float64) string {
	var out strings.Builder
	if len(s) == 0 {
		return ""
	}
	each := timelineWidth / float64(len(s))
	for i, v := range s {
		if v > 0 && highest > 0 {
			fmt.Fprintf(&out, "M%.1f %.1fh%.1fv%.1fh-%.1fz",
				float64(i)*each, top+height, each-1, -v/highest*height, each-1)
		}
	}
	return out.String()
}

// Sum returns the sum of a series in words.
func (s Series) Sum() string {
	sum := 0.0
	for _, v := range s {
		sum += max(v, 0)
	}
	return number(sum)
}

// timelinePage shows the last hour.
func (c *Console) timelinePage(r *http.Request) (View, error) {
	d, err := c.timeline(r)
	if err != nil {
		return View{}, err
	}
	return View{Title: "Timeline", Current: "timeline", Sections: []Section{
		{ID: "scroll", Template: "timelineform.html", Data: d, Fixed: true},
		{ID: "timeline", Template: "timeline.html", Data: d},
	}}, nil
}

// newTimeline returns the hour and the window that a request asks for: minutes back, or the
// window's end, for addresses that can be kept.
func newTimeline(r *http.Request, now time.Time) timelineData {
	d := timelineData{Until: now.Truncate(time.Minute).Add(time.Minute), Reads: r.FormValue("reads") != ""}
	d.From = d.Until.Add(-timelineSpan)
	d.WindowEnd = d.Until
	if back, err := strconv.Atoi(r.FormValue("back")); err == nil {
		d.WindowEnd = d.Until.Add(-time.Duration(min(max(back, 0), 60)) * time.Minute)
	}
	if end, err := time.Parse(time.RFC3339, r.FormValue("until")); err == nil {
		d.WindowEnd = end.UTC()
	}
	earliest := d.From.Add(timelineWindow)
	if d.WindowEnd.Before(earliest) {
		d.WindowEnd = earliest
	}
	if d.WindowEnd.After(d.Until) {
		d.WindowEnd = d.Until
	}
	d.WindowFrom = d.WindowEnd.Add(-timelineWindow)
	d.Back = int(d.Until.Sub(d.WindowEnd) / time.Minute)
	return d
}

func (c *Console) timeline(r *http.Request) (timelineData, error) {
	d := newTimeline(r, c.Now())
	all, err := c.inventory(r)
	if err != nil {
		return d, err
	}
	rows, err := c.trafficOf(r, all, d.Until, timelineSpan, false)
	if err != nil {
		return d, err
	}
	d.Requests, d.Errors = sumOf(rows, func(t *Traffic) Series { return t.Requests }),
		sumOf(rows, func(t *Traffic) Series { return t.Errors })
	clients := c.clients(r.PathValue("region"))
	activities, err := c.activities(r, clients, maxActivities)
	if err != nil {
		return d, err
	}
	for _, a := range activities {
		d.add(Moment{At: a.At, Kind: "activity", Title: a.Group, Text: a.Text + " " + a.Status, Health: a.Health})
	}
	if err := c.addAlarms(r, clients, &d); err != nil {
		return d, err
	}
	if c.Calls != nil {
		c.Calls.addTo(&d)
	}
	slices.SortStableFunc(d.Moments, func(a, b Moment) int { return b.At.Compare(a.At) })
	d.Left = max(0, len(d.Moments)-shownMoments)
	d.Moments = d.Moments[:len(d.Moments)-d.Left]
	return d, nil
}

// add adds an event: a mark if it is of the hour, and to the list if it is of the window.
func (d *timelineData) add(m Moment) {
	if m.At.Before(d.From) || m.At.After(d.Until) {
		return
	}
	d.Marks = append(d.Marks, Mark{X: d.x(m.At), Health: m.Health, Alarm: m.Kind == "alarm"})
	d.list(m)
}

// list lists an event of the window.
func (d *timelineData) list(m Moment) {
	if !m.At.Before(d.WindowFrom) && m.At.Before(d.WindowEnd) {
		d.Moments = append(d.Moments, m)
	}
}

// sumOf adds up series of minutes.
func sumOf(rows []*Traffic, of func(*Traffic) Series) Series {
	var sum Series
	for _, row := range rows {
		s := of(row)
		if sum == nil {
			sum = make(Series, len(s))
		}
		for i := range min(len(s), len(sum)) {
			sum[i] += max(s[i], 0)
		}
	}
	return sum
}

// maxActivities is how many activities one call returns at most (Amazon EC2 Auto Scaling API
// Reference, DescribeScalingActivities).
const maxActivities = 100

// addAlarms adds the changes of alarms' states.
func (c *Console) addAlarms(r *http.Request, clients clients, d *timelineData) error {
	pages := cloudwatch.NewDescribeAlarmHistoryPaginator(clients.cw, &cloudwatch.DescribeAlarmHistoryInput{
		HistoryItemType: types.HistoryItemTypeStateUpdate, StartDate: &d.From, EndDate: &d.Until,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(r.Context())
		if err != nil {
			return fmt.Errorf("read the alarms' history: %w", err)
		}
		for _, item := range page.AlarmHistoryItems {
			var data struct {
				NewState struct{ StateValue types.StateValue }
			}
			_ = json.Unmarshal([]byte(aws.ToString(item.HistoryData)), &data) // the summary says it too
			d.add(Moment{
				At: aws.ToTime(item.Timestamp), Kind: "alarm", Title: aws.ToString(item.AlarmName),
				Text:   aws.ToString(item.HistorySummary),
				Health: cmp.Or(alarmHealth[data.NewState.StateValue], Waiting),
			})
		}
	}
	return nil
}

// addTo adds the calls of the hour to its drawing, and those of the window to its list.
func (c *Calls) addTo(d *timelineData) {
	d.HasCalls = true
	d.Calls, d.FailedCalls = make(Series, timelineSpan/time.Minute), make(Series, timelineSpan/time.Minute)
	c.since(d.From, func(call Call) {
		minute := int(call.At.Sub(d.From) / time.Minute)
		if minute < 0 || minute >= len(d.Calls) {
			return
		}
		d.Calls[minute]++
		if call.Failed() {
			d.FailedCalls[minute]++
		}
		if !d.Reads && !call.Failed() && call.reads() {
			return
		}
		m := Moment{At: call.At, Kind: "call", Title: call.Service + " " + call.Operation, Health: Good}
		if call.Failed() {
			m.Health, m.Text = Bad, call.Code
		}
		d.list(m)
	})
	if oldest, full := c.oldest(); full && oldest.After(d.From) {
		d.CallsSince = oldest
	}
}

// reads reports whether the call changes nothing, by its name.
func (c Call) reads() bool {
	return slices.ContainsFunc([]string{"Describe", "Get", "List", "Head", "Query"}, func(verb string) bool {
		return strings.HasPrefix(c.Operation, verb)
	})
}
