package drill

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"aloft.dev/aloft/internal/apply"
)

// requestPatience is how long a request of the load may take, as for a user's
// browser that is out of patience.
const requestPatience = 5 * time.Second

// address is a private address in an answer, as it is or in a host name (Amazon
// EC2 User Guide, "EC2 instance hostnames").
var address = regexp.MustCompile(`(?:^|[^0-9A-Za-z])(?:ip-)?([0-9]{1,3}(?:[.-][0-9]{1,3}){3})(?:$|[^0-9])`)

// named tells which server gave an answer: by the X-Served-By header or the body
// with its host name or private address. A server that was not there when the
// drill began is told by its address. "": none is named.
func named(machines []apply.Machine) func(*http.Response, []byte) string {
	names := map[string]string{}
	for _, m := range machines {
		names[m.PrivateIP] = m.Name
	}
	return func(response *http.Response, body []byte) string {
		for _, text := range [][]byte{[]byte(response.Header.Get("X-Served-By")), body} {
			for _, found := range address.FindAllSubmatch(text, -1) {
				ip := strings.ReplaceAll(string(found[1]), "-", ".")
				if name, ok := names[ip]; ok {
					return name
				}
				if at, err := netip.ParseAddr(ip); err == nil && at.IsPrivate() {
					return ip
				}
			}
		}
		return ""
	}
}
