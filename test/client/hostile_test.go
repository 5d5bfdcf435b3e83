//go:build linux

package client

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"aloft.dev/aloft/internal/bufferedbody"
	"aloft.dev/aloft/internal/cloud"
)

var (
	hostileCalls = flag.Int("hostile-calls", 8000, "how many calls TestNoInputBreaksAnOperation makes")
	hostileSeed  = flag.Uint64("hostile-seed", 1, "the first number of its random inputs")
)

// Any operation with any input is answered with a result or an error that clients understand. The
// inputs are random: what earlier answers named, and texts and numbers at which programs fail.
func TestNoInputBreaksAnOperation(t *testing.T) {
	failures := &failureLog{}
	s := startSimulated(t, func(c *cloud.Config) { c.Log = slog.New(failures) })
	h := newHostile(s, *hostileSeed)
	h.prepare(t.Context())
	h.prepare(t.Context()) // what was pending is there
	for n := range *hostileCalls {
		call := h.call(t.Context())
		call.problems = append(call.problems, failures.take()...)
		if len(call.problems) > 0 {
			t.Errorf("call %d: %s", n, call)
		}
	}
	if h.succeeded < *hostileCalls/20 {
		t.Errorf("only %d of %d calls succeeded", h.succeeded, *hostileCalls)
	}
	t.Logf("%d calls: %d succeeded, %d were refused; of %d operations %d have succeeded",
		*hostileCalls, h.succeeded, h.refused, len(h.operations), len(h.done))
}

// failureLog is a slog.Handler that keeps what the local cloud logs as its own errors.
type failureLog struct {
	mu   sync.Mutex
	kept []string
}

func (l *failureLog) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}

func (l *failureLog) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += "\n" + a.String()
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, text)
	return nil
}

func (l *failureLog) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *failureLog) WithGroup(string) slog.Handler      { return l }

func (l *failureLog) take() (kept []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept, l.kept = l.kept, nil
	return kept
}

// hostile calls operations with random inputs.
type hostile struct {
	*rand.Rand
	operations []hostileOperation
	clients    []any
	known      map[string][]string // what answers contained, by the name of the field

	// Of the present call: the share of fields that it sets, and of values that no field should have.
	density, hostility float64

	succeeded, refused int             // calls
	done               map[string]bool // operations that succeeded
}

// maxHostileDepth is how deeply inputs are filled. Some types contain themselves.
const maxHostileDepth = 6

type hostileOperation struct {
	name    string
	recipes []string      // inputs as JSON, with $Name for what answers named
	method  reflect.Value // sends whatever the input is
	check   reflect.Value // is the same of a client that checks the input and sends nothing
}

// hostileCall is a call and what is wrong with its answer.
type hostileCall struct {
	operation string
	input     any
	problems  []string
}

func (c hostileCall) String() string {
	input, err := json.Marshal(c.input)
	if err != nil {
		input = fmt.Appendf(nil, "%+v", c.input)
	}
	return fmt.Sprintf("%s %.2000s\n%s", c.operation, input, strings.Join(c.problems, "\n"))
}

func newHostile(s simulated, seed uint64) *hostile {
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: &s.endpoint, RetryMaxAttempts: 1,
		HTTPClient:  bufferedbody.Client{HTTPClient: &http.Client{}},
		Credentials: credentials.NewStaticCredentialsProvider(s.key.AccessKeyID, s.key.SecretAccessKey, ""),
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			_, _ = stack.Initialize.Remove("OperationInputValidation") // the local cloud is to refuse the input
			return nil
		}},
	}
	checking := config
	checking.APIOptions, checking.HTTPClient = nil, sendsNothing{}
	h := &hostile{
		Rand: rand.New(rand.NewPCG(seed, 0)), known: map[string][]string{}, done: map[string]bool{},
		clients: hostileClients(config),
	}
	for c, checker := range hostileClients(checking) {
		v := reflect.ValueOf(h.clients[c])
		for i := range v.NumMethod() {
			name := v.Type().Method(i).Name
			m := v.Method(i).Type()
			if m.NumIn() == 3 && strings.HasSuffix(m.In(1).String(), name+"Input") && skipped[name] == "" {
				h.operations = append(h.operations, hostileOperation{
					name:   path.Base(v.Type().Elem().PkgPath()) + ":" + name,
					method: v.Method(i), check: reflect.ValueOf(checker).Method(i),
				})
			}
		}
	}
	return h
}

func hostileClients(config aws.Config) []any {
	return []any{
		ec2.NewFromConfig(config), elasticloadbalancingv2.NewFromConfig(config), autoscaling.NewFromConfig(config),
		cloudwatch.NewFromConfig(config), cloudwatchlogs.NewFromConfig(config), iam.NewFromConfig(config),
		sts.NewFromConfig(config), ssm.NewFromConfig(config), secretsmanager.NewFromConfig(config),
		sns.NewFromConfig(config), acm.NewFromConfig(config), route53.NewFromConfig(config),
		s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true }),
		servicequotas.NewFromConfig(config),
	}
}

// sendsNothing is an HTTP client that fails.
type sendsNothing struct{}

func (sendsNothing) Do(*http.Request) (*http.Response, error) { return nil, errors.New("not sent") }

// skipped operations are not called, with the reason.
var skipped = map[string]string{
	"CreateKeyPair":          "it computes for long",
	"GetLogObject":           "the SDK sends it to another host, and it is not implemented",
	"StartLiveTail":          "the SDK sends it to another host, and it is not implemented",
	"WriteGetObjectResponse": "the SDK sends it to another host, and it is not implemented",
}

// call calls an operation.
func (h *hostile) call(ctx context.Context) hostileCall {
	o := h.operations[h.IntN(len(h.operations))]
	in := reflect.New(o.method.Type().In(1).Elem())
	h.density = []float64{0, 0.05, 0.1, 0.3, 0.7}[h.IntN(5)]
	h.hostility = []float64{0, 0, 0.05, 0.5}[h.IntN(4)]
	if len(o.recipes) > 0 && h.IntN(4) > 0 {
		h.follow(o.recipes[h.IntN(len(o.recipes))], in)
		h.density /= 4
	}
	h.fill(in.Elem(), "", 0)
	if h.IntN(4) > 0 {
		h.complete(ctx, o, in)
	}
	return h.send(ctx, o, in)
}

// follow sets the fields of an input that a recipe has.
func (h *hostile) follow(recipe string, in reflect.Value) {
	// A recipe that a random text broke sets a part.
	_ = json.Unmarshal([]byte(placeholder.ReplaceAllStringFunc(recipe, func(name string) string {
		field, other := strings.CutPrefix(name[2:len(name)-1], "Other")
		known := h.known[field]
		if len(known) == 0 {
			return name
		}
		n := len(known) - 1 // the latest one
		if other || h.IntN(2) == 0 {
			n = h.IntN(len(known))
		}
		text, _ := json.Marshal(known[n])
		return string(text)
	})), in.Interface())
}

// placeholder matches a text of a recipe that earlier answers had.
var placeholder = regexp.MustCompile(`"\$[A-Za-z]+"`)

// prepare calls operations as their recipes say.
func (h *hostile) prepare(ctx context.Context) {
	text, err := os.ReadFile("testdata/recipes.txt")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(text)) {
		name, recipe, _ := strings.Cut(strings.TrimSpace(line), " ")
		i := slices.IndexFunc(h.operations, func(o hostileOperation) bool { return o.name == name })
		if i < 0 {
			continue
		}
		o := &h.operations[i]
		o.recipes = append(o.recipes, recipe)
		in := reflect.New(o.method.Type().In(1).Elem())
		h.follow(recipe, in)
		h.send(ctx, *o, in)
	}
}

// send sends a request. An operation that the local cloud does not have is not called again.
func (h *hostile) send(ctx context.Context, o hostileOperation, in reflect.Value) hostileCall {
	c := hostileCall{operation: o.name, input: in.Interface()}
	out := o.method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	err, _ := out[1].Interface().(error)
	switch status := statusOf(err); {
	case err == nil || status == http.StatusNotModified:
		h.succeeded++
		h.done[o.name] = true
		h.learn(out[0], "", 0)
	case unserved.MatchString(err.Error()):
		h.operations = slices.DeleteFunc(h.operations, func(p hostileOperation) bool { return p.name == o.name })
	case status == 0 && !isAnswered(err): // the SDK does not send it
	case !isWellFormed(err) || status < 400 || status > 499:
		c.problems = append(c.problems, err.Error())
	default:
		h.refused++
	}
	return c
}

// complete sets the fields that the SDK knows to be required.
func (h *hostile) complete(ctx context.Context, o hostileOperation, in reflect.Value) {
	for range 5 { // what it sets has required fields too
		err, _ := o.check.Call([]reflect.Value{reflect.ValueOf(ctx), in})[1].Interface().(error)
		invalid, ok := errors.AsType[smithy.InvalidParamsError](err)
		if !ok {
			return
		}
		for _, err := range invalid.Errs() {
			if missing, ok := err.(smithy.InvalidParamError); ok {
				_, field, _ := strings.Cut(missing.Field(), ".")
				h.set(in, field)
			}
		}
	}
}

// set sets the field at a path like Targets[0].Key.
func (h *hostile) set(v reflect.Value, field string) {
	name, rest, nested := strings.Cut(field, ".")
	name, index, _ := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	v = reflect.Indirect(v)
	if v.Kind() != reflect.Struct || !v.FieldByName(name).IsValid() {
		return // in a map, or in one of the types that a union is of
	}
	v = v.FieldByName(name)
	if !nested {
		h.fill(v, name, 1)
		return
	}
	if i, err := strconv.Atoi(index); err == nil {
		v = v.Index(i)
	}
	h.set(v, rest)
}

// unserved matches the error of an operation that the local cloud does not have.
var unserved = regexp.MustCompile(`local cloud does not implement [a-z0-9-]+:[A-Z]`)

func statusOf(err error) int {
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

// isAnswered reports whether an error is about an answer, or about a request that was sent.
func isAnswered(err error) bool {
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return true
	}
	send, ok := errors.AsType[*smithyhttp.RequestSendError](err)
	return ok && !strings.Contains(send.Error(), "http: ") // package net/http refuses to send it
}

// isWellFormed reports whether the SDK has read a code from the response.
func isWellFormed(err error) bool {
	if _, broken := errors.AsType[*smithy.DeserializationError](err); broken {
		return false
	}
	refusal, ok := errors.AsType[smithy.APIError](err)
	return ok && refusal.ErrorCode() != "" && refusal.ErrorCode() != "UnknownError"
}
