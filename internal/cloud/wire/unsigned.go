package wire

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
)

// maxAnonymousBody is the size limit of a body without a signature, in bytes. The largest that AWS accepts has a web
// identity token of 20,000 characters and session policies (AWS STS API Reference, AssumeRoleWithWebIdentity).
const maxAnonymousBody = 64 << 10

// unsigned returns the service of a link that needs no signature, or nil.
func (h *handler) unsigned(r *http.Request) *service {
	if r.Method != http.MethodGet || r.ContentLength != 0 || claimsSignature(r) {
		return nil
	}
	action := r.URL.Query().Get("Action")
	for _, s := range h.services {
		if slices.Contains(s.unsigned, action) || slices.Contains(s.anonymous, action) {
			return s
		}
	}
	return nil
}

// claimsSignature reports whether a request claims to have a signature.
func claimsSignature(r *http.Request) bool {
	return r.Header.Get("Authorization") != "" || r.URL.Query().Get("X-Amz-Algorithm") != ""
}

// anonymous returns the service of a POST that needs no signature, or nil. It reads the body of a request that may
// be one.
func (h *handler) anonymous(r *http.Request, x *exchange) (*service, error) {
	if !h.mayBeAnonymous(r) {
		return nil, nil
	}
	body := h.bodies.hold(sourceIP(r), r.Body)
	defer body.release()
	if err := x.readBody(r, body); err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(string(x.rawBody))
	if err != nil {
		return nil, nil // refused as any request without a signature
	}
	for _, s := range h.services {
		if slices.Contains(s.anonymous, values.Get("Action")) {
			x.table, x.dialect, x.body = s.table, s.table.Protocol, x.rawBody
			x.claim.service, x.verified = s.table.Service, true
			return s, nil
		}
	}
	return nil, nil
}

// mayBeAnonymous reports whether a request may be a POST that needs no signature, as far as it tells before its body.
func (h *handler) mayBeAnonymous(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	form := r.Method == http.MethodPost && err == nil && kind == "application/x-www-form-urlencoded"
	if !form || claimsSignature(r) || r.Header.Get("Content-Encoding") != "" {
		return false
	}
	for _, s := range h.services {
		if len(s.anonymous) > 0 {
			return 0 < r.ContentLength && r.ContentLength <= maxAnonymousBody
		}
	}
	return false
}
