//go:build linux

package simulation

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
)

// inProcess is a transport that calls a handler. Without sockets, a test can run in
// a synctest bubble, where minutes pass at once.
type inProcess struct{ handler http.Handler }

// RoundTrip returns the handler's response. If the handler drops the connection, it
// returns an error as of a connection that broke.
func (p inProcess) RoundTrip(r *http.Request) (response *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	defer func() {
		switch dropped := recover(); dropped {
		case nil:
		case http.ErrAbortHandler:
			response, err = nil, fmt.Errorf("read the response: %w", io.ErrUnexpectedEOF)
		default:
			panic(dropped)
		}
	}()
	served := r.Clone(r.Context())
	served.RequestURI, served.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
	if served.Host == "" {
		served.Host = r.URL.Host
	}
	if served.Body == nil {
		served.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, served)
	response = recorder.Result()
	response.Request = r
	return response, nil
}
