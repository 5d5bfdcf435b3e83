package ec2

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// remote calls an API with the SDK over HTTP.
type remote struct {
	*ec2.Client
	cloud *cloud
	t     *testing.T
}

func newRemote(t *testing.T) *remote {
	t.Helper()
	c := newCloud(t)
	return &remote{
		cloud: c,
		t:     t,
		Client: ec2.NewFromConfig(wiretest.Serve(t, home, wire.Service{Name: "ec2", API: c.API}), func(o *ec2.Options) {
			// Remove the SDK's validation, to test the server's.
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				_, _ = s.Initialize.Remove("OperationInputValidation") // not all have it
				return nil
			})
		}),
	}
}

type operation[In, Out any] func(context.Context, *In, ...func(*ec2.Options)) (*Out, error)

// doRemote calls an operation that must succeed.
func doRemote[In, Out any](r *remote, call operation[In, Out], in *In) *Out {
	r.t.Helper()
	out, err := call(r.t.Context(), in)
	if err != nil {
		r.t.Fatalf("%T: %v", in, err)
	}
	return out
}

// wantRemoteError calls an operation that must fail with the error "code: message". If want
// ends in a colon, any message will do.
func wantRemoteError[In, Out any](r *remote, call operation[In, Out], in *In, want string) {
	r.t.Helper()
	_, err := call(r.t.Context(), in)
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		r.t.Errorf("%T: got %v, want %s", in, err, want)
		return
	}
	text := refusal.ErrorCode() + ": " + refusal.ErrorMessage()
	if text != want && !(strings.HasSuffix(want, ":") && strings.HasPrefix(text, want)) {
		r.t.Errorf("%T: got %s, want %s", in, text, want)
	}
}

const dryRun = "DryRunOperation: Request would have succeeded, but DryRun flag is set."

// launch launches instances of the public image and returns them.
func (r *remote) launch(count int32, tags ...string) []types.Instance {
	r.t.Helper()
	in := launchOne(r.cloud.availableImage())
	in.MinCount, in.MaxCount = &count, &count
	if len(tags) > 0 {
		in.TagSpecifications = specification(types.ResourceTypeInstance, tags...)
	}
	return doRemote(r, r.RunInstances, in).Instances
}

// edit changes the store in place of a control loop.
func (r *remote) edit(change func(tx *store.Tx)) {
	r.t.Helper()
	if err := r.cloud.Store.Update(func(tx *store.Tx) error { change(tx); return nil }); err != nil {
		r.t.Fatal(err)
	}
}

// wantFilters tests every filter of an operation. values maps filters to values that the
// resource with the id has. With such a value find must return the id, and with another it
// must not. If the value is empty, no resource may pass the filter. The resource must have
// the tag Name=web, with which wantFilters tests the filters by tag.
func wantFilters[R any](
	r *remote,
	offered filters[R],
	values map[string]string,
	id string,
	find func(types.Filter) []string,
) {
	r.t.Helper()
	values["tag-key"], values["tag-value"], values["tag:Name"] = "Name", "web", "web"
	for name := range offered {
		if _, ok := values[name]; !ok && name != byTag {
			r.t.Errorf("filter %s is not tested", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		switch _, ok := offered[offered.entry(name)]; {
		case !ok && strings.HasPrefix(name, "tag"):
		case !ok:
			r.t.Errorf("filter %s is missing", name)
		case value == "":
			if found := find(filter(name, "*")); len(found) > 0 {
				r.t.Errorf("filter %s: found %v", name, found)
			}
		default:
			if found := find(filter(name, "none", value)); !slices.Contains(found, id) {
				r.t.Errorf("filter %s=%s: found %v", name, value, found)
			}
			if found := find(filter(name, "not-"+value)); slices.Contains(found, id) {
				r.t.Errorf("filter %s=not-%s: found %v", name, value, found)
			}
		}
	}
}

// wantPages reads all pages. They must have the wanted sizes and hold each row once.
func wantPages(r *remote, want []int, read func(token *string) (ids []string, next *string)) {
	r.t.Helper()
	var sizes []int
	seen := map[string]bool{}
	for token := (*string)(nil); ; {
		ids, next := read(token)
		for _, id := range ids {
			seen[id] = true
		}
		sizes = append(sizes, len(ids))
		if token = next; token == nil || len(sizes) > 50 {
			break
		}
	}
	total := 0
	for _, n := range want {
		total += n
	}
	if !slices.Equal(sizes, want) || len(seen) != total {
		r.t.Errorf("%d rows in pages of %v, want %v", len(seen), sizes, want)
	}
}

func five() *int32 { return aws.Int32(5) }
