package store

import "time"

// The keys are "region/operation/token". ClientTokensByDay finds a Day.
var (
	ClientTokens = newTable(
		"client_tokens",
		func(r *ClientToken) string { return r.Region + "/" + r.Operation + "/" + r.Token },
		(*ClientToken).region,
	)
	ClientTokensByDay = ClientTokens.indexBy("day", func(r *ClientToken) string { return Day(r.Created) })
)

// ClientToken records the response to a request that had a client token.
type ClientToken struct {
	Region, Operation, Token string
	Parameters               string // digest of the request
	Results                  []string
	Created                  time.Time
}

func (r *ClientToken) region() string { return r.Region }

// Day returns the UTC date of a time, as ClientTokensByDay indexes it.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
