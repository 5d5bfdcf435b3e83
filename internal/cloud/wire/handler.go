package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// handler serves the endpoint.
type handler struct {
	Config
	services map[string]*service
	// how long a client may take to send a body
	bodyTimeout time.Duration
	bodies      bodyBudget
	refusals    refusalLog
}

// exchange is the state of one request as it passes through the handler.
type exchange struct {
	id        string
	resource  string            // path of a request to S3
	rawBody   []byte            // the body as received, which is what was signed
	body      []byte            // the body without compression
	values    url.Values        // parameters of a query request
	read      bool              // the body was read to its end
	payload   *Payload          // of a request to S3, in place of the bodies
	form      *objectForm       // that made the request; nil: none
	progress  func()            // gives the client more time to send the body
	labels    map[string]string // parameters in the path of a REST request
	headers   http.Header       // of a REST request
	malformed bool              // the path or the query string could not be parsed
	claim     claim
	verified  bool         // authenticate has succeeded
	principal Principal    // set by authenticate
	account   string       // set by authenticate; "": the local cloud's own
	table     *names.Table // nil until the service is known
	dialect   names.Protocol
	// headers for the web page that may send the request; nil: no page sends it, or may
	crossOrigin map[string]string
	operation   string
	parameters  []string // names of the request's top-level parameters
	unknown     []string // parameters at any depth that no field corresponds to
}

// ServeHTTP handles one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	x := &exchange{id: h.NewRequestID()}
	x.progress = func() {
		// The deadline ends with the body: net/http removes it then, and waits for the client's
		// end. Not every ResponseWriter has deadlines.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.bodyTimeout))
	}
	if r.ContentLength != 0 {
		x.progress()
	}
	if stream, ok := h.Streams[r.URL.Path]; ok {
		h.serveStream(w, r, x, stream)
		return
	}
	var response *response
	var err error
	if h.Fallback != nil && strings.HasPrefix(r.URL.Path, ownPaths) {
		response, err = h.serveOwn(r, x)
	} else {
		response, err = h.serve(r, x)
	}
	if errors.Is(err, ErrHangUp) {
		h.logRequest(r.Context(), x, &Error{Code: "closed the connection"}, time.Since(started))
		panic(http.ErrAbortHandler) // net/http closes the connection
	}
	var refusal *Error
	if err != nil {
		refusal = h.publicError(r.Context(), x, err)
		response = encodeError(x, refusal)
	}
	if x.payload != nil {
		x.read = x.payload.ended
	}
	if !x.read && r.ContentLength != 0 {
		w.Header().Set("Connection", "close") // or net/http would read the body
	}
	for name, value := range x.crossOrigin {
		w.Header().Set(name, value)
	}
	response.send(w, x.id)
	h.logRequest(r.Context(), x, refusal, time.Since(started))
}

// serve handles a request up to its response, which the caller sends.
func (h *handler) serve(r *http.Request, x *exchange) (*response, error) {
	if r.Method == http.MethodOptions {
		return h.preflight(r, x)
	}
	x.crossOrigin = h.allowedPage(r)
	if err := h.refuse(r, x.crossOrigin != nil); err != nil {
		return nil, err
	}
	svc, err := h.admit(r, x)
	if err != nil {
		return nil, err
	}
	if x.crossOrigin != nil && svc.table.Protocol != names.S3 {
		return nil, forbidden("Requests from web pages are refused.")
	}
	if err := x.checkEndpoint(endpointOf(r)); err != nil {
		return nil, err
	}
	x.findOperation(r)
	op, err := svc.operation(x.operation, x.dialect)
	if err != nil {
		return nil, err
	}
	in := reflect.New(op.in.typ)
	if err := x.decode(op, in.Elem()); err != nil {
		return nil, err
	}
	out, err := h.call(WithCaller(r.Context(), h.caller(r, x)), x, op, in)
	if err != nil {
		return nil, err
	}
	response := encodeResponse(x, op, out.Elem())
	if x.form != nil {
		x.form.answer(r, response)
	}
	return response, nil
}

// admit returns the service of a request that may reach it: one with a valid signature, or
// one that needs none.
func (h *handler) admit(r *http.Request, x *exchange) (*service, error) {
	if svc := h.unsigned(r); svc != nil {
		x.table, x.dialect = svc.table, svc.table.Protocol
		x.claim.service, x.verified = svc.table.Service, true
		return svc, nil
	}
	if h.isForm(r) {
		return h.admitForm(r, x)
	}
	if svc, err := h.anonymous(r, x); svc != nil || err != nil {
		return svc, err
	}
	svc, err := h.identify(r, x)
	if err != nil {
		return nil, err
	}
	return svc, h.authenticate(r, x)
}

var methods = []string{http.MethodPost, http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete}

// refuse refuses requests that no client of an API sends. allowedPage is whether a web page may send the
// request.
func (h *handler) refuse(r *http.Request, allowedPage bool) error {
	if err := h.refuseBrowsers(r, allowedPage); err != nil {
		return err
	}
	if !slices.Contains(methods, r.Method) {
		return &Error{
			Code:    "MethodNotAllowed",
			Message: "Requests are POST, GET, HEAD, PUT or DELETE.",
			Status:  http.StatusMethodNotAllowed,
		}
	}
	return nil
}

// sourceIP returns the address that a request came from.
func sourceIP(r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return from.Addr().Unmap().String()
}

// unknownTable has the names of a service that is not known and whose protocol is JSON.
var unknownTable = &names.Table{Protocol: names.JSON}

// identify determines the service that a request claims to be for. Nothing it returns
// may be trusted before authenticate.
func (h *handler) identify(r *http.Request, x *exchange) (*service, error) {
	claimErr := x.claim.parse(r)
	svc, known := h.services[x.claim.service]
	if !known {
		svc = h.inferService(r)
	}
	if svc != nil {
		x.table, x.dialect = svc.table, dialect(r, svc.table)
	} else if x.claim.speaksJSON(r) {
		x.table, x.dialect = unknownTable, names.JSON
	}
	if x.dialect == names.S3 {
		x.claim.encodedOnce = true
		claimErr = x.claim.s3Error(r, claimErr)
	}
	if claimErr != nil {
		return nil, claimErr
	}
	if !known {
		return nil, NotImplemented("the service %s", x.claim.service)
	}
	return svc, nil
}

// findOperation determines the operation, which a query names in its parameters and REST
// in the method and the path.
func (x *exchange) findOperation(r *http.Request) {
	switch x.dialect {
	case names.JSON:
		x.operation = strings.TrimPrefix(r.Header.Get("X-Amz-Target"), x.table.Target+".")
	case names.CBOR:
		x.operation = strings.TrimPrefix(r.URL.Path, "/service/"+x.table.Target+"/operation/")
	case names.EC2, names.Query:
		x.parseValues(r)
		x.operation = x.values.Get("Action")
	case names.RestXML:
		x.route(r)
	case names.S3:
		x.routeS3(r)
	}
}

// dialect returns the request's protocol if the service speaks it, or else the
// service's main protocol.
func dialect(r *http.Request, table *names.Table) names.Protocol {
	requested := table.Protocol
	switch {
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		requested = names.CBOR
	case r.Header.Get("X-Amz-Target") != "":
		requested = names.JSON
	}
	if slices.Contains(table.OtherProtocols, requested) {
		return requested
	}
	return table.Protocol
}

// inferService determines the service in whose dialect to refuse a request whose
// signature does not name one, as far as the request tells before its body.
func (h *handler) inferService(r *http.Request) *service {
	target, version := r.Header.Get("X-Amz-Target"), r.URL.Query().Get("Version")
	for _, s := range h.services {
		if s.table.Target != "" && strings.HasPrefix(target, s.table.Target+".") ||
			s.table.Version != "" && version == s.table.Version {
			return s
		}
	}
	return nil
}

// parseValues parses the parameters of a query request, which are in the URL of a
// GET and in the body of a POST.
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
	x.malformed = err != nil // decode reports it, once the signature is verified
}

// call runs the operation, with what surrounds it.
func (h *handler) call(ctx context.Context, x *exchange, op *operation, in reflect.Value) (reflect.Value, error) {
	if h.Around == nil {
		return h.invoke(ctx, op, in)
	}
	call := Call{Service: x.claim.service, Operation: op.name, Input: in.Interface()}
	out, err := h.Around(ctx, call, func(ctx context.Context) (any, error) {
		out, err := h.invoke(ctx, op, in)
		if err != nil {
			return nil, err
		}
		return out.Interface(), nil
	})
	if err != nil {
		return reflect.Value{}, err
	}
	return reflect.ValueOf(out), nil
}

// invoke calls the operation. A panic in the operation is returned as an error
// and does not end the connection.
func (h *handler) invoke(ctx context.Context, op *operation, in reflect.Value) (out reflect.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return op.invoke(ctx, in)
}

// publicError returns the part of err that the client may see. Causes only go to
// the log.
func (h *handler) publicError(ctx context.Context, x *exchange, err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if ctx.Err() == nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "operation failed", slog.String("request", x.id),
			slog.String("operation", x.operation), slog.Any("error", err))
	}
	if errors.Is(err, syscall.ENOSPC) {
		return diskFull()
	}
	return internalError()
}

// logRequest logs a request's names and codes, never its values.
func (h *handler) logRequest(ctx context.Context, x *exchange, refusal *Error, took time.Duration) {
	code := "OK"
	if refusal != nil {
		code = refusal.Code
	}
	if !x.verified {
		h.refusals.log(ctx, h.Log, x, code)
		return
	}
	if svc := h.services[x.claim.service]; refusal == nil && svc != nil && slices.Contains(svc.quiet, x.operation) {
		return
	}
	if h.Answered != nil && x.table != nil {
		h.Answered(Answer{x.claim.service, x.operation, x.region(), code, took})
	}
	h.Log.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("request", x.id),
		slog.String("service", x.claim.service), slog.String("operation", x.operation),
		slog.String("region", string(x.region())), slog.Any("parameters", x.parameters),
		slog.Any("unknown", x.unknown), slog.String("code", code), slog.Duration("took", took))
}
