package journal

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// group is a log group that answers in pages of two events. Each event is a stream, a time
// in seconds after start, and a message.
type group struct {
	events []string
	inputs []cloudwatchlogs.FilterLogEventsInput
}

var start = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func (g *group) FilterLogEvents(
	_ context.Context, in *cloudwatchlogs.FilterLogEventsInput, _ ...func(*cloudwatchlogs.Options),
) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	g.inputs = append(g.inputs, *in)
	var all []types.FilteredLogEvent
	for i, text := range g.events {
		words := strings.Fields(text)
		seconds, err := strconv.Atoi(words[1])
		if err != nil {
			return nil, err
		}
		at := start.Add(time.Duration(seconds) * time.Second).UnixMilli()
		if at < aws.ToInt64(in.StartTime) || !strings.HasPrefix(words[0], aws.ToString(in.LogStreamNamePrefix)) {
			continue
		}
		all = append(all, types.FilteredLogEvent{
			EventId: aws.String(fmt.Sprint(i)), LogStreamName: &words[0], Timestamp: &at, Message: &words[2],
		})
	}
	if in.StartFromHead != nil && !*in.StartFromHead {
		for i := range len(all) / 2 {
			all[i], all[len(all)-1-i] = all[len(all)-1-i], all[i]
		}
	}
	from, _ := strconv.Atoi(aws.ToString(in.NextToken))
	out := &cloudwatchlogs.FilterLogEventsOutput{Events: all[from:min(from+2, len(all))]}
	if from+2 < len(all) {
		out.NextToken = aws.String(strconv.Itoa(from + 2))
	}
	return out, nil
}

func read(t *testing.T, g *group, q Query) string {
	t.Helper()
	var all []string
	r := Reader{API: g, Group: "/aloft/shop", Poll: time.Second}
	err := r.Read(t.Context(), q, func(l Line) {
		all = append(all, l.Instance+"/"+l.Process+":"+l.Text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestRead(t *testing.T) {
	g := &group{events: []string{"i-1/web 1 a", "i-2/web 2 b", "i-1/worker 3 c", "i-1/web 4 d", "i-2/worker 5 e"}}
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{}, "i-1/web:a i-2/web:b i-1/worker:c i-1/web:d i-2/worker:e"},
		{Query{Lines: 3}, "i-1/worker:c i-1/web:d i-2/worker:e"},
		{Query{Lines: 9}, "i-1/web:a i-2/web:b i-1/worker:c i-1/web:d i-2/worker:e"},
		{Query{Instance: "i-1"}, "i-1/web:a i-1/worker:c i-1/web:d"},
		{Query{Instance: "i-1", Process: "web", Lines: 1}, "i-1/web:d"},
		{Query{Process: "worker"}, "i-1/worker:c i-2/worker:e"},
		{Query{Since: start.Add(4 * time.Second)}, "i-1/web:d i-2/worker:e"},
	} {
		if got := read(t, g, c.q); got != c.want {
			t.Errorf("%+v: got %s", c.q, got)
		}
	}
	g = &group{}
	read(t, g, Query{Contains: `say "no" \o/`, Until: start})
	in := g.inputs[0]
	if *in.FilterPattern != `"say \"no\" \\o/"` || *in.EndTime != start.UnixMilli() ||
		*in.LogGroupName != "/aloft/shop" {
		t.Errorf("got %s until %d in %s", *in.FilterPattern, *in.EndTime, *in.LogGroupName)
	}
}

func TestFollowShowsEachLineOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &group{events: []string{"i-1/web 100 a", "i-1/web 200 b"}}
		ctx, cancel := context.WithCancel(t.Context())
		var all []string
		r := Reader{API: g, Group: "/aloft/shop", Poll: time.Second}
		more := []string{"i-1/web 1000 c", "i-2/web 900 late", "i-1/web 1001 d", "i-1/web 1002 e"}
		err := r.Read(ctx, Query{Lines: 1, Follow: true}, func(l Line) {
			all = append(all, l.Text)
			if len(more) == 0 {
				cancel()
				return
			}
			g.events, more = append(g.events, more[0]), more[1:]
		})
		if got := strings.Join(all, " "); err != nil || got != "b c late d e" {
			t.Errorf("got %s, %v", got, err)
		}
		if last := g.inputs[len(g.inputs)-1]; *last.StartTime < start.Add(600*time.Second).UnixMilli() {
			t.Errorf("it still asks for lines since %v", time.UnixMilli(*last.StartTime).Sub(start))
		}
	})
}
