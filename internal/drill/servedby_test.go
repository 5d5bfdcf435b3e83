package drill

import (
	"net/http"
	"testing"
)

func TestServedByNamesTheServerOfAResponse(t *testing.T) {
	name := servedBy(servers)
	for _, test := range []struct{ header, body, want string }{
		{"", `{"host":"ip-10-0-1-10.ec2.internal"}`, "server-1"},
		{"", "hello from 10.0.2.10:3000", "server-2"},
		{"ip-10-0-1-11", "10.0.2.10", "server-4"}, // the header comes first
		{"", "10.0.9.9", "10.0.9.9"},              // launched after the drill began
		{"", "203.0.113.7", ""},                   // not a private address
		{"", "version 1.2.3.4.5", ""},
		{"", "110.0.1.10", ""},
		{"", "hello", ""},
	} {
		response := &http.Response{Header: http.Header{}}
		response.Header.Set("X-Served-By", test.header)
		if got := name(response, []byte(test.body)); got != test.want {
			t.Errorf("header %q, body %q: got %q, want %q", test.header, test.body, got, test.want)
		}
	}
}
