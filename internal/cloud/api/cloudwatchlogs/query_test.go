package cloudwatchlogs_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// running runs a test of queries, which run while it waits.
func running(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(w.ctx)
		ended := make(chan error)
		go func() { ended <- w.API.Run(ctx) }()
		defer func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}()
		test(w)
	})
}

// start starts a query of the group over the last hour.
func (w *world) start(text string, change ...func(in *client.StartQueryInput)) (id string, err error) {
	in := &client.StartQueryInput{
		LogGroupName: aws.String(group), QueryString: &text, StartTime: aws.Int64(w.now.Add(-time.Hour).Unix()),
		EndTime: aws.Int64(w.now.Unix()),
	}
	for _, f := range change {
		f(in)
	}
	out, err := w.StartQuery(w.ctx, in)
	if err != nil {
		return "", err
	}
	return *out.QueryId, nil
}

// results returns the results of a query, a line each.
func (w *world) results(id string) (*client.GetQueryResultsOutput, string) {
	w.Helper()
	synctest.Wait()
	out, err := w.GetQueryResults(w.ctx, &client.GetQueryResultsInput{QueryId: &id})
	if err != nil {
		w.Fatal(err)
	}
	var lines []string
	for _, row := range out.Results {
		var parts []string
		for _, f := range row {
			if *f.Field != "@ptr" {
				parts = append(parts, *f.Field+"="+*f.Value)
			}
		}
		lines = append(lines, strings.Join(parts, " "))
	}
	return out, strings.Join(lines, "; ")
}

func TestQueriesReadTheEventsOfGroups(t *testing.T) {
	running(t, func(w *world) {
		w.streams(stream, "web/i-2")
		w.must(w.put(stream, `-7200 {"ms":1}`, `-3 {"ms":2}`, `-1 {"ms":4}`))
		w.must(w.put("web/i-2", `-2 {"ms":8}`, `0 {"ms":16}`))
		id, err := w.start("fields ms, @logStream, @log | filter ms < 16")
		if err != nil {
			t.Fatal(err)
		}
		out, got := w.results(id)
		const log = " @log=000000000000:" + group
		want := "ms=4 @logStream=web/i-1" + log + "; ms=8 @logStream=web/i-2" + log + "; ms=2 @logStream=web/i-1" + log
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		s := out.Statistics
		if out.Status != types.QueryStatusComplete || s.RecordsScanned != 4 || s.RecordsMatched != 3 ||
			s.BytesScanned != 33 || s.LogGroupsScanned != 1 || s.ResultCount != 3 {
			t.Errorf("got %s %+v", out.Status, s)
		}
		pointer := out.Results[0][3].Value
		record, err := w.GetLogRecord(w.ctx, &client.GetLogRecordInput{LogRecordPointer: pointer})
		if err != nil || record.LogRecord["ms"] != "4" || record.LogRecord["@message"] != `{"ms":4}` {
			t.Errorf("got record %v, %v", record, err)
		}
		page, err := w.GetQueryResults(w.ctx, &client.GetQueryResultsInput{QueryId: &id, MaxItems: aws.Int32(2)})
		if err != nil || len(page.Results) != 2 {
			t.Fatalf("got %d results of a page, %v", len(page.Results), err)
		}
		page, err = w.GetQueryResults(w.ctx, &client.GetQueryResultsInput{QueryId: &id, NextToken: page.NextToken})
		if err != nil || len(page.Results) != 1 || page.NextToken != nil {
			t.Errorf("got %d results of the last page, %v", len(page.Results), err)
		}
	})
}

func TestQueriesSeeNoExpiredEvents(t *testing.T) {
	running(t, func(w *world) {
		w.streams(stream)
		w.must(w.put(stream, "-90000 old"))
		w.must(w.put(stream, "-1 new"))
		w.must(w.PutRetentionPolicy(w.ctx, &client.PutRetentionPolicyInput{
			LogGroupName: aws.String(group), RetentionInDays: aws.Int32(1),
		}))
		id, err := w.start("fields @message", func(in *client.StartQueryInput) { in.StartTime = aws.Int64(0) })
		if err != nil {
			t.Fatal(err)
		}
		if _, got := w.results(id); got != "@message=new" {
			t.Errorf("got %s", got)
		}
	})
}

func TestQueriesAreListedAndStopped(t *testing.T) {
	running(t, func(w *world) {
		w.streams(stream)
		var ids []string
		for _, text := range []string{"stats count(*)", "fields @message"} {
			id, err := w.start(text)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		synctest.Wait()
		list := func(in client.DescribeQueriesInput) (found []string, next *string) {
			out, err := w.DescribeQueries(w.ctx, &in)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range out.Queries {
				found = append(found, *q.QueryId)
			}
			return found, out.NextToken
		}
		slices.Reverse(ids)
		if got, _ := list(client.DescribeQueriesInput{}); !slices.Equal(got, ids) {
			t.Errorf("got %v, want %v", got, ids)
		}
		first, next := list(client.DescribeQueriesInput{MaxResults: aws.Int32(1)})
		second, last := list(client.DescribeQueriesInput{MaxResults: aws.Int32(1), NextToken: next})
		if !slices.Equal(slices.Concat(first, second), ids) || last != nil {
			t.Errorf("got pages %v %v", first, second)
		}
		if got, _ := list(client.DescribeQueriesInput{Status: types.QueryStatusRunning}); got != nil {
			t.Errorf("%v run", got)
		}
		_, err := w.StopQuery(w.ctx, &client.StopQueryInput{QueryId: &ids[0]})
		if err == nil || !strings.HasPrefix(err.Error(), "InvalidParameterException") {
			t.Errorf("a query that has ended: %v", err)
		}
	})
}

func TestAQueryThatWaitsIsStopped(t *testing.T) {
	w := newWorld(t) // nothing runs queries
	id, err := w.start("fields @message")
	if err != nil {
		t.Fatal(err)
	}
	w.must(w.StopQuery(w.ctx, &client.StopQueryInput{QueryId: &id}))
	out, err := w.GetQueryResults(w.ctx, &client.GetQueryResultsInput{QueryId: &id})
	if err != nil || out.Status != types.QueryStatusCancelled {
		t.Errorf("got %v, %v", out, err)
	}
	for range 30 {
		if _, err := w.start("fields @message"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.start("fields @message"); err == nil || !strings.HasPrefix(err.Error(), "LimitExceededException") {
		t.Errorf("the 31st query: %v", err)
	}
}

func TestQueriesThatAWSRefuses(t *testing.T) {
	w := newWorld(t)
	const invalid = "InvalidParameterException"
	for name, test := range map[string]struct {
		text   string
		change func(in *client.StartQueryInput)
		want   string
	}{
		"a malformed query": {"fild x", nil, "MalformedQueryException: unexpected symbol found fild"},
		"no group": {
			"fields x", func(in *client.StartQueryInput) { in.LogGroupName = nil }, invalid,
		},
		"two ways": {
			"fields x", func(in *client.StartQueryInput) { in.LogGroupNames = []string{group} }, invalid,
		},
		"an unknown group": {
			"fields x", func(in *client.StartQueryInput) { in.LogGroupName = aws.String("none") },
			"ResourceNotFoundException: Log group 'none' does not exist for account ID '000000000000'",
		},
		"another account's group": {
			"fields x", func(in *client.StartQueryInput) {
				in.LogGroupName = nil
				in.LogGroupIdentifiers = []string{"arn:aws:logs:us-east-1:111122223333:log-group:x"}
			}, "ResourceNotFoundException",
		},
		"backwards": {"fields x", func(in *client.StartQueryInput) { in.EndTime = aws.Int64(1) }, invalid},
		"before the group": {
			"fields x", func(in *client.StartQueryInput) { in.StartTime, in.EndTime = aws.Int64(1), aws.Int64(2) },
			"MalformedQueryException: Query's end date and time",
		},
		"a limit": {"fields x", func(in *client.StartQueryInput) { in.Limit = aws.Int32(10001) }, invalid},
		"SQL": {
			"fields x", func(in *client.StartQueryInput) { in.QueryLanguage = types.QueryLanguageSql },
			"NotImplemented",
		},
	} {
		change := test.change
		if change == nil {
			change = func(*client.StartQueryInput) {}
		}
		if _, err := w.start(test.text, change); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	_, err := w.GetQueryResults(w.ctx, &client.GetQueryResultsInput{QueryId: aws.String("none")})
	if err == nil || !strings.HasPrefix(err.Error(), "ResourceNotFoundException") {
		t.Errorf("an unknown query: %v", err)
	}
}

func TestQueryDefinitions(t *testing.T) {
	w := newWorld(t)
	put := func(in client.PutQueryDefinitionInput) string {
		t.Helper()
		in.QueryString = aws.String("fields @message")
		out, err := w.PutQueryDefinition(w.ctx, &in)
		if err != nil {
			t.Fatal(err)
		}
		return *out.QueryDefinitionId
	}
	token := aws.String("0123456789-0123456789-0123456789-012345")
	first := put(client.PutQueryDefinitionInput{Name: aws.String("shop/a"), ClientToken: token})
	if again := put(client.PutQueryDefinitionInput{Name: aws.String("shop/a"), ClientToken: token}); again != first {
		t.Errorf("a repeated request made %s beside %s", again, first)
	}
	second := put(client.PutQueryDefinitionInput{Name: aws.String("bank"), LogGroupNames: []string{group}})
	put(client.PutQueryDefinitionInput{Name: aws.String("shop/b"), QueryDefinitionId: &first})
	names := func(prefix *string) (found []string) {
		in := &client.DescribeQueryDefinitionsInput{QueryDefinitionNamePrefix: prefix, MaxResults: aws.Int32(1)}
		for {
			out, err := w.DescribeQueryDefinitions(w.ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range out.QueryDefinitions {
				found = append(found, *d.Name+" "+*d.QueryDefinitionId)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return found
			}
		}
	}
	if got, want := names(nil), []string{"bank " + second, "shop/b " + first}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := names(aws.String("shop/")); len(got) != 1 {
		t.Errorf("got %v with a prefix", got)
	}
	w.must(w.DeleteQueryDefinition(w.ctx, &client.DeleteQueryDefinitionInput{QueryDefinitionId: &first}))
	_, err := w.DeleteQueryDefinition(w.ctx, &client.DeleteQueryDefinitionInput{QueryDefinitionId: &first})
	if err == nil || !strings.HasPrefix(err.Error(), "ResourceNotFoundException") {
		t.Errorf("a second deletion: %v", err)
	}
	if got := names(nil); len(got) != 1 {
		t.Errorf("%v are left", got)
	}
}
