package store

import "time"

// Tables of this file.
var (
	ClientTokens      = newTable("client_tokens", func(r *ClientToken) string { return r.Region + "/" + r.Operation + "/" + r.Token }, (*ClientToken).region)
	ClientTokensByDay = ClientTokens.indexBy("day", func(r *ClientToken) string { return Day(r.Created) })
)

// ClientToken remembers the answer to a request that carried a client token.
type ClientToken struct {
	Region, Operation, Token string
	Parameters               string // digest of the request
	Results                  []string
	Created                  time.Time
}

func (r *ClientToken) region() string { return r.Region }

// Day is the day of a time in UTC, by which client tokens are indexed.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
