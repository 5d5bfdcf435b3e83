package stack

import (
	"fmt"
	"strings"
)

// KindAlarm is the kind of a CloudWatch alarm.
const KindAlarm Kind = "alarm"

var alarmKind = properties{
	kind:       KindAlarm,
	mayReferTo: []Kind{KindTopic, KindLoadBalancer, KindTargetGroup, KindListener, KindTarget, KindScalingGroup},
}

// Attributes of an alarm.
const (
	AttrCondition   AttributeKey = "condition"
	AttrAdvice      AttributeKey = "advice"
	AttrTells       AttributeKey = "tells"
	AttrTellsEnded  AttributeKey = "tells when it is over"
	AttrMissingData AttributeKey = "missing data"
)

// MissingIsFine is how all alarms treat minutes without data. Requests, errors and
// latencies are not measured in a minute without requests, and the health of targets is
// not while there are none; then requests fail and count as errors of the load balancer.
const MissingIsFine = "notBreaching"

// AlarmPeriod is the length in seconds of the periods that alarms look at.
const AlarmPeriod = 60

// Condition is when an alarm goes off: a statistic of a metric of the load balancer is
// beyond the threshold in each of some minutes.
type Condition struct {
	Metric     string  // of the namespace AWS/ApplicationELB
	Statistic  string  // "Sum", "p99"
	Comparison string  // as in CloudWatch: "GreaterThanOrEqualToThreshold"
	Threshold  float64 // in the metric's unit, or in percent of Of
	Minutes    int

	// Of is the metric of which the other is a share; empty: the condition is about no share.
	Of string
	// Least is the least that counts as a share: a few errors a minute are no share of users,
	// however few requests there are.
	Least float64
}

// String returns the condition as plans show it.
func (c Condition) String() string {
	threshold := fmt.Sprintf("%g", c.Threshold)
	if c.Of != "" {
		threshold = fmt.Sprintf("%g%% of %s and >= %g", c.Threshold, c.Of, c.Least)
	}
	return fmt.Sprintf(
		"%s of %s %s %s for %d minutes", c.Statistic, c.Metric, sign(c.Comparison), threshold, c.Minutes,
	)
}

func sign(comparison string) string {
	known := map[string]string{
		"GreaterThanOrEqualToThreshold": ">=", "GreaterThanThreshold": ">", "LessThanThreshold": "<",
		"LessThanOrEqualToThreshold": "<=",
	}
	if s, ok := known[comparison]; ok {
		return s
	}
	return comparison
}

// Alarm tells a topic of what users feel.
type Alarm struct {
	AlarmName    string
	What         string // happens, for the plan
	Advice       string // what to do, in the emails
	Condition    Condition
	LoadBalancer Ref
	TargetGroup  Ref // zero for metrics of the whole load balancer
	Topic        Ref
	Serving      []Ref // what has to serve first, so that the start is no alarm
}

// AlarmName returns the name of an application's alarm: "aloft-shop-alarm-down".
func AlarmName(app, address string) string { return ScalingName(app) + "-" + address }

// AlarmTitle returns what happens when the alarm at an address has gone off, or "" if there
// is no such alarm.
func AlarmTitle(address string) string {
	for _, a := range alarms {
		if a.address == address {
			return a.what
		}
	}
	return ""
}

// AlarmAddresses returns the addresses of all alarms.
func AlarmAddresses() []string {
	all := make([]string, len(alarms))
	for i, a := range alarms {
		all[i] = a.address
	}
	return all
}

// AlarmMetrics returns how many metrics all alarms watch, which is what they cost by.
func AlarmMetrics() (n int) {
	for _, a := range alarms {
		n++
		if a.condition.Of != "" {
			n++
		}
	}
	return n
}

// Kind implements Body.
func (Alarm) Kind() Kind { return KindAlarm }

// Title implements Body.
func (a Alarm) Title() string { return "alarm: " + a.What }

// Attributes implements Body.
func (a Alarm) Attributes() []Attribute {
	all := []Attribute{
		fixed(text(AttrName, a.AlarmName)),
		text(AttrCondition, a.Condition),
		text(AttrMissingData, MissingIsFine),
		text(AttrAdvice, a.Advice),
		text(AttrEnabled, Yes),
		ref(AttrTells, a.Topic),
		ref(AttrTellsEnded, a.Topic),
		ref(AttrLoadBalancer, a.LoadBalancer),
	}
	if a.TargetGroup != (Ref{}) {
		all = append(all, ref(AttrTargetGroup, a.TargetGroup))
	}
	return all
}

// Needs implements Body.
func (a Alarm) Needs() []Ref { return a.Serving }

// alert describes what an alarm of every application watches.
type alert struct {
	address   string
	what      string
	advice    string // with inStage after each command
	condition Condition
	ofTargets bool // the metric is measured for each target group
}

// inStage stands for the flag that commands need for a stage's application.
const inStage = "{stage}"

// adviceFor returns the advice for a stage: "" if the application has none.
func (a alert) adviceFor(stage string) string {
	flag := ""
	if stage != "" {
		flag = " --stage " + stage
	}
	return strings.ReplaceAll(a.advice, inStage, flag)
}

const (
	atLeast  = "GreaterThanOrEqualToThreshold"
	moreThan = "GreaterThanThreshold"
	lessThan = "LessThanThreshold"
)

// alarms are the alarms of an application. A release, the replacement of a server and a
// drill of the usual length end before they go off: each waits for minutes in a row.
// Names of metrics are from the Elastic Load Balancing User Guide, "CloudWatch metrics
// for your Application Load Balancer".
var alarms = []alert{
	{
		address: "alarm-down", what: "no server is healthy for 2 minutes", ofTargets: true,
		advice: "Nobody is served. Run: aloft status{stage}; then aloft logs{stage}. " +
			"If a release has just been made: aloft rollback{stage}.",
		condition: Condition{
			Metric: "HealthyHostCount", Statistic: "Maximum", Comparison: lessThan, Threshold: 1, Minutes: 2,
		},
	},
	{
		address: "alarm-unhealthy", what: "a server is unhealthy for 5 minutes", ofTargets: true,
		advice: "The others serve its share. Run: aloft status{stage}, which names the server; aloft logs{stage} " +
			"says why; aloft up{stage} replaces a server that is gone.",
		condition: Condition{
			Metric: "UnHealthyHostCount", Statistic: "Maximum", Comparison: atLeast, Threshold: 1, Minutes: 5,
		},
	},
	{
		address: "alarm-errors", what: "the application answers one of 100 requests with 5xx, for 3 minutes",
		advice: "The application fails. Run: aloft logs{stage}. " +
			"If it began with a release: aloft rollback{stage}.",
		condition: shareOfRequests("HTTPCode_Target_5XX_Count"),
	},
	{
		address: "alarm-refused", what: "the load balancer answers one of 100 requests with 5xx, for 3 minutes",
		advice: "Servers do not answer, or close connections early. Run: aloft status{stage}; then " +
			"aloft logs{stage}. With too few servers: aloft scale{stage}.",
		condition: shareOfRequests("HTTPCode_ELB_5XX_Count"),
	},
	{
		address: "alarm-slow", what: "one of 100 requests takes more than 2 s, for 5 minutes",
		advice: "Users wait. Run: aloft logs{stage}, for what is slow; with too few servers: aloft scale{stage}. " +
			"If it began with a release: aloft rollback{stage}.",
		condition: Condition{
			Metric: "TargetResponseTime", Statistic: "p99", Comparison: moreThan, Threshold: 2, Minutes: 5,
		},
	},
}

// shareOfRequests is that users feel errors: one of 100 requests fails, and not only a few.
func shareOfRequests(errors string) Condition {
	return Condition{
		Metric: errors, Statistic: "Sum", Of: "RequestCount", Least: 5, Comparison: atLeast, Threshold: 1, Minutes: 3,
	}
}

// addAlerts adds the topic and the alarms that tell it. They come last, when what they
// watch serves.
func (b *builder) addAlerts() {
	if len(b.spec.Alerts) == 0 {
		return
	}
	var serving []Ref
	for _, r := range b.stack.Resources {
		switch r.Body.Kind() {
		case KindTarget, KindScalingGroup, KindListener:
			serving = append(serving, id(r.Address))
		default:
		}
	}
	b.add(AddressTopic, "", Topic{TopicName: TopicName(b.spec.App), Emails: b.spec.Alerts})
	for _, a := range alarms {
		body := Alarm{
			AlarmName: AlarmName(b.spec.App, a.address), What: a.what, Advice: a.adviceFor(b.spec.Stage),
			Condition: a.condition, LoadBalancer: arn(AddressLoadBalancer), Topic: arn(AddressTopic),
			Serving: serving,
		}
		if a.ofTargets {
			body.TargetGroup = arn(AddressTargetGroup)
		}
		b.add(a.address, "", body)
	}
}
