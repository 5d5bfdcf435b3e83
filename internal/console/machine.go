package console

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/journal"
)

// machineMetric is a metric of a machine in the last half hour.
type machineMetric struct {
	Name, Unit string
	Values     Series
}

// machineMetrics are the metrics that the page of a machine shows (Amazon EC2 User Guide,
// CloudWatch metrics that are available for your instances).
var machineMetrics = []struct {
	metric, statistic, name, unit string
	scale                         float64
	perSecond                     bool // the values are sums of their minutes
}{
	{"CPUUtilization", "Average", "processor", "%", 1, false},
	{"NetworkIn", "Sum", "received", "kB/s", 1.0 / 1000, true},
	{"NetworkOut", "Sum", "sent", "kB/s", 1.0 / 1000, true},
	{"StatusCheckFailed_Instance", "Maximum", "failed status checks of the machine", "", 1, false},
	{"StatusCheckFailed_System", "Maximum", "failed status checks of the hardware", "", 1, false},
}

// measureMachine reads the metrics of a machine. A machine with basic monitoring has a value
// every five minutes, which is of all five.
func (c *Console) measureMachine(r *http.Request, id string) ([]machineMetric, error) {
	found := make([]machineMetric, len(machineMetrics))
	all := make([]statistic, len(machineMetrics))
	for i, m := range machineMetrics {
		found[i].Name, found[i].Unit = m.name, m.unit
		all[i] = statistic{
			"AWS/EC2", m.metric, m.statistic, []types.Dimension{{Name: aws.String("InstanceId"), Value: &id}}, m.scale,
			&found[i].Values,
		}
	}
	if err := c.readStatistics(r, all, c.Now().Truncate(trafficPeriod), trafficTime); err != nil {
		return nil, fmt.Errorf("measure %s: %w", id, err)
	}
	for i, m := range machineMetrics {
		values := found[i].Values
		minutes := values.spread()
		for n := range values {
			switch {
			case !m.perSecond || values[n] < 0:
			case minutes == 0: // of how many minutes the only value is, nobody knows
				values[n] = -1
			default:
				values[n] /= float64(minutes) * trafficPeriod.Seconds()
			}
		}
	}
	return found, nil
}

// Limits of the lines of a log that a page shows.
const (
	shownLines = 200
	shownTime  = 24 * time.Hour
)

// machineLog is the log of an application on a machine.
type machineLog struct {
	ID, Contains string // what the page is asked for
	Lines        []journal.Line
	Missing      bool // the application's log does not go to CloudWatch Logs
	Problem      string
}

// readLog reads the latest lines of an application's log that a machine wrote.
func (c *Console) readLog(r *http.Request, app, id string) *machineLog {
	found := &machineLog{ID: id, Contains: strings.TrimSpace(r.FormValue("contains"))}
	// Aloft writes the log of an application to the group of this name.
	reader := journal.Reader{API: c.clients(r.PathValue("region")).log, Group: "/aloft/" + app}
	err := reader.Read(r.Context(), journal.Query{
		Instance: id, Contains: found.Contains, Lines: shownLines, Since: c.Now().Add(-shownTime),
	}, func(l journal.Line) { found.Lines = append(found.Lines, l) })
	var missing *logtypes.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		found.Missing = true
	case err != nil: // the rest of the page is worth showing
		found.Problem = err.Error()
	}
	return found
}

// consoleOutput returns what a machine printed on its console lately, or why that cannot be read:
// AWS keeps it for an hour after the end of a machine, and has the latest of some types alone
// (Amazon EC2 API Reference, GetConsoleOutput).
func (c *Console) consoleOutput(r *http.Request, id string) (text, problem string) {
	out, err := c.clients(r.PathValue("region")).ec2.GetConsoleOutput(r.Context(), &ec2.GetConsoleOutputInput{
		InstanceId: &id, Latest: aws.Bool(true),
	})
	if err != nil {
		return "", err.Error()
	}
	data, err := base64.StdEncoding.DecodeString(aws.ToString(out.Output))
	if err != nil {
		return "", fmt.Sprintf("decode the console of %s: %v", id, err)
	}
	return strings.ToValidUTF8(string(data), "�"), ""
}

// machineSections returns the sections of a machine's page before those of every resource.
func (c *Console) machineSections(r *http.Request, data *resourceData) (sections []Section, err error) {
	metrics, err := c.measureMachine(r, data.ID)
	if err != nil {
		return nil, err
	}
	sections = append(sections, Section{ID: "metrics", Template: "metrics.html", Data: metrics})
	if app := data.tag("aloft:app"); app != "" {
		log := c.readLog(r, app, data.ID)
		sections = append(sections,
			Section{ID: "search", Template: "logform.html", Data: log, Fixed: true},
			Section{ID: "log", Template: "log.html", Data: log})
	}
	data.Console, data.NoConsole = c.consoleOutput(r, data.ID)
	return sections, nil
}
