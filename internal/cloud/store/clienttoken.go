package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are "region/operation/token". ClientTokensByDay finds a Day.
var (
	ClientTokens = newTable(
		"client_tokens",
		func(r *ClientToken) string { return string(r.Region) + "/" + r.Operation + "/" + r.Token },
		(*ClientToken).region,
	)
	ClientTokensByDay = ClientTokens.indexBy("day", func(r *ClientToken) string { return Day(r.Created) })
)

// ClientToken records the response to a request that had a client token.
type ClientToken struct {
	Operation, Token string
	Region           identity.Region
	Parameters       string // digest of the request
	Results          []string
	Created          time.Time
}

func (r *ClientToken) region() identity.Region { return r.Region }

// Day returns the UTC date of a time, as ClientTokensByDay indexes it.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
