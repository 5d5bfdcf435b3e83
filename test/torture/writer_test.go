//go:build linux

package torture

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// round is an order to the writer: it makes numbered transactions until one fails.
type round struct {
	Path string // of the database
	Seed uint64
	Next int // number of the first transaction
	Last int
}

// answer is a line of the writer: transaction Done was answered, or the round ended.
type answer struct {
	Done  int    `json:",omitempty"`
	Ended bool   `json:",omitempty"`
	Error string `json:",omitempty"`
}

// writeRounds carries out orders from standard input. It is a process of its own, because
// a process must not map files that it serves itself.
func writeRounds() error {
	answers := json.NewEncoder(os.Stdout)
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		var r round
		if err := json.Unmarshal(orders.Bytes(), &r); err != nil {
			return err
		}
		end := answer{Ended: true}
		if err := r.write(func(number int) error { return answers.Encode(answer{Done: number}) }); err != nil {
			end.Error = err.Error()
		}
		if err := answers.Encode(end); err != nil {
			return err
		}
	}
	return nil
}

func (r round) write(done func(number int) error) (err error) {
	s, err := store.Open(r.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for number := r.Next; number <= r.Last; number++ {
		if err := s.Update(transaction(r.Seed, number)); err != nil {
			return err
		}
		if err := done(number); err != nil {
			return err
		}
	}
	return nil
}

// transaction returns a transaction of a seed. It changes several rows of two tables.
func transaction(seed uint64, number int) func(*store.Tx) error {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	return func(tx *store.Tx) error {
		store.Regions.Put(tx, &store.Region{Name: identity.Region(fmt.Sprint("transaction-", number))})
		for range 1 + random.IntN(8) {
			name, size := fmt.Sprint("/key-", random.IntN(300)), random.IntN(300)
			if random.IntN(20) == 0 {
				size = 20_000 // pages of its own
			}
			store.Parameters.Put(tx, &store.Parameter{
				Region: "r", Name: name, Version: int64(number), Value: strings.Repeat("x", size),
			})
			store.KeyPairs.Delete(tx, fmt.Sprint("key-", random.IntN(300)))
			store.KeyPairs.Put(tx, &store.KeyPair{ID: fmt.Sprint("key-", random.IntN(300)), Name: name, Region: "r"})
		}
		store.Regions.Delete(tx, fmt.Sprint("transaction-", number-1))
		return nil
	}
}

// rows returns the rows of the tables that transaction changes, one a line.
func rows(s *store.Store) []string {
	view, all := s.View(), []string(nil)
	add := func(row any) { line, err := json.Marshal(row); all = append(all, fmt.Sprint(string(line), err)) }
	for _, r := range store.Regions.List(view) {
		add(r)
	}
	for _, r := range store.Parameters.List(view) {
		add(r)
	}
	for _, r := range store.KeyPairs.List(view) {
		add(r)
	}
	return slices.Clip(all)
}
