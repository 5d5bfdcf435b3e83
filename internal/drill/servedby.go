package drill

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"aloft.dev/aloft/internal/apply"
)

// privateAddress matches a private IP address in a response, by itself or in a host
// name (Amazon EC2 User Guide, "EC2 instance hostnames").
var privateAddress = regexp.MustCompile(
	`(?:^|[^0-9A-Za-z])(?:ip-)?([0-9]{1,3}(?:[.-][0-9]{1,3}){3})(?:$|[^0-9])`)

// servedBy returns a function that returns the name of the server that sent a
// response, by the host name or private address in the X-Served-By header or the
// body. For a server that was launched after the drill began it returns the
// address, and "" if the response names no server.
func servedBy(machines []apply.Machine) func(*http.Response, []byte) string {
	names := map[string]string{}
	for _, m := range machines {
		names[m.PrivateIP] = m.Name
	}
	return func(response *http.Response, body []byte) string {
		for _, text := range [][]byte{[]byte(response.Header.Get("X-Served-By")), body} {
			for _, found := range privateAddress.FindAllSubmatch(text, -1) {
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
