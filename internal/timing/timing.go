// Package timing records how long the tasks of a run took and finds the critical
// path: the chain of tasks, each waiting for the one before, that no other order and
// no more concurrency could have made shorter.
package timing

import (
	"slices"
	"sync"
	"time"
)

// Recorder records the graphs of a run. A nil Recorder records nothing. A Recorder
// is safe for concurrent use.
type Recorder struct {
	mu     sync.Mutex
	graphs []*Graph
}

// Graph is a set of tasks that ran concurrently, as far as their order allowed. A
// run carries out one graph after the other.
type Graph struct {
	mu    sync.Mutex
	name  string
	tasks []Task
}

// Task is a task that ended.
type Task struct {
	ID             int // unique in its graph
	Address        string
	Message        string
	Started, Ended time.Time
	After          []int // ids of the tasks that it waited for
}

// Took returns how long the task ran.
func (t Task) Took() time.Duration { return t.Ended.Sub(t.Started) }

// Graph begins a graph. It returns nil if the recorder is nil.
func (r *Recorder) Graph(name string) *Graph {
	if r == nil {
		return nil
	}
	g := &Graph{name: name}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.graphs = append(r.graphs, g)
	return g
}

// Add records a task. A nil Graph records nothing.
func (g *Graph) Add(t Task) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tasks = append(g.tasks, t)
}

// Report says where the time of a run went. Scripts rely on its JSON form.
type Report struct {
	Took         time.Duration `json:"took_ns"`          // of the whole run
	CriticalPath time.Duration `json:"critical_path_ns"` // sum over the graphs
	Tasks        []TaskReport  `json:"tasks"`            // in the order of their start
}

// TaskReport is one task in a Report.
type TaskReport struct {
	Graph    string        `json:"graph"`
	Address  string        `json:"address"`
	Message  string        `json:"message"`
	Start    time.Duration `json:"start_ns"` // since the run began
	Took     time.Duration `json:"took_ns"`
	Critical bool          `json:"critical"` // on the critical path of its graph
}

// Report returns the report of a run that began and ended at the given times.
func (r *Recorder) Report(began, ended time.Time) Report {
	report := Report{Took: ended.Sub(began), Tasks: []TaskReport{}}
	if r == nil {
		return report
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.graphs {
		g.mu.Lock()
		path, length := CriticalPath(g.tasks)
		report.CriticalPath += length
		tasks := slices.SortedStableFunc(slices.Values(g.tasks), func(a, b Task) int {
			return a.Started.Compare(b.Started)
		})
		for _, t := range tasks {
			report.Tasks = append(report.Tasks, TaskReport{
				Graph: g.name, Address: t.Address, Message: t.Message, Start: t.Started.Sub(began), Took: t.Took(),
				Critical: slices.Contains(path, t.ID),
			})
		}
		g.mu.Unlock()
	}
	return report
}

// CriticalPath returns the ids of the longest chain of tasks, in order, and how long
// its tasks took together.
func CriticalPath(tasks []Task) (ids []int, length time.Duration) {
	// Every task ended before those that waited for it started.
	order := slices.SortedStableFunc(slices.Values(tasks), func(a, b Task) int { return a.Ended.Compare(b.Ended) })
	type chain struct {
		length time.Duration
		before int // index in chains, or -1
	}
	chains, index := make([]chain, len(order)), map[int]int{}
	last := -1
	for i, t := range order {
		chains[i] = chain{before: -1}
		for _, id := range t.After {
			if b, ok := index[id]; ok && (chains[i].before < 0 || chains[b].length > chains[i].length) {
				chains[i] = chain{length: chains[b].length, before: b}
			}
		}
		chains[i].length += t.Took()
		index[t.ID] = i
		if last < 0 || chains[i].length > chains[last].length {
			last = i
		}
	}
	if last < 0 {
		return nil, 0
	}
	length = chains[last].length
	for i := last; i >= 0; i = chains[i].before {
		ids = append(ids, order[i].ID)
	}
	slices.Reverse(ids)
	return ids, length
}
