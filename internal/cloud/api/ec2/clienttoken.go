package ec2

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const (
	maxClientToken   = 64
	maxTemplateToken = 128 // of operations on launch templates (Amazon EC2 API Reference, CreateLaunchTemplate)
	// tokenRetention is how long a client token is remembered (Amazon EC2 API
	// Reference, Ensuring idempotency: at least 24 hours).
	tokenRetention = 24 * time.Hour
)

// oncePerToken runs create, unless a request with the same client token has been
// answered before: then it returns the ids of that answer. A request without
// token always creates. An answer is forgotten when exists, unless nil, says
// that one of its resources is no more. in is the request; another one with
// the same token is refused.
func (a *API) oncePerToken(
	tx *store.Tx,
	region, operation string,
	token *string,
	in any,
	exists func(id string) bool,
	create func() ([]string, error),
) ([]string, error) {
	if aws.ToString(token) == "" {
		return create()
	}
	limit := maxClientToken
	if strings.Contains(operation, "LaunchTemplate") {
		limit = maxTemplateToken
	}
	if len(*token) > limit {
		return nil, invalidValue("clientToken", *token, fmt.Sprintf("It has more than %d characters.", limit))
	}
	text, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("digest the request %s: %w", operation, err)
	}
	sum := sha256.Sum256(text)
	row := &store.ClientToken{
		Region:     region,
		Operation:  operation,
		Token:      *token,
		Parameters: hex.EncodeToString(sum[:]),
		Created:    a.Now(),
	}
	if before, ok := a.previousRequest(tx, row, exists); ok {
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

// deleteOldTokens deletes the client tokens of some days ago: a few days, so that
// what a pause of the local cloud kept from being deleted is deleted as well.
func deleteOldTokens(tx *store.Tx, now time.Time) {
	const days = 7
	for ago := 2; ago < 2+days; ago++ {
		for _, row := range store.ClientTokens.By(tx, "day", store.Day(now.AddDate(0, 0, -ago))) {
			store.ClientTokens.Delete(tx, row.Region+"/"+row.Operation+"/"+row.Token)
		}
	}
}

func (a *API) previousRequest(tx *store.Tx, row *store.ClientToken, exists func(id string) bool) (*store.ClientToken, bool) {
	before, ok := store.ClientTokens.Get(tx, row.Region+"/"+row.Operation+"/"+row.Token)
	if !ok || a.Now().Sub(before.Created) > tokenRetention {
		return nil, false
	}
	for _, id := range before.Results {
		if exists != nil && !exists(id) {
			return nil, false
		}
	}
	return before, true
}
