//go:build linux

package torture

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/test/invariant"
	"aloft.dev/aloft/test/simulation"
)

// clients is the number of clients that call at once.
const clients = 6

// medium is a disk that holds a local cloud's database over one life of it.
type medium struct {
	database string
	lost     func() bool              // reports whether the power is lost
	end      func() map[string][]byte // returns the files that the next life finds
}

// TestNoAnswerIsLostByKills kills a local cloud with SIGKILL while many clients change it.
func TestNoAnswerIsLostByKills(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "aloft.db")
	live(t, random(t, 3), *killsFlag, func(map[string][]byte) medium {
		return medium{path, func() bool { return false }, func() map[string][]byte {
			recorded.Add(func(r *Report) { r.Kills++ })
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return map[string][]byte{"aloft.db": content}
		}}
	})
}

// live lets a local cloud live several times, each time on what the disk held after the
// last death, and checks after each death that nothing is lost. At the end the planes
// become what the rows say.
func live(t *testing.T, random *rand.Rand, lives int, open func(files map[string][]byte) medium) {
	t.Helper()
	all := make([][]*thing, clients)
	for client := range all {
		all[client] = things(client)
	}
	var files map[string][]byte
	for n := range lives {
		disk := open(files)
		answered := oneLife(t, random, disk, all)
		recorded.Add(func(r *Report) { r.Answered += answered })
		files = disk.end()
		check(t, files, all)
		if t.Failed() {
			t.Fatalf("after death %d", n+1)
		}
	}
	converges(t, files)
}

// oneLife starts a local cloud, lets the clients call it, and kills it at a random moment
// or when the power is lost.
func oneLife(t *testing.T, random *rand.Rand, disk medium, all [][]*thing) (answered int) {
	t.Helper()
	p := startCloud(t, disk.database)
	if p == nil {
		if !disk.lost() {
			t.Fatal("the local cloud did not start")
		}
		return 0
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := p.api.prepare(ctx); err != nil {
		p.kill(t)
		if !disk.lost() {
			t.Fatal(err)
		}
		return 0
	}
	calls := make([]int, len(all))
	var group sync.WaitGroup
	for client, own := range all {
		random := rand.New(rand.NewPCG(random.Uint64(), 0))
		group.Go(func() { calls[client] = churn(ctx, random, &p.api, own) })
	}
	group.Go(func() {
		select {
		case <-time.After(time.Duration(10+random.IntN(300)) * time.Millisecond):
		case <-ctx.Done():
		}
		p.kill(t)
		cancel()
	})
	group.Wait()
	for _, n := range calls {
		answered += n
	}
	return answered
}

// check checks that the database holds what was answered, and that its rows agree.
func check(t *testing.T, files map[string][]byte, all [][]*thing) {
	t.Helper()
	s := opened(t, files)
	view := s.View()
	for _, own := range all {
		for _, thing := range own {
			unanswered := len(thing.want) > 1
			if err := thing.check(view); err != nil {
				t.Error(err)
				recorded.Add(func(r *Report) {
					if unanswered {
						r.HalfDone++
					} else {
						r.Lost++
					}
				})
			}
		}
	}
	for _, difference := range invariant.Rows(view) {
		t.Error(difference)
		recorded.Add(func(r *Report) { r.Differences++ })
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// opened opens a copy of the database among files.
func opened(t *testing.T, files map[string][]byte) *store.Store {
	t.Helper()
	folder := scratch(t)
	defer remove(t, folder)
	s, err := store.Open(copyOf(t, files, folder))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scratch makes a folder for one of a test's thousands of rounds, which would fill a disk if
// they were kept, as t.TempDir keeps its folders, until the end of the test. The caller removes it.
func scratch(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "aloft-torture-")
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// remove removes a folder that scratch made.
func remove(t *testing.T, folder string) {
	t.Helper()
	if err := os.RemoveAll(folder); err != nil {
		t.Error(err)
	}
}

// copyOf writes the database among files, if there is one, into a folder and returns its path.
func copyOf(t *testing.T, files map[string][]byte, folder string) string {
	t.Helper()
	path := filepath.Join(folder, "aloft.db")
	if content, ok := files["aloft.db"]; ok {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// converges starts a local cloud on the files and waits for what the rows desire.
func converges(t *testing.T, files map[string][]byte) {
	t.Helper()
	c := simulation.Open(t, copyOf(t, files, t.TempDir()))
	if !simulation.Happens(func() bool { return len(unsettled(c)) == 0 }) {
		for _, what := range unsettled(c) {
			t.Error(what)
			recorded.Add(func(r *Report) { r.Differences++ })
		}
	}
	simulation.Consistent(t, c.Store.View())
}

// unsettled returns the differences between what a local cloud's rows desire, what they
// observed, and what the planes have.
func unsettled(c *simulation.Cloud) (found []string) {
	view := c.Store.View()
	machines := map[string]bool{}
	for _, id := range c.Machines.List() {
		machines[id] = true
	}
	for _, i := range store.Instances.List(view) {
		if i.State != i.Desired || machines[i.ID] != (i.State != store.Terminated) {
			found = append(found, i.ID+" is "+i.State+", want "+i.Desired)
		}
		delete(machines, i.ID)
	}
	for id := range machines {
		found = append(found, "machine "+id+" belongs to no instance")
	}
	nodes := 0
	for _, lb := range store.LoadBalancers.List(view) {
		nodes += len(lb.Nodes)
		if lb.State != "active" {
			found = append(found, lb.Name+" is "+lb.State)
		}
	}
	for _, lb := range c.Balancer.Config().LoadBalancers {
		nodes -= len(lb.Nodes)
	}
	if nodes != 0 {
		found = append(found, "the balancer does not have the nodes of the rows")
	}
	return found
}
