package wire

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// unreadBody fails the test if it is read.
type unreadBody struct{ t *testing.T }

func (b unreadBody) Read([]byte) (int, error) {
	b.t.Error("the body was read")
	return 0, io.EOF
}

func TestNoBodyIsReadOfWhoHasNoKey(t *testing.T) {
	post := func(header map[string]string) *http.Request {
		r := query(describe)
		r.Header.Set("X-Amz-Date", noon.Format(basicTime))
		for name, value := range header {
			r.Header.Set(name, value)
		}
		return r
	}
	sign := func(key, secret string, at time.Time) *http.Request {
		return signed(t, query(describe), "ec2", describe, key, secret, at)
	}
	otherHash := query(describe)
	otherHash.Header.Set(payloadHeader, hexSHA256("another body"))
	for name, test := range map[string]struct {
		request *http.Request
		code    string
	}{
		"no signature":       {post(nil), "MissingAuthenticationToken"},
		"another scheme":     {post(map[string]string{"Authorization": "Basic eDp5"}), "IncompleteSignature"},
		"a web page":         {post(map[string]string{"Origin": "null"}), "AccessDenied"},
		"an unknown key":     {sign("AKIAOTHER", testSecret, noon), "AuthFailure"},
		"an old signature":   {sign(testKey, testSecret, noon.Add(-time.Hour)), "RequestExpired"},
		"an unknown service": {signed(t, query(describe), "s3", describe, testKey, testSecret, noon), "NotImplemented"},
		"a hash that is not signed": {
			signed(t, otherHash, "ec2", describe, testKey, testSecret, noon), "AuthFailure",
		},
		"a body that is too large": {func() *http.Request {
			r := sign(testKey, testSecret, noon)
			r.ContentLength = maxBody + 1
			return r
		}(), "RequestEntityTooLarge"},
	} {
		test.request.Body = io.NopCloser(unreadBody{t})
		w := newEndpoint(t, atNoon).send(test.request)
		if !strings.Contains(w.Body.String(), "<Code>"+test.code+"</Code>") || w.Header().Get("Connection") != "close" {
			t.Errorf("%s: got %d %s %v, want %s", name, w.Code, w.Body, w.Header(), test.code)
		}
	}
}

func TestStatedHashOfTheBodyIsVerified(t *testing.T) {
	for sent, want := range map[string]int{describe: 200, strings.Replace(describe, "V", "W", 1): 401} {
		r := query(sent)
		r.Header.Set(payloadHeader, hexSHA256(describe))
		if w := newEndpoint(t, atNoon).send(signed(t, r, "ec2", describe, testKey, testSecret, noon)); w.Code != want {
			t.Errorf("%s: got %d %s, want %d", sent, w.Code, w.Body, want)
		}
	}
}

// exchangeOn sends a request over a connection of its own and returns its response.
func exchangeOn(t *testing.T, to net.Addr, request string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestBodyThatDoesNotArriveIsRefused(t *testing.T) {
	e := newEndpoint(t, atNoon)
	e.Handler.(*handler).bodyTimeout = 500 * time.Millisecond
	server := httptest.NewServer(e)
	defer server.Close()
	r := signed(t, query(describe), "ec2", describe, testKey, testSecret, noon)
	head := fmt.Sprintf("POST / HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nX-Amz-Date: %s\r\nContent-Type: %s\r\n",
		r.Host, r.Header.Get("Authorization"), r.Header.Get("X-Amz-Date"), r.Header.Get("Content-Type"))
	for body, want := range map[string]int{
		"Content-Length: 99\r\n\r\nAction=":              http.StatusRequestTimeout,
		"Transfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n":  http.StatusRequestTimeout,
		"Transfer-Encoding: chunked\r\n\r\nzz\r\nxy\r\n": http.StatusBadRequest,
	} {
		if got := exchangeOn(t, server.Listener.Addr(), head+body); got.StatusCode != want {
			t.Errorf("%q: %s, want %d", body, got.Status, want)
		}
	}
}

// The deadline of the body must not end what an operation does, nor the next request.
func TestDeadlineOfTheBodyEndsWithIt(t *testing.T) {
	e := newEndpoint(t, atNoon)
	e.Handler.(*handler).bodyTimeout = 500 * time.Millisecond
	e.Handler.(*handler).Around = func(ctx context.Context, _ Call, next next) (any, error) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(750 * time.Millisecond):
			return next(ctx)
		}
	}
	server := httptest.NewServer(e)
	defer server.Close()
	const identity = "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60"
	for name, r := range map[string]*http.Request{
		"a body":  signed(t, query(describe), "ec2", describe, testKey, testSecret, noon),
		"no body": presigned(t, "sts", identity, testKey, testSecret, noon),
	} {
		r.URL.Host, r.RequestURI = server.Listener.Addr().String(), ""
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: got %s", name, response.Status)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	var budget bodyBudget
	read := func(source string, n int64) (*heldBody, error) {
		held := budget.hold(source, io.LimitReader(zeros{}, n))
		_, err := io.Copy(io.Discard, held)
		return held, err
	}
	var all []*heldBody
	for i := range maxUnverified / maxUnverifiedOfSource {
		source := fmt.Sprint(i)
		held, err := read(source, maxUnverifiedOfSource)
		if err != nil {
			t.Fatal(err)
		}
		more, err := read(source, 1)
		if err == nil {
			t.Error("one source may hold more than its share")
		}
		more.release()
		all = append(all, held)
	}
	more, err := read("another", 1)
	if err == nil {
		t.Error("all sources may hold more than the total")
	}
	more.release()
	for _, held := range all {
		held.release()
	}
	if budget.held != 0 || len(budget.sources) != 0 {
		t.Errorf("%d bytes of %v are held after all were released", budget.held, budget.sources)
	}
	if e := tooManyRequests(names.EC2); e.Status != http.StatusServiceUnavailable {
		t.Error(e)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestOverloadedIsAResponse(t *testing.T) {
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(Overloaded()))), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 503 || !strings.Contains(string(body), "<Code>Throttling</Code>") {
		t.Errorf("%s %s %v", response.Status, body, err)
	}
}

func TestRefusalsDoNotFillTheLog(t *testing.T) {
	e := newEndpoint(t, atNoon)
	for range 100 {
		e.send(query(describe))
	}
	if n := strings.Count(e.log.String(), "\n"); n > 3 {
		t.Errorf("%d log lines of 100 requests without a signature", n)
	}
}

func TestOwnPathsAreTheAccountsAlone(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.Copy(w, r.Body)
	})
	post := func() *http.Request {
		return httptest.NewRequest(http.MethodPost, "http://127.0.0.1:4566/_aloft/x", strings.NewReader("body"))
	}
	ofSession := post()
	ofSession.Header.Set(tokenHeader, "t")
	for name, test := range map[string]struct {
		request *http.Request
		status  int
	}{
		"signed":                    {signed(t, post(), OwnService, "body", testKey, testSecret, noon), 418},
		"not signed":                {post(), 403},
		"by another key":            {signed(t, post(), OwnService, "body", "AKIAOTHER", testSecret, noon), 403},
		"for a service of AWS":      {signed(t, post(), "ec2", "body", testKey, testSecret, noon), 400},
		"with another body":         {signed(t, post(), OwnService, "other", testKey, testSecret, noon), 403},
		"with the key of a session": {signed(t, ofSession, OwnService, "body", "ASIA1", "s", noon), 403},
		"AWS's, for the own service": {
			signed(t, query(describe), OwnService, describe, testKey, testSecret, noon), 400,
		},
	} {
		e := newEndpoint(t, atNoon, sessions, func(c *Config) { c.Fallback = echo })
		w := e.send(test.request)
		if w.Code != test.status || test.status == 418 && w.Body.String() != "body" {
			t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, test.status)
		}
	}
}
