package wire

import (
	"net/http"
	"strings"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// CrossOrigin is a request that a web page of another origin sends to a bucket of S3, or would like to send.
type CrossOrigin struct {
	Bucket, Key, Origin string
	Method              string
	Headers             []string // further headers that the page sets, in lower case
	Preflight           bool     // the browser asks whether the page may send the request
}

// crossOriginOf returns what a page sends or would like to send. A question names the method and headers.
func crossOriginOf(r *http.Request) CrossOrigin {
	c := CrossOrigin{Origin: r.Header.Get("Origin"), Method: r.Method, Preflight: r.Method == http.MethodOptions}
	c.Bucket, c.Key = locateS3(r)
	if method := r.Header.Get("Access-Control-Request-Method"); c.Preflight && method != "" {
		c.Method = method
	}
	for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			c.Headers = append(c.Headers, name)
		}
	}
	return c
}

// allowedPage returns the headers for a page that may send a request by the configuration of a bucket, nil
// if no page sends the request or it may not. The request needs a signature all the same: a page that has no
// key and no presigned address can do nothing.
func (h *handler) allowedPage(r *http.Request) map[string]string {
	var c claim
	if r.Header.Get("Origin") == "" || c.parse(r) != nil {
		return nil
	}
	svc, ok := h.services[c.service]
	if !ok || svc.crossOrigin == nil {
		return nil
	}
	headers, err := svc.crossOrigin(crossOriginOf(r))
	if err != nil {
		return nil
	}
	return headers
}

// preflight answers a browser's question whether a page may send a request to a bucket. The question has no
// signature.
func (h *handler) preflight(r *http.Request, x *exchange) (*response, error) {
	if err := h.refuseHost(r); err != nil {
		return nil, err
	}
	asked := crossOriginOf(r)
	for _, svc := range h.services {
		if svc.crossOrigin == nil || asked.Bucket == "" {
			continue
		}
		x.table, x.dialect, x.operation, x.resource = svc.table, names.S3, http.MethodOptions, r.URL.Path
		x.claim.service = svc.table.Service
		headers, err := svc.crossOrigin(asked)
		if err != nil {
			return nil, err
		}
		x.crossOrigin = headers
		return &response{status: http.StatusOK, header: x.s3Header()}, nil
	}
	return nil, h.refuse(r, true)
}
