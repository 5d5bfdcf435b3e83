package history

import "time"

// Result is the outcome of a release.
type Result string

// The results.
const (
	InProgress  Result = "in progress"
	RollingBack Result = "going back"  // it failed, and the release before it is being restored
	Failed      Result = "failed"      // it no longer serves, or never did
	Released    Result = "released"    // it came into service
	RolledBack  Result = "rolled back" // it came into service, and a user rolled it back
)

// Record describes one attempt to bring a release into service.
type Record struct {
	Number   int       `json:"number"`
	Release  string    `json:"release"`            // content address
	Image    string    `json:"image_id,omitempty"` // of the release
	Source   string    `json:"source,omitempty"`   // repository and commit, or folder and digest
	Runtime  string    `json:"runtime,omitempty"`  // that the source asks for: "Node.js >=20"
	By       string    `json:"by"`                 // user@host
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	Result   Result    `json:"result"`
	Reason   string    `json:"reason,omitempty"`        // why it failed
	Rollback bool      `json:"rollback,omitempty"`      // a user requested an earlier release
	Before   int       `json:"before,omitempty"`        // number of the record that served before
	Proven   bool      `json:"proven,omitempty"`        // on an instance of its image
	Touched  time.Time `json:"touched,omitzero"`        // when the replacement of serving instances began
	From     string    `json:"promoted_from,omitempty"` // stage that it was promoted from
	Change   string    `json:"change,omitempty"`        // what changed besides the release: "environment: LOG_LEVEL"
	Settings Settings  `json:"settings"`

	// Spec has a digest of each key of aloft.yaml by its name, without variables. It is nil for
	// records of older versions.
	Spec map[string]string `json:"spec,omitempty"`
}

// Settings are the parts of a spec that belong to a release: it may not work with
// those of another. Durations are in seconds.
type Settings struct {
	Port      int      `json:"port"`
	Type      string   `json:"type"`                  // preferred instance type
	Others    []string `json:"other_types,omitempty"` // in order of preference
	Path      string   `json:"health_path"`
	Matcher   string   `json:"health_matcher"`
	Interval  int      `json:"health_interval"`
	Timeout   int      `json:"health_timeout"`
	Healthy   int      `json:"healthy"`
	Unhealthy int      `json:"unhealthy"`

	// Environment is the version of the parameter with the environment. It is 0 if there
	// was none, or if new variables have not come into service yet.
	Environment int64  `json:"environment,omitempty"`
	Access      string `json:"access,omitempty"` // "": with a key pair
}

// Open reports whether the release has not ended.
func (r Record) Open() bool { return r.Result == InProgress || r.Result == RollingBack }

// Served reports whether the release came into service.
func (r Record) Served() bool { return r.Result == Released || r.Result == RolledBack }
