// Package history records an application's releases: what came into service, when
// and by whom, how it ended, and what a rollback to it needs. The records are the
// SSM parameters /aloft/<app>/releases/<number>.
package history

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/awsapi"
)

const (
	// maxValueBytes is the limit of a parameter's value in the standard tier (AWS
	// Systems Manager User Guide, "Managing parameter tiers").
	maxValueBytes = 4096
	// maxTextBytes is the length to which texts without a limit are cut at first.
	maxTextBytes = 1500
	// maxDelete is the most parameters that DeleteParameters accepts.
	maxDelete = 10
	// maxRecords is how many records are kept.
	maxRecords = 100
)

// API is the part of Systems Manager that a History uses.
type API interface {
	GetParametersByPath(
		context.Context, *ssm.GetParametersByPathInput, ...func(*ssm.Options),
	) (*ssm.GetParametersByPathOutput, error)
	PutParameter(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
	DeleteParameters(
		context.Context, *ssm.DeleteParametersInput, ...func(*ssm.Options),
	) (*ssm.DeleteParametersOutput, error)
}

// History is the history of one application.
type History struct {
	api  API
	path string
}

// New returns a History. It makes no calls.
func New(api API, app string) *History {
	return &History{api: api, path: "/aloft/" + app + "/releases"}
}

// List returns all records, the oldest first.
func (h *History) List(ctx context.Context) ([]Record, error) {
	var all []Record
	pages := ssm.NewGetParametersByPathPaginator(h.api, &ssm.GetParametersByPathInput{Path: &h.path})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the releases at %s: %w", h.path, err)
		}
		for _, p := range page.Parameters {
			r, err := decode(p)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", aws.ToString(p.Name), err)
			}
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b Record) int { return a.Number - b.Number })
	return all, nil
}

// Add stores a record under the next number. known are all records so far. The
// caller holds the application's lock.
func (h *History) Add(ctx context.Context, known []Record, r Record) (Record, error) {
	r.Number = 1
	if len(known) > 0 {
		r.Number = known[len(known)-1].Number + 1
	}
	err := h.put(ctx, r, false)
	if awsapi.IsExists(err) && h.contains(ctx, r) {
		err = nil // stored by an earlier attempt, whose response was lost
	}
	if err != nil {
		return r, fmt.Errorf("record release %d: %w", r.Number, err)
	}
	if len(known) < maxRecords {
		return r, nil
	}
	return r, h.delete(ctx, known[:len(known)-maxRecords+1])
}

// Put replaces a record.
func (h *History) Put(ctx context.Context, r Record) error {
	if err := h.put(ctx, r, true); err != nil {
		return fmt.Errorf("record release %d: %w", r.Number, err)
	}
	return nil
}

// Remove deletes all records.
func (h *History) Remove(ctx context.Context) error {
	all, err := h.List(ctx)
	if err != nil {
		return err
	}
	return h.delete(ctx, all)
}

// contains reports whether a record is stored already.
func (h *History) contains(ctx context.Context, r Record) bool {
	all, err := h.List(ctx)
	if err != nil {
		return false
	}
	value, err := encode(r)
	return err == nil && slices.ContainsFunc(all, func(other Record) bool {
		text, err := encode(other)
		return err == nil && other.Number == r.Number && text == value
	})
}

func (h *History) put(ctx context.Context, r Record, overwrite bool) error {
	value, err := encode(r)
	if err != nil {
		return err
	}
	_, err = h.api.PutParameter(ctx, &ssm.PutParameterInput{
		Name:        aws.String(h.name(r.Number)),
		Value:       &value,
		Type:        types.ParameterTypeString,
		Overwrite:   &overwrite,
		Description: aws.String("Aloft: a release"),
	})
	return err
}

func (h *History) name(number int) string { return h.path + "/" + strconv.Itoa(number) }

// delete deletes records. It ignores records that do not exist.
func (h *History) delete(ctx context.Context, records []Record) error {
	for chunk := range slices.Chunk(records, maxDelete) {
		names := make([]string, len(chunk))
		for i, r := range chunk {
			names[i] = h.name(r.Number)
		}
		_, err := h.api.DeleteParameters(ctx, &ssm.DeleteParametersInput{Names: names})
		if err != nil && !awsapi.IsNotFound(err) {
			return fmt.Errorf("delete the records of releases at %s: %w", h.path, err)
		}
	}
	return nil
}

// decode returns the record in a parameter. Its number is that of the parameter's
// name, which is unique.
func decode(p types.Parameter) (Record, error) {
	var r Record
	text, name := aws.ToString(p.Value), aws.ToString(p.Name)
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("decode %q: %w", text, err)
	}
	number, err := strconv.Atoi(name[strings.LastIndex(name, "/")+1:])
	r.Number = number
	return r, err
}

// encode returns a record's value. It cuts texts without a limit until the value
// fits.
func encode(r Record) (string, error) {
	for limit := maxTextBytes; ; limit /= 2 {
		r.Reason, r.Source = cut(r.Reason, limit), cut(r.Source, limit)
		r.By, r.Change = cut(r.By, limit), cut(r.Change, limit)
		value, err := json.Marshal(r)
		if err != nil {
			return "", fmt.Errorf("encode the record: %w", err)
		}
		if len(value) <= maxValueBytes || limit == 0 {
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
