// Package history is the record of an application's releases: what came into
// service, when, by whom, how it ended, and what is needed to go back to it. It
// lives in the cloud beside the application, as the parameters
// /aloft/<app>/releases/<number>.
package history

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/awsapi"
)

// Parameters is what a history needs of Systems Manager.
type Parameters interface {
	GetParametersByPath(context.Context, *ssm.GetParametersByPathInput, ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error)
	PutParameter(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
	DeleteParameters(context.Context, *ssm.DeleteParametersInput, ...func(*ssm.Options)) (*ssm.DeleteParametersOutput, error)
}

// Result is how a release went.
type Result string

// The results.
const (
	InProgress  Result = "in progress"
	RollingBack Result = "going back"  // it failed, and the release before it is being restored
	Failed      Result = "failed"      // it no longer serves, or never did
	Released    Result = "released"    // it came into service
	RolledBack  Result = "rolled back" // it came into service, and a user rolled it back
)

// Record is one release that came into service, or was to.
type Record struct {
	Number   int       `json:"number"`
	Release  string    `json:"release"`            // content address of what is served
	Image    string    `json:"image_id,omitempty"` // that holds it
	Source   string    `json:"source,omitempty"`   // repository and commit, or folder and digest
	By       string    `json:"by"`                 // user@host
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	Result   Result    `json:"result"`
	Reason   string    `json:"reason,omitempty"`   // why it failed
	Rollback bool      `json:"rollback,omitempty"` // somebody asked for an earlier release
	Before   int       `json:"before,omitempty"`   // the record of the release that served before
	Proven   bool      `json:"proven,omitempty"`   // on a machine of its image
	Touched  time.Time `json:"touched,omitzero"`   // since when machines that served before are replaced
	Settings Settings  `json:"settings"`
}

// Settings are the parts of a spec that belong to a release: with another one
// they may not fit. Durations are in seconds.
type Settings struct {
	Port      int    `json:"port"`
	Type      string `json:"type"`
	Path      string `json:"health_path"`
	Matcher   string `json:"health_matcher"`
	Interval  int    `json:"health_interval"`
	Timeout   int    `json:"health_timeout"`
	Healthy   int    `json:"healthy"`
	Unhealthy int    `json:"unhealthy"`
}

// Open tells that a release has not ended.
func (r Record) Open() bool { return r.Result == InProgress || r.Result == RollingBack }

// Served reports whether a release came into service.
func (r Record) Served() bool { return r.Result == Released || r.Result == RolledBack }

// History is the history of one application.
type History struct {
	parameters Parameters
	path       string
}

// New makes a history. It sends nothing.
func New(parameters Parameters, app string) *History {
	return &History{parameters: parameters, path: "/aloft/" + app + "/releases"}
}

const (
	longest = 4096 // bytes of a parameter's value in the standard tier (AWS Systems Manager User Guide, "Managing parameter tiers")
	batch   = 10   // the most parameters that DeleteParameters takes
	keep    = 100  // records; older ones are forgotten
)

// List gives all records, the oldest first.
func (h *History) List(ctx context.Context) ([]Record, error) {
	var all []Record
	pages := ssm.NewGetParametersByPathPaginator(h.parameters, &ssm.GetParametersByPathInput{Path: &h.path})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the releases at %s: %w", h.path, err)
		}
		for _, p := range page.Parameters {
			var r Record
			if err := json.Unmarshal([]byte(aws.ToString(p.Value)), &r); err != nil {
				return nil, fmt.Errorf("read %s: it says %q: %w", aws.ToString(p.Name), aws.ToString(p.Value), err)
			}
			// The name is what is unique.
			name := aws.ToString(p.Name)
			if r.Number, err = strconv.Atoi(name[strings.LastIndex(name, "/")+1:]); err != nil {
				return nil, fmt.Errorf("read %s: %w", name, err)
			}
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b Record) int { return a.Number - b.Number })
	return all, nil
}

// Add writes a record down under the next number. known are all records so far;
// who adds holds the application's lock.
func (h *History) Add(ctx context.Context, known []Record, r Record) (Record, error) {
	r.Number = 1
	if len(known) > 0 {
		r.Number = known[len(known)-1].Number + 1
	}
	err := h.put(ctx, r, false)
	if awsapi.IsExists(err) && h.says(ctx, r) {
		err = nil // by a call whose answer was lost
	}
	if err != nil {
		return r, fmt.Errorf("write release %d down: %w", r.Number, err)
	}
	if len(known) < keep {
		return r, nil
	}
	return r, h.forget(ctx, known[:len(known)-keep+1])
}

// says tells that a record is written down already.
func (h *History) says(ctx context.Context, r Record) bool {
	all, err := h.List(ctx)
	if err != nil {
		return false
	}
	wanted, err := encode(r)
	return err == nil && slices.ContainsFunc(all, func(other Record) bool {
		text, err := encode(other)
		return err == nil && other.Number == r.Number && text == wanted
	})
}

// Put writes a record anew.
func (h *History) Put(ctx context.Context, r Record) error {
	if err := h.put(ctx, r, true); err != nil {
		return fmt.Errorf("write release %d down: %w", r.Number, err)
	}
	return nil
}

func (h *History) put(ctx context.Context, r Record, overwrite bool) error {
	value, err := encode(r)
	if err != nil {
		return err
	}
	name := h.name(r.Number)
	_, err = h.parameters.PutParameter(ctx, &ssm.PutParameterInput{
		Name: &name, Value: &value, Type: types.ParameterTypeString, Overwrite: &overwrite, Description: aws.String("Aloft: a release"),
	})
	return err
}

func (h *History) name(number int) string { return h.path + "/" + strconv.Itoa(number) }

// encode gives a record's value. Texts without a bound are cut until it fits.
func encode(r Record) (string, error) {
	for limit := 1500; ; limit /= 2 {
		r.Reason, r.Source, r.By = cut(r.Reason, limit), cut(r.Source, limit), cut(r.By, limit)
		value, err := json.Marshal(r)
		if err != nil {
			return "", fmt.Errorf("encode it: %w", err)
		}
		if len(value) <= longest || limit == 0 {
			return string(value), nil
		}
	}
}

func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// Remove forgets all releases.
func (h *History) Remove(ctx context.Context) error {
	all, err := h.List(ctx)
	if err != nil {
		return err
	}
	return h.forget(ctx, all)
}

// forget removes records. What is gone already is forgotten.
func (h *History) forget(ctx context.Context, records []Record) error {
	for chunk := range slices.Chunk(records, batch) {
		names := make([]string, len(chunk))
		for i, r := range chunk {
			names[i] = h.name(r.Number)
		}
		if _, err := h.parameters.DeleteParameters(ctx, &ssm.DeleteParametersInput{Names: names}); err != nil &&
			!awsapi.IsNotFound(err) {
			return fmt.Errorf("forget releases at %s: %w", h.path, err)
		}
	}
	return nil
}
