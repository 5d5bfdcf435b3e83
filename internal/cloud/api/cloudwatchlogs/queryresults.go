package cloudwatchlogs

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/logquery"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const (
	resultTokens page.Prefix = "query-results-after:"
	queryTokens  page.Prefix = "queries-after:"
	// maxQueriesListed is the size of a page of queries and of saved queries (CloudWatch Logs API Reference,
	// DescribeQueries).
	maxQueriesListed = 1000
)

// GetQueryResults returns the results of a query, once it has ended.
func (a *API) GetQueryResults(
	ctx context.Context, in *cloudwatchlogs.GetQueryResultsInput,
) (*cloudwatchlogs.GetQueryResultsOutput, error) {
	if aws.ToString(in.QueryId) == "" {
		return nil, model.Null("queryId")
	}
	if err := model.Between("maxItems", in.MaxItems, 1, logquery.MaxResults); err != nil {
		return nil, err
	}
	last, ok := resultTokens.Last(in.NextToken)
	from, err := strconv.Atoi("0" + last)
	if !ok || err != nil {
		return nil, invalidToken()
	}
	a.queries.lock.Lock()
	defer a.queries.lock.Unlock()
	q, err := a.queries.find(wire.RegionFrom(ctx), *in.QueryId)
	if err != nil {
		return nil, err
	}
	stats := q.stats
	from = min(from, len(q.results))
	until := min(from+int(constraint.Default(in.MaxItems, logquery.MaxResults)), len(q.results))
	out := &cloudwatchlogs.GetQueryResultsOutput{
		QueryLanguage: types.QueryLanguageCwli, Status: q.status, Statistics: &stats,
		Results: append([][]types.ResultField{}, q.results[from:until]...),
	}
	if until < len(q.results) {
		out.NextToken = resultTokens.Token(strconv.Itoa(until))
	}
	return out, nil
}

// DescribeQueries lists the queries of the region, latest first.
func (a *API) DescribeQueries(
	ctx context.Context, in *cloudwatchlogs.DescribeQueriesInput,
) (*cloudwatchlogs.DescribeQueriesOutput, error) {
	if in.LogGroupName != nil {
		if err := checkGroupName(in.LogGroupName); err != nil {
			return nil, err
		}
	}
	if in.Status != "" && !slices.Contains(in.Status.Values(), in.Status) {
		return nil, model.OutOfSet("status", in.Status, texts(in.Status.Values())...)
	}
	if err := model.Between("maxResults", in.MaxResults, 1, maxQueriesListed); err != nil {
		return nil, err
	}
	last, ok := queryTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	a.queries.lock.Lock()
	defer a.queries.lock.Unlock()
	out := &cloudwatchlogs.DescribeQueriesOutput{Queries: []types.QueryInfo{}}
	begun := last == ""
	for _, q := range slices.Backward(a.queries.all) {
		switch {
		case !begun:
			begun = q.id == last
		case !q.matches(wire.RegionFrom(ctx).Key(""), in):
		case len(out.Queries) == int(constraint.Default(in.MaxResults, maxQueriesListed)):
			out.NextToken = queryTokens.Token(*out.Queries[len(out.Queries)-1].QueryId)
			return out, nil
		default:
			out.Queries = append(out.Queries, a.describeQuery(q))
		}
	}
	return out, nil
}

func texts[T ~string](list []T) []string {
	var out []string
	for _, one := range list {
		out = append(out, string(one))
	}
	return out
}

// matches reports whether a query of a region, given by the start of its keys, is one that a request asks for.
func (q *insight) matches(region string, in *cloudwatchlogs.DescribeQueriesInput) bool {
	return q.region.Key("") == region && (in.LogGroupName == nil || slices.Contains(q.groups, *in.LogGroupName)) &&
		(in.Status == "" || q.status == in.Status) &&
		(in.QueryLanguage == "" || in.QueryLanguage == types.QueryLanguageCwli)
}

func (a *API) describeQuery(q *insight) types.QueryInfo {
	ended, bytes := q.ended, q.stats.BytesScanned
	if q.waits() {
		ended = a.Now()
	}
	return types.QueryInfo{
		QueryId: &q.id, QueryString: &q.text, Status: q.status, CreateTime: milliseconds(q.created),
		LogGroupName: aws.String(strings.Join(q.groups, ",")), QueryLanguage: types.QueryLanguageCwli,
		UserIdentity: &q.user, BytesScanned: &bytes, QueryDuration: aws.Int64(ended.Sub(q.created).Milliseconds()),
	}
}

// pointerTo returns what identifies an event in results.
func pointerTo(e eventlog.Found) string {
	return base64.RawURLEncoding.EncodeToString([]byte(e.Stream + "/" + e.Position.String()))
}

// GetLogRecord returns the fields of an event of a query's results.
func (a *API) GetLogRecord(
	ctx context.Context, in *cloudwatchlogs.GetLogRecordInput,
) (*cloudwatchlogs.GetLogRecordOutput, error) {
	if aws.ToString(in.LogRecordPointer) == "" {
		return nil, model.Null("logRecordPointer")
	}
	text, err := base64.RawURLEncoding.DecodeString(*in.LogRecordPointer)
	id, place, found := strings.Cut(string(text), "/")
	at, ok := eventlog.ParsePosition(place)
	if err != nil || !found || !ok {
		return nil, model.Errorf("The specified logRecordPointer is invalid.")
	}
	view, region := a.Store.Read(ctx), wire.RegionFrom(ctx)
	for _, s := range store.LogStreams.InRegion(view, region) {
		group, exists := store.LogGroups.Get(view, store.LogGroupKey(region, s.Group))
		if s.ID != id || !exists {
			continue
		}
		read := eventlog.Query{From: at, Until: at.After(), Limit: 1, Bytes: maxBytes}
		page, err := a.Events.Read([]string{id}, read)
		if err != nil {
			return nil, err
		}
		in := searchedIn(group, s, a.Now())
		if len(page.Events) == 1 && page.Events[0].Event.Time >= in.since {
			return &cloudwatchlogs.GetLogRecordOutput{LogRecord: insightEvent(page.Events[0], in).Fields()}, nil
		}
	}
	return nil, wire.Errorf("ResourceNotFoundException", "The specified log record does not exist.")
}
