package cloudwatchlogs

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/logquery"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of queries (CloudWatch Logs API Reference, StartQuery; Amazon CloudWatch Logs User Guide, "CloudWatch Logs
// quotas").
const (
	maxQuery       = 10000 // characters
	maxQueryGroups = 50
	maxWaiting     = 30 // queries that have not ended
	// What is remembered: AWS has results for seven days.
	maxQueries      = 1000
	maxResultsBytes = 64 << 20
	// queryTimeout is how long a query may run. On AWS it is an hour.
	queryTimeout = 5 * time.Minute
)

// insight is a query of Logs Insights. What follows its lock may change.
type insight struct {
	id, text string
	region   identity.Region
	user     string   // ARN of who started it
	groups   []string // names, sorted
	from     int64    // milliseconds since 1970
	until    int64    // exclusive
	limit    int
	created  time.Time
	query    *logquery.Query

	status  types.QueryStatus
	ended   time.Time
	results [][]types.ResultField
	bytes   int // of the results
	stats   types.QueryStatistics
	cancel  context.CancelFunc // while it runs
}

// waits reports whether the query has not ended.
func (q *insight) waits() bool {
	return q.status == types.QueryStatusScheduled || q.status == types.QueryStatusRunning
}

// queries are the queries that were started, oldest first. The lock protects them too.
type queries struct {
	lock sync.Mutex
	all  []*insight
	wake chan struct{} // has room for one
}

// add adds a query, and forgets old ones. It reports false if too many wait.
func (s *queries) add(q *insight) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	waiting := 0
	for _, other := range s.all {
		if other.waits() {
			waiting++
		}
	}
	if waiting >= maxWaiting {
		return false
	}
	s.all = append(s.all, q)
	s.forget()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return true
}

// forget drops the oldest queries of too many, or of those whose results take too much memory.
func (s *queries) forget() {
	bytes := 0
	for _, q := range s.all {
		bytes += q.bytes
	}
	for len(s.all) > 1 && (len(s.all) > maxQueries || bytes > maxResultsBytes) && !s.all[0].waits() {
		bytes -= s.all[0].bytes
		s.all = slices.Delete(s.all, 0, 1)
	}
}

// next returns the oldest query that is to run, with its context, or nil.
func (s *queries) next(ctx context.Context) (*insight, context.Context) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, q := range s.all {
		if q.status == types.QueryStatusScheduled {
			ctx, q.cancel = context.WithTimeout(ctx, queryTimeout)
			q.status = types.QueryStatusRunning
			return q, ctx
		}
	}
	return nil, nil
}

// find returns the query of a region with an id. The lock is held.
func (s *queries) find(region identity.Region, id string) (*insight, error) {
	for _, q := range s.all {
		if q.id == id && q.region == region {
			return q, nil
		}
	}
	return nil, wire.Errorf("ResourceNotFoundException", "Query with ID %s was not found.", id)
}

// StartQuery starts a query of Logs Insights over the events of log groups.
func (a *API) StartQuery(
	ctx context.Context, in *cloudwatchlogs.StartQueryInput,
) (*cloudwatchlogs.StartQueryOutput, error) {
	region := wire.RegionFrom(ctx)
	if err := checkQuery(in); err != nil {
		return nil, err
	}
	names, err := queriedGroups(region, in)
	if err != nil {
		return nil, err
	}
	query, err := logquery.Parse(*in.QueryString)
	if err != nil {
		return nil, wire.Errorf("MalformedQueryException", "%v", err)
	}
	q := &insight{
		id: a.random.UUID(), text: *in.QueryString, region: region, user: wire.ARNFrom(ctx), groups: names,
		from: *in.StartTime * 1000, until: *in.EndTime*1000 + 1, created: a.Now(), query: query,
		limit: int(constraint.Default(in.Limit, logquery.MaxResults)), status: types.QueryStatusScheduled,
	}
	if err := a.checkRange(a.Store.Read(ctx), q); err != nil {
		return nil, err
	}
	if !a.queries.add(q) {
		return nil, wire.Errorf(
			"LimitExceededException", "Account maximum query concurrency limit of [%d] reached.", maxWaiting,
		)
	}
	return &cloudwatchlogs.StartQueryOutput{QueryId: &q.id}, nil
}

// maxSeconds is the latest time of a query: the year 9999, in seconds since 1970.
const maxSeconds = 253402300799

// checkQuery refuses a request that violates the API's model, or asks for another language.
func checkQuery(in *cloudwatchlogs.StartQueryInput) error {
	switch {
	case in.StartTime == nil:
		return model.Null("startTime")
	case in.EndTime == nil:
		return model.Null("endTime")
	case in.QueryString == nil:
		return model.Null("queryString")
	case *in.StartTime < 0 || *in.StartTime > maxSeconds:
		return model.OutOfRange("startTime", *in.StartTime, 0, maxSeconds)
	case *in.EndTime < 0 || *in.EndTime > maxSeconds:
		return model.OutOfRange("endTime", *in.EndTime, 0, maxSeconds)
	case len(*in.QueryString) > maxQuery:
		return model.TooLong("queryString", maxQuery)
	case *in.StartTime > *in.EndTime:
		return model.Errorf("startTime must be less than or equal to endTime.")
	}
	if err := checkLanguage(in.QueryLanguage); err != nil {
		return err
	}
	return model.Between("limit", in.Limit, 1, logquery.MaxResults)
}

func checkLanguage(language types.QueryLanguage) error {
	if language == "" || language == types.QueryLanguageCwli {
		return nil
	}
	if !slices.Contains(language.Values(), language) {
		return model.OutOfSet("queryLanguage", language, "CWLI", "SQL", "PPL")
	}
	return wire.NotImplemented("queries of CloudWatch Logs in the language %s", language)
}

// queriedGroups returns the names of the groups that a query is about, which it names in one of three ways.
func queriedGroups(region identity.Region, in *cloudwatchlogs.StartQueryInput) ([]string, error) {
	ways := 0
	for _, given := range []bool{in.LogGroupName != nil, in.LogGroupNames != nil, in.LogGroupIdentifiers != nil} {
		if given {
			ways++
		}
	}
	list := slices.Concat(in.LogGroupNames, in.LogGroupIdentifiers)
	if in.LogGroupName != nil {
		list = append(list, *in.LogGroupName)
	}
	switch {
	case ways != 1 || len(list) == 0:
		return nil, model.Errorf("Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be given.")
	case len(list) > maxQueryGroups:
		return nil, model.TooLong("logGroupNames", maxQueryGroups)
	}
	var names []string
	for _, text := range list {
		name, err := groupNamed(region, nil, &text)
		if in.LogGroupIdentifiers == nil {
			name, err = text, checkGroupName(&text)
		}
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// checkRange refuses a query about a group that does not exist, or that ends before any group had events.
func (a *API) checkRange(r store.Reader, q *insight) error {
	possible := false
	for _, name := range q.groups {
		group, ok := store.LogGroups.Get(r, store.LogGroupKey(q.region, name))
		if !ok {
			return wire.Errorf("ResourceNotFoundException", "Log group '%s' does not exist for account ID '%s'",
				name, q.region.Account())
		}
		possible = possible || q.until > max(retained(group, a.Now()), group.Created.UnixMilli())
	}
	if !possible {
		return wire.Errorf("MalformedQueryException", "Query's end date and time is either before the log groups "+
			"creation time or exceeds the log groups log retention settings.")
	}
	return nil
}

// runQueries runs queries, one after the other, until ctx ends.
func (a *API) runQueries(ctx context.Context) {
	for {
		q, limited := a.queries.next(ctx)
		if q == nil {
			select {
			case <-ctx.Done():
				return
			case <-a.queries.wake:
				continue
			}
		}
		results, stats, err := a.execute(limited, q)
		a.finish(limited, q, results, stats, err)
	}
}

// finish records how a query ended.
func (a *API) finish(
	ctx context.Context, q *insight, results [][]logquery.Field, stats types.QueryStatistics, err error,
) {
	a.queries.lock.Lock()
	defer a.queries.lock.Unlock()
	switch {
	case q.status == types.QueryStatusCancelled:
	case ctx.Err() != nil:
		q.status = types.QueryStatusTimeout
	case err != nil:
		a.Log.Warn("run a query of log events", "query", q.id, "error", err)
		q.status = types.QueryStatusFailed
	default:
		q.status = types.QueryStatusComplete
	}
	q.cancel()
	q.ended, q.stats = a.Now(), stats
	for _, row := range results {
		var fields []types.ResultField
		for _, f := range row {
			fields = append(fields, types.ResultField{Field: &f.Name, Value: &f.Value})
			q.bytes += len(f.Name) + len(f.Value)
		}
		q.results = append(q.results, fields)
	}
	a.queries.forget()
}

// searched is a stream that a query reads.
type searched struct {
	name, log string
	since     int64 // time of the oldest events that have not expired, in milliseconds
}

// execute returns the results of a query.
func (a *API) execute(ctx context.Context, q *insight) ([][]logquery.Field, types.QueryStatistics, error) {
	ids, streams := a.searchedStreams(q)
	stats := types.QueryStatistics{LogGroupsScanned: float64(len(q.groups))}
	run := q.query.Start(q.limit, q.created)
	read := eventlog.Query{
		From: eventlog.At(q.from), Until: eventlog.At(q.until), Backward: true, Limit: maxEvents, Bytes: maxBytes,
	}
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return nil, stats, err
		}
		page, err := a.Events.Read(ids, read)
		if err != nil {
			return nil, stats, err
		}
		for _, e := range page.Events {
			s := streams[e.Stream]
			if e.Event.Time < s.since {
				continue
			}
			stats.RecordsScanned++
			stats.BytesScanned += float64(len(e.Message))
			if err := run.Add(insightEvent(e, s)); err != nil {
				return nil, stats, err
			}
		}
		more, read.Until = page.More, page.Next
	}
	results, err := run.Results()
	stats.RecordsMatched, stats.ResultCount = float64(run.Matched), float64(len(results))
	return results, stats, err
}

// searchedStreams returns the streams of a query's groups by their ids.
func (a *API) searchedStreams(q *insight) (ids []string, streams map[string]searched) {
	view := a.Store.View()
	streams = map[string]searched{}
	for _, name := range q.groups {
		group, ok := store.LogGroups.Get(view, store.LogGroupKey(q.region, name))
		if !ok {
			continue // deleted meanwhile
		}
		for _, s := range store.LogStreamsByGroup.List(view, store.LogGroupKey(q.region, name)) {
			ids = append(ids, s.ID)
			streams[s.ID] = searchedIn(group, s, a.Now())
		}
	}
	return ids, streams
}

func searchedIn(group *store.LogGroup, s *store.LogStream, now time.Time) searched {
	return searched{s.Name, group.Region.Account() + ":" + group.Name, retained(group, now)}
}

// insightEvent returns an event as queries see it.
func insightEvent(e eventlog.Found, s searched) logquery.Event {
	return logquery.Event{
		Time: e.Event.Time, Ingested: e.Ingested(), Message: e.Message, Stream: s.name, Log: s.log,
		Pointer: pointerTo(e),
	}
}

// StopQuery ends a query that has not ended by itself.
func (a *API) StopQuery(
	ctx context.Context, in *cloudwatchlogs.StopQueryInput,
) (*cloudwatchlogs.StopQueryOutput, error) {
	if aws.ToString(in.QueryId) == "" {
		return nil, model.Null("queryId")
	}
	a.queries.lock.Lock()
	defer a.queries.lock.Unlock()
	q, err := a.queries.find(wire.RegionFrom(ctx), *in.QueryId)
	if err != nil {
		return nil, err
	}
	if !q.waits() {
		return nil, model.Errorf("Query ID %s is not running. Its status is %s.", q.id, q.status)
	}
	q.status, q.ended = types.QueryStatusCancelled, a.Now()
	if q.cancel != nil {
		q.cancel()
	}
	return &cloudwatchlogs.StopQueryOutput{Success: true}, nil
}
