package resource

import (
	"context"
	"slices"
	"sync"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
)

// Discover returns all resources that carry the application's tag. It queries all
// kinds at once.
func (c *Cloud) Discover(ctx context.Context) ([]plan.Found, error) {
	return c.DiscoverOffered(ctx, nil)
}

// DiscoverOffered is Discover for an endpoint that need not offer all services. It calls
// unchecked, which may be nil, for each operation that is not offered, and returns what
// the other queries find. If unchecked is nil, it returns an error for them.
func (c *Cloud) DiscoverOffered(ctx context.Context, unchecked func(operation string)) ([]plan.Found, error) {
	all, err := c.listTagged(ctx, unchecked)
	return slices.DeleteFunc(all, func(f plan.Found) bool { return f.Address == "" }), err
}

// listTagged is DiscoverOffered, with resources that have no address.
func (c *Cloud) listTagged(ctx context.Context, unchecked func(operation string)) ([]plan.Found, error) {
	d := &discovery{Cloud: c, now: time.Now(), unchecked: unchecked}
	results := make([][]plan.Found, len(kinds))
	group, ctx := errgroup.WithContext(ctx)
	for i, k := range kinds {
		group.Go(func() (err error) {
			results[i], err = k.find(ctx, d)
			return d.ignoreUnsupported(err)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(results...), nil
}

// discovery is one run of Discover. It shares the results of queries that several
// kinds need. Shared queries run with the context of Discover: if one kind could
// cancel them, others would report the cancellation in place of its cause.
type discovery struct {
	*Cloud
	now       time.Time
	unchecked func(operation string) // see DiscoverOffered

	loadBalancing memo[loadBalancing]
	listeners     memo[[]plan.Found]
	certificates  memo[[]plan.Found]
	targetHealth  memo[targetHealth]
	scalingGroups memo[[]scalingGroup]
	instances     memo[instances]
	buckets       memo[[]plan.Found]
}

// ignoreUnsupported returns nil for a query that the endpoint does not offer, if these are
// reported instead.
func (d *discovery) ignoreUnsupported(err error) error {
	if d.unchecked == nil || !awsapi.IsUnsupported(err) {
		return err
	}
	d.unchecked(awsapi.Action(err))
	return nil
}

// targetHealth is the health of targets by target group.
type targetHealth map[string][]elbtypes.TargetHealthDescription

// memo holds the result of a query that runs once.
type memo[T any] struct {
	mu    sync.Mutex
	done  chan struct{} // closed when the query has ended; nil before it begins
	value T
	err   error
}

// get returns the result of the first query. Concurrent callers wait for it.
func (m *memo[T]) get(query func() (T, error)) (T, error) {
	m.mu.Lock()
	first := m.done == nil
	if first {
		m.done = make(chan struct{})
	}
	m.mu.Unlock()
	if first {
		m.value, m.err = query()
		close(m.done)
	}
	<-m.done
	return m.value, m.err
}
