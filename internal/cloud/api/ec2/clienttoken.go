package ec2

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const (
	maxClientToken   = 64
	maxTemplateToken = 128 // for operations on launch templates (Amazon EC2 API Reference, CreateLaunchTemplate)
	// tokenRetention is the lifetime of a client token (Amazon EC2 API Reference,
	// Ensuring idempotency: at least 24 hours).
	tokenRetention = 24 * time.Hour
)

// tokenRequest is a request that can have a client token.
type tokenRequest struct {
	operation string
	token     *string
	input     any                  // requests with the same token must have equal inputs
	exists    func(id string) bool // reports whether a resource of the response still exists
}

// rowExists returns a function that reports whether a table has a row with the key.
func rowExists[T any](r store.Reader, table store.Table[T]) func(key string) bool {
	return func(key string) bool { _, ok := table.Get(r, key); return ok }
}

// oncePerToken runs create and returns the ids that it returns. If an earlier request
// had the same client token and its resources still exist, oncePerToken returns their
// ids instead and does not run create. A request without a token always runs create.
func (a *API) oncePerToken(
	tx *store.Tx, region identity.Region, q tokenRequest, create func() ([]string, error),
) ([]string, error) {
	if aws.ToString(q.token) == "" {
		return create()
	}
	limit := maxClientToken
	if strings.Contains(q.operation, "LaunchTemplate") {
		limit = maxTemplateToken
	}
	if len(*q.token) > limit {
		return nil, invalidValue("clientToken", *q.token, fmt.Sprintf("It has more than %d characters.", limit))
	}
	text, err := json.Marshal(q.input)
	if err != nil {
		return nil, fmt.Errorf("encode the %s request: %w", q.operation, err)
	}
	sum := sha256.Sum256(text)
	row := &store.ClientToken{
		Region:     region,
		Operation:  q.operation,
		Token:      *q.token,
		Parameters: hex.EncodeToString(sum[:]),
		Created:    a.Now(),
	}
	if before, ok := a.previousRequest(tx, row, q.exists); ok {
		if before.Parameters != row.Parameters {
			return nil, wire.Errorf(
				"IdempotentParameterMismatch",
				"Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
			)
		}
		return before.Results, nil
	}
	if row.Results, err = create(); err != nil {
		return nil, err
	}
	store.ClientTokens.Put(tx, row)
	deleteOldTokens(tx, a.Now())
	return row.Results, nil
}

// deleteOldTokens deletes the client tokens of the days before yesterday. It goes back
// several days, because no request may have deleted tokens while the local cloud was
// stopped.
func deleteOldTokens(tx *store.Tx, now time.Time) {
	const days = 7
	for ago := 2; ago < 2+days; ago++ {
		for _, row := range store.ClientTokensByDay.List(tx, store.Day(now.AddDate(0, 0, -ago))) {
			store.ClientTokens.Delete(tx, row.Region.Key(row.Operation)+"/"+row.Token)
		}
	}
}

// previousRequest returns the earlier request with row's client token. ok is false if
// there is none, if its token has expired or if one of its resources is gone.
func (a *API) previousRequest(
	tx *store.Tx, row *store.ClientToken, exists func(id string) bool,
) (previous *store.ClientToken, ok bool) {
	before, ok := store.ClientTokens.Get(tx, row.Region.Key(row.Operation)+"/"+row.Token)
	if !ok || a.Now().Sub(before.Created) > tokenRetention {
		return nil, false
	}
	for _, id := range before.Results {
		if !exists(id) {
			return nil, false
		}
	}
	return before, true
}

// createOnce runs create, which puts a row, and returns the row. If an earlier request had the
// same client token and its resource still exists, createOnce returns that one's row instead.
func (t resourceType[T]) createOnce(
	a *API, tx *store.Tx, region identity.Region, q tokenRequest, create func() (*T, error),
) (*T, error) {
	q.exists = rowExists(tx, t.table)
	ids, err := a.oncePerToken(tx, region, q, func() ([]string, error) {
		row, err := create()
		if err != nil {
			return nil, err
		}
		_, id := t.key(row)
		return []string{id}, nil
	})
	if err != nil {
		return nil, err
	}
	return t.get(tx, region, ids[0])
}
