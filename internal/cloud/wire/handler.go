package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/wire/names"
)

// handler is the endpoint: guard, signature, operation, answer, log.
type handler struct {
	Config
	services map[string]*service
}

// exchange is one request on its way through the handler, as far as it came.
type exchange struct {
	id         string
	rawBody    []byte     // the body as it came
	body       []byte     // and as it was before it was compressed
	values     url.Values // parameters of a query request
	malformed  bool       // some of them could not be read
	claim      claim
	table      *names.Table // nil until the service is known
	dialect    names.Protocol
	operation  string
	parameters []string // names of the request's parameters
	unknown    []string // those among them, at any depth, that no field stands for
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_aloft/") && h.Fallback != nil {
		if err := h.refuseBrowsers(r); err != nil {
			http.Error(w, err.Message, err.status())
			return
		}
		h.Fallback.ServeHTTP(w, r)
		return
	}
	started := time.Now()
	x := &exchange{id: h.NewRequestID()}
	answer, err := h.serve(r, x)
	var refusal *Error
	if err != nil {
		refusal = h.publicError(r.Context(), x, err)
		answer = encodeError(x, refusal)
	}
	answer.send(w, x.id)
	h.logRequest(r.Context(), x, refusal, time.Since(started))
}

// serve does everything between reading a request and sending its answer.
func (h *handler) serve(r *http.Request, x *exchange) (*response, error) {
	if err := h.refuseBrowsers(r); err != nil {
		return nil, err
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return nil, &Error{
			Code:    "MethodNotAllowed",
			Message: "Requests are POST or GET.",
			Status:  http.StatusMethodNotAllowed,
		}
	}
	if err := x.readBody(r); err != nil {
		return nil, err
	}
	svc, err := h.identify(r, x)
	if err != nil {
		return nil, err
	}
	if err := h.authenticate(r, x); err != nil {
		return nil, err
	}
	op, err := svc.operation(x.operation, x.dialect)
	if err != nil {
		return nil, err
	}
	in := reflect.New(op.in.typ)
	if err := x.decode(op, in.Elem()); err != nil {
		return nil, err
	}
	caller := Caller{
		AccountID:   identity.Account,
		AccessKeyID: x.claim.accessKey,
		Region:      x.claim.region,
		RequestID:   x.id,
	}
	out, err := h.invoke(WithCaller(r.Context(), caller), op, in)
	if err != nil {
		return nil, err
	}
	return encodeResponse(x, op, out.Elem()), nil
}

// identify finds the service that a request claims to be for, and the
// operation. Nothing it learns is trusted before authenticate.
func (h *handler) identify(r *http.Request, x *exchange) (*service, error) {
	x.parseValues(r)
	claimErr := x.claim.parse(r)
	svc, known := h.services[x.claim.service]
	if !known {
		svc = h.inferService(r, x)
	}
	if svc != nil {
		x.table, x.dialect = svc.table, dialect(r, svc.table)
	}
	if claimErr != nil {
		return nil, claimErr
	}
	if !known {
		return nil, NotImplemented("the service %s", x.claim.service)
	}
	switch x.dialect {
	case names.JSON:
		target := r.Header.Get("X-Amz-Target")
		x.operation = strings.TrimPrefix(target, svc.table.Target+".")
	case names.CBOR:
		x.operation = strings.TrimPrefix(r.URL.Path, "/service/"+svc.table.Target+"/operation/")
	case names.EC2, names.Query:
		x.operation = x.values.Get("Action")
	}
	return svc, nil
}

// dialect is the protocol of the request, among those that the service speaks.
func dialect(r *http.Request, table *names.Table) names.Protocol {
	asked := table.Protocol
	switch {
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		asked = names.CBOR
	case r.Header.Get("X-Amz-Target") != "":
		asked = names.JSON
	}
	if slices.Contains(table.OtherProtocols, asked) {
		return asked
	}
	return table.Protocol
}

// inferService finds the service whose dialect a refusal should have when the
// signature does not tell.
func (h *handler) inferService(r *http.Request, x *exchange) *service {
	for _, s := range h.services {
		target := r.Header.Get("X-Amz-Target")
		if s.table.Target != "" && strings.HasPrefix(target, s.table.Target+".") ||
			s.table.Version != "" && x.values.Get("Version") == s.table.Version {
			return s
		}
	}
	return nil
}

// parseValues reads the parameters of a query request, of the URL for GET.
func (x *exchange) parseValues(r *http.Request) {
	raw := r.URL.RawQuery
	if r.Method == http.MethodPost {
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			return
		}
		raw = string(x.body)
	}
	var err error
	x.values, err = url.ParseQuery(raw)
	x.malformed = err != nil // told only to who has signed: see decode
}

// invoke calls the operation; a panic in it is an error of its own, not the
// end of the connection.
func (h *handler) invoke(ctx context.Context, op *operation, in reflect.Value) (out reflect.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return op.invoke(ctx, in)
}

// publicError is what the caller learns of an error. Causes stay in the log.
func (h *handler) publicError(ctx context.Context, x *exchange, err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if ctx.Err() == nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "operation failed", slog.String("request", x.id),
			slog.String("operation", x.operation), slog.Any("error", err))
	}
	return internalError()
}

// logRequest writes the request log: names and codes, never values.
func (h *handler) logRequest(ctx context.Context, x *exchange, refusal *Error, took time.Duration) {
	code := "OK"
	if refusal != nil {
		code = refusal.Code
	}
	h.Log.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("request", x.id),
		slog.String("service", x.claim.service), slog.String("operation", x.operation),
		slog.String("region", x.claim.region), slog.Any("parameters", x.parameters),
		slog.Any("unknown", x.unknown), slog.String("code", code), slog.Duration("took", took))
}
