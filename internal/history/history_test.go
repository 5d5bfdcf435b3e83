package history

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
)

// parameters holds values as Parameter Store does: listed by name, ten per page.
type parameters map[string]string

func (p parameters) GetParametersByPath(
	_ context.Context,
	in *ssm.GetParametersByPathInput,
	_ ...func(*ssm.Options),
) (*ssm.GetParametersByPathOutput, error) {
	out := &ssm.GetParametersByPathOutput{}
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if !strings.HasPrefix(name, *in.Path+"/") || name <= aws.ToString(in.NextToken) {
			continue
		}
		if len(out.Parameters) == 10 {
			out.NextToken = out.Parameters[9].Name
			break
		}
		out.Parameters = append(out.Parameters, types.Parameter{Name: aws.String(name), Value: aws.String(p[name])})
	}
	return out, nil
}

func (p parameters) PutParameter(
	_ context.Context,
	in *ssm.PutParameterInput,
	_ ...func(*ssm.Options),
) (*ssm.PutParameterOutput, error) {
	if _, ok := p[*in.Name]; ok && !*in.Overwrite {
		return nil, &types.ParameterAlreadyExists{}
	}
	p[*in.Name] = *in.Value
	return &ssm.PutParameterOutput{}, nil
}

func (p parameters) DeleteParameters(
	_ context.Context,
	in *ssm.DeleteParametersInput,
	_ ...func(*ssm.Options),
) (*ssm.DeleteParametersOutput, error) {
	for _, name := range in.Names {
		delete(p, name)
	}
	return &ssm.DeleteParametersOutput{}, nil
}

func add(t *testing.T, h *History, r Record) Record {
	t.Helper()
	known, err := h.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r, err = h.Add(t.Context(), known, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecordsAreListedAsTheyWereStored(t *testing.T) {
	p := parameters{}
	h := New(p, "shop")
	var want []Record
	for range 12 {
		r := Record{
			Release:  "r",
			Image:    "ami-1",
			Source:   "a folder",
			By:       "ada@home",
			Started:  time.Unix(1e9, 0).UTC(),
			Result:   Released,
			Settings: Settings{Port: 3000, Matcher: "200-399"},
		}
		want = append(want, add(t, h, r))
	}
	want[3].Result, want[3].Reason, want[3].Touched = Failed, "no", time.Unix(2e9, 0).UTC()
	if err := h.Put(t.Context(), want[3]); err != nil {
		t.Fatal(err)
	}
	got, err := h.List(t.Context())
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if err := New(p, "shop-2").Remove(t.Context()); err != nil || len(p) != 12 {
		t.Errorf("%v: %d records of another application are left", err, len(p))
	}
	if err := h.Remove(t.Context()); err != nil || len(p) != 0 {
		t.Errorf("%v: %d are left", err, len(p))
	}
}

func TestLongRecordsFitInAParameter(t *testing.T) {
	p := parameters{}
	add(t, New(p, "shop"), Record{
		Release: "0123456789ab",
		Reason:  strings.Repeat("\"<é\n", 5000),
		Source:  strings.Repeat("x", 9000),
		By:      strings.Repeat("y", 9000),
	})
	for _, value := range p {
		var r Record
		if err := json.Unmarshal([]byte(value), &r); err != nil || len(value) > 4096 || r.Release != "0123456789ab" ||
			len(r.Reason) < 100 {
			t.Errorf("%d bytes, %v: %s", len(value), err, value)
		}
	}
}

func TestOldRecordsAreDeleted(t *testing.T) {
	p := parameters{}
	h := New(p, "shop")
	for range maxRecords + 15 {
		add(t, h, Record{Release: "r"})
	}
	all, err := h.List(t.Context())
	if err != nil || len(all) != maxRecords || all[0].Number != 16 {
		t.Errorf("%v: %d records from %d", err, len(all), all[0].Number)
	}
}

func TestFind(t *testing.T) {
	all := []Record{
		{Number: 1, Release: "aaaa11111111", Result: RolledBack},
		{Number: 2, Release: "bbbb22222222", Result: Failed, Reason: "npm install failed"},
		{Number: 3, Release: "aaaa33333333", Result: Released},
		{Number: 4, Release: "cccc44444444", Result: Released},
		{Number: 5, Release: "cccc44444444", Result: Failed},
	}
	for name, want := range map[string]int{"1": 1, "aaaa1": 1, "aaaa33333333": 3, "cccc": 4} {
		if r, err := Find(all, name); err != nil || r.Number != want {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for name, want := range map[string]string{
		"2":    "cannot be rolled back to: it is failed",
		"bbbb": "cannot be rolled back to",
		"aaaa": "is ambiguous",
		"9":    "not in the history",
		"dddd": "not in the history",
		"ccc":  "not in the history",
	} {
		if _, err := Find(all, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCurrentPreviousAndUnfinished(t *testing.T) {
	all := []Record{
		{Number: 1, Release: "a", Result: Released},
		{Number: 2, Release: "b", Result: Released},
		{Number: 3, Release: "c", Result: RolledBack},
		{Number: 4, Release: "d", Result: Failed},
	}
	if r := Current(all); r == nil || r.Number != 2 {
		t.Errorf("current: %+v", r)
	}
	if r := Previous(all, all[1]); r == nil || r.Number != 1 {
		t.Errorf("previous: %+v", r)
	}
	if r := Previous(all[:1], all[0]); r != nil {
		t.Errorf("previous of the first: %+v", r)
	}
	if r := PreviousRelease(all, "b"); r == nil || r.Number != 1 {
		t.Errorf("previous release: %+v", r)
	}
	same := Record{Number: 9, Release: "b", Result: Released}
	other := Record{Number: 10, Release: "b", Result: Released, Settings: Settings{Environment: 2}}
	if r := Previous(append(slices.Clone(all), same), other); r == nil || r.Number != 9 {
		t.Errorf("previous of another environment: %+v", r)
	}
	if r := Previous(append(slices.Clone(all), same), same); r == nil || r.Number != 1 {
		t.Errorf("previous of the same environment: %+v", r)
	}
	if r := Unfinished(all); r != nil {
		t.Errorf("unfinished: %+v", r)
	}
	if r := Unfinished(append(all, Record{Number: 5, Result: RollingBack})); r == nil || r.Number != 5 {
		t.Errorf("unfinished: %+v", r)
	}
}
