//go:build linux

package engine

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

func TestResponsesAreFramedForTheClient(t *testing.T) {
	const (
		keep, gone = "Connection: keep-alive\r\n", "Connection: close\r\n"
		chunked    = "Transfer-Encoding: chunked\r\n"
		ok         = "HTTP/1.1 200 OK\r\n"
	)
	for _, c := range []struct{ name, request, target, want string }{
		{"chunks", "GET /x HTTP/1.1", ok + chunked + "\r\n2;e=1\r\nhi\r\n0\r\nT: x\r\n\r\n",
			chunked + keep + "\r\n2;e=1\r\nhi\r\n0\r\nT: x\r\n\r\n"},
		{"chunks for HTTP/1.0", "GET /x HTTP/1.0", ok + chunked + "\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n",
			gone + "\r\nhi!"},
		{"HEAD", "HEAD /x HTTP/1.1", ok + "Content-Length: 5\r\n\r\n", "Content-Length: 5\r\n" + keep + "\r\n"},
		{"not modified", "GET /x HTTP/1.1", "HTTP/1.1 304 Not Modified\r\nETag: a\r\n\r\n",
			"ETag: a\r\nDate: now\r\n" + keep + "\r\n"},
		{"no content", "GET /x HTTP/1.1", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", keep + "\r\n"},
		{"empty", "GET /x HTTP/1.1", ok + "Content-Length: 0\r\n\r\n", "Content-Length: 0\r\n" + keep + "\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dial(t, serve(t, respondingTarget(t, c.target), nil))
			_, _ = io.WriteString(conn, c.request+"\r\nHost: h\r\n\r\n")
			var got string
			for buf := make([]byte, 4096); !strings.HasSuffix(got, c.want); {
				n, err := conn.Read(buf)
				got += date.ReplaceAllString(string(buf[:n]), "Date: now")
				if err != nil {
					break
				}
			}
			if !strings.HasSuffix(got, c.want) {
				t.Errorf("the client saw %q, want it to end with %q", got, c.want)
			}
		})
	}
}

func TestBodyUntilCloseBecomesChunks(t *testing.T) {
	target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
		readHead(in)
		_, _ = io.WriteString(out, "HTTP/1.1 200 OK\r\nDate: x\r\n\r\nuntil the end")
	})
	response := send(t, serve(t, target, nil), "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	want := "HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" +
		"d\r\nuntil the end\r\n0\r\n\r\n"
	if response != want {
		t.Errorf("%q", response)
	}
}

func TestBodiesOfAnySizeArriveWhole(t *testing.T) {
	target := balancertest.Backend(t, "echo", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if r.URL.Path == "/sized" {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		}
		_, _ = w.Write(body)
	})
	port := serve(t, target, nil)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for _, path := range []string{"/sized", "/chunked"} {
		for _, size := range []int{0, 1, 100, 4 << 10, 8 << 10, 33 << 10, 200 << 10, 3<<20 + 7} {
			body := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
			var sent io.Reader = bytes.NewReader(body)
			if path == "/chunked" {
				sent = io.MultiReader(sent) // hides the length from net/http
			}
			resp, err := client.Post(fmt.Sprintf("http://127.0.1.1:%d%s", port, path), "x/y", sent)
			if err != nil {
				t.Fatalf("%s %d: %v", path, size, err)
			}
			got, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || sha256.Sum256(got) != sha256.Sum256(body) {
				t.Fatalf("%s %d: %d bytes came back, %v", path, size, len(got), err)
			}
		}
	}
}

func TestInvalidResponsesAreBadGateways(t *testing.T) {
	longHead := strings.Repeat("A: "+strings.Repeat("a", 1<<10)+"\r\n", 33)
	for _, c := range []struct{ name, response string }{
		{"nonsense", "nonsense\r\n\r\n"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
		{"length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 1\n\na"},
		{"a head of 33 KB", "HTTP/1.1 200 OK\r\n" + longHead + "\r\n"},
		{"an upgrade that was not requested", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"},
		{"bad chunks at once", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			port := serve(t, respondingTarget(t, c.response), nil)
			response := send(t, port, "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			if !strings.HasPrefix(response, "HTTP/1.1 502 Bad Gateway\r\nServer: awselb/2.0\r\n") {
				t.Errorf("%.80q", response)
			}
		})
	}
}

func TestTruncatedBodyDoesNotLookWhole(t *testing.T) {
	for _, response := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhalf",
	} {
		target := rawTarget(t, func(in *bufio.Reader, out net.Conn) {
			readHead(in)
			_, _ = io.WriteString(out, response)
		})
		got := send(t, serve(t, target, nil), "GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
		r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(r.Body); !errors.Is(err, io.ErrUnexpectedEOF) || string(body) != "half" {
			t.Errorf("%q %v", body, err)
		}
	}
}
