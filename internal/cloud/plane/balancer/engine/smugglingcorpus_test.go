//go:build linux

package engine

import (
	"fmt"
	"slices"
	"strings"
)

// The parts of attacks. In the host h000 and below the folder /000, the digits stand for the
// attack's number, which has three digits too, so that lengths stay right.
const (
	postHead = "POST /000/a HTTP/1.1\r\nHost: h000\r\n"
	getHead  = "GET /000/a HTTP/1.1\r\nHost: h000\r\n"
	// hidden is the request that an attacker wants to smuggle to the back end.
	hidden = "GET /000/hidden HTTP/1.1\r\nHost: h000\r\n\r\n"
	second = "GET /000/b HTTP/1.1\r\nHost: h000\r\n\r\n"
	five   = "5\r\nhello\r\n0\r\n\r\n" // a chunked body
)

// attacks are texts of one connection, with which attackers try to make the back end see
// other requests than the load balancer (RFC 9112, section 11.2).
var attacks = slices.Concat(encodingAttacks, lengthAttacks, chunkAttacks, headAttacks, otherAttacks)

// each puts every text into the place of the %s.
func each(format string, texts ...string) (all []string) {
	for _, text := range texts {
		all = append(all, strings.ReplaceAll(format, "%s", text))
	}
	return all
}

// chunk returns the content as one chunk.
func chunk(content string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(content), content) }

var encodings = []string{
	"Transfer-Encoding: Chunked", "transfer-encoding: CHUNKED", "TRANSFER-ENCODING:chunked",
	"Transfer-Encoding:\tchunked", "Transfer-Encoding: chunked ", "Transfer-Encoding: chunked\t",
	"Transfer-Encoding:  chunked", "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked",
	" Transfer-Encoding: chunked", "X: a\r\n Transfer-Encoding: chunked", "Transfer-Encoding:\r\n chunked",
	"Transfer-Encoding: chunked\r\n ", "Transfer-Encoding: chunk\r\n ed", "Transfer-Encoding: chunked,",
	"Transfer-Encoding: ,chunked", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked, identity",
	"Transfer-Encoding: identity, chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked;q=1",
	"Transfer-Encoding: \"chunked\"", "Transfer-Encoding: 'chunked'", "Transfer-Encoding: xchunked",
	"Transfer-Encoding: chunkedx", "Transfer-Encoding: \vchunked", "Transfer-Encoding: chunked\v",
	"Transfer-Encoding: \fchunked", "Transfer-Encoding: \x00chunked", "Transfer-Encoding: chunked\x00",
	"Transfer-Encoding: \x80chunked", "Transfer-Encoding: chunked\xa0", "Transfer-Encoding: chunked\r",
	"Transfer-Encoding:\nchunked", "X: a\nTransfer-Encoding: chunked", "X: a\rTransfer-Encoding: chunked",
	"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
	"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
	"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
	"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow", "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
	"Transfer-Encoding: chunked\r\nTransfer-Encoding:", "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
	"Transfer-Encoding: identity", "Transfer-Encoding:", "Transfer-Encoding: cow", "Transfer-Encoding: gzip",
	"Transfer_Encoding: chunked", "Transfer.Encoding: chunked", "Transfer-Encoding-: chunked",
	"TransferEncoding: chunked", "Transfer Encoding: chunked", "Transfer\\Encoding: chunked",
	"\x00Transfer-Encoding: chunked", "Transfer-Encoding\x00: chunked", "\xefTransfer-Encoding: chunked",
	": Transfer-Encoding: chunked", "Transfer-Encoding chunked", "Connection: Transfer-Encoding\r\n" +
		"Transfer-Encoding: chunked", "Connection: close, te\r\nTE: trailers, chunked",
}

// encodingAttacks have a Transfer-Encoding that some servers overlook.
var encodingAttacks = slices.Concat(
	each(postHead+"%s\r\n\r\n"+five+second, encodings...),
	each(postHead+"Content-Length: 15\r\n%s\r\n\r\n"+five+second, encodings...),
)

// lengthAttacks have a Content-Length that servers read in different ways.
var lengthAttacks = each(postHead+"%s\r\n\r\nHELLO"+second,
	"Content-Length: 5", "content-length:5", "Content-Length: 05", "Content-Length: 0000000000000005",
	"Content-Length: +5", "Content-Length: -5", "Content-Length: 0x5", "Content-Length: 5.0", "Content-Length: 5e0",
	"Content-Length: 5 ", "Content-Length:\t5\t", "Content-Length: 5 5", "Content-Length: 5,", "Content-Length: ,5",
	"Content-Length: 5, 5", "Content-Length: 5,6", "Content-Length: 5;", "Content-Length: \"5\"",
	"Content-Length: 5\v",
	"Content-Length: \v5", "Content-Length: 5\x00", "Content-Length: 5\xa0", "Content-Length: \xd9\xa5",
	"Content-Length:", "Content-Length: a", "Content-Length : 5", "Content-Length\t: 5", " Content-Length: 5",
	"Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 0",
	"Content-Length: 0\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length:",
	"Content-Length: 5\r\n 6", "Content-Length: 1\r\n\t5", "Content_Length: 5", "Content-Length: 5\nX: a",
	"Content-Length: 18446744073709551621", "Content-Length: 9223372036854775813",
	"Connection: Content-Length\r\nContent-Length: 5",
)

// chunkAttacks have a body that ends in different places for different servers.
var chunkAttacks = each(postHead+"Transfer-Encoding: chunked\r\n\r\n%s"+second,
	five, "05\r\nhello\r\n0\r\n\r\n", "0000000000005\r\nhello\r\n00\r\n\r\n", "5;a=b\r\nhello\r\n0;c\r\n\r\n",
	"5;a=\"\\\"\"\r\nhello\r\n0\r\n\r\n", "5 ;a\r\nhello\r\n0\r\n\r\n", "5; a\t\r\nhello\r\n0\r\n\r\n",
	"5 \r\nhello\r\n0\r\n\r\n", "5\t\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n",
	"+5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "5_0\r\nhello\r\n0\r\n\r\n", "5h\r\nhello\r\n0\r\n\r\n",
	"5\nhello\r\n0\r\n\r\n", "5\rhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello0\r\n\r\n",
	"5\r\nhello\r\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "5;a\nhello\r\n0\r\n\r\n",
	"5;a\rb\r\nhello\r\n0\r\n\r\n",
	"5;\x00\r\nhello\r\n0\r\n\r\n", "5;\x80\r\nhello\r\n0\r\n\r\n", "\r\n5\r\nhello\r\n0\r\n\r\n",
	";a\r\nhello\r\n0\r\n\r\n",
	"10000000000000005\r\nhello\r\n0\r\n\r\n", "fffffffffffffffb\r\nhello\r\n0\r\n\r\n",
	"5\r\nhello\r\n0\r\n\n", "5\r\nhello\r\n0\n\r\n", "5\r\nhello\r\n0\r\n\r",
	"5\r\nhello\r\n0\r\nX: a\r\n\r\n", "5\r\nhello\r\n0\r\nContent-Length: 50\r\nHost: x\r\n\r\n",
	"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n0\r\nX : a\r\n\r\n",
	"5\r\nhello\r\n0\r\n: a\r\n\r\n", "5\r\nhello\r\n0\r\nX\r\n\r\n", "5\r\nhello\r\n0\r\n X: a\r\n\r\n",
	"5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n", "5\r\nhello\r\n0\r\nX: a\nY: b\r\n\r\n",
	"5\r\nhello\r\n0\r\nX: a\x00\r\n\r\n",
	"5\r\nhello\r\n0\r\n"+strings.Repeat("X: a\r\n", 200)+"\r\n", "5;"+strings.Repeat("a", 5000)+
		"\r\nhello\r\n0\r\n\r\n",
	"1\r\nh\r\n1\r\ne\r\n3\r\nllo\r\n0\r\n\r\n", chunk(hidden)+"0\r\n\r\n",
)

// headAttacks have odd request lines and header fields.
var headAttacks = slices.Concat(
	each("%s\r\nHost: h000\r\n\r\n"+second,
		"GET /000/a HTTP/1.1", "GET  /000/a HTTP/1.1", "GET /000/a  HTTP/1.1", "GET\t/000/a HTTP/1.1",
		"GET /000/a\tHTTP/1.1", "GET /000/a HTTP/1.1 ", " GET /000/a HTTP/1.1", "GET /000/a b HTTP/1.1",
		"GET /000/a HTTP/1.1 HTTP/1.1", "GET /000/a HTTP/1.0 HTTP/1.1", "GET /000/a\tHTTP/1.1\t HTTP/1.1",
		"GET /000/a\vHTTP/1.1\v HTTP/1.1", "GET /000/a\fHTTP/1.0\f HTTP/1.1", "GET /000/a?b c HTTP/1.1",
		"GET /000/a\x00b HTTP/1.1", "GET /000/a\rb HTTP/1.1", "GET /000/a\x01b HTTP/1.1", "GET /000/a\x7fb HTTP/1.1",
		"GET /000/a\xc3\xa9 HTTP/1.1", "GET /000/a#b HTTP/1.1", "GET /000/a%0d%0aX:%20b HTTP/1.1",
		"GET //000/a HTTP/1.1",
		"GET /000/../000/a HTTP/1.1", "GET /000/%2e%2e/a HTTP/1.1", "GET /000/a;b=c HTTP/1.1",
		"GET /000/a\\b HTTP/1.1",
		"GET /000/a?b?c=d HTTP/1.1", "GET /000/a? HTTP/1.1", "GET 000 HTTP/1.1", "GET ?000 HTTP/1.1", "GET  HTTP/1.1",
		"GET http://h000/000/a HTTP/1.1", "GET http://g000/000/a HTTP/1.1", "GET HTTP://h000 HTTP/1.1",
		"GET http://h000?000 HTTP/1.1", "GET https://h000/000/a HTTP/1.1", "GET http://u@h000/000/a HTTP/1.1",
		"GET http:///000/a HTTP/1.1", "GET http://h000:x/000/a HTTP/1.1", "GET ftp://h000/000/a HTTP/1.1",
		"GET /000/a HTTP/1.2", "GET /000/a HTTP/1.9", "GET /000/a HTTP/1.01", "GET /000/a HTTP/2.0",
		"GET /000/a HTTP/0.9",
		"GET /000/a http/1.1", "GET /000/a HTTP/1.1\x00", "GET /000/a HTTP 1.1", "GET /000/a",
		"G=T /000/a HTTP/1.1", "G(T /000/a HTTP/1.1", "G\x80T /000/a HTTP/1.1", "PATCH /000/a HTTP/1.1",
		"PURGE /000/a HTTP/1.1", "PRI * HTTP/2.0", "OPTIONS * HTTP/1.1", "OPTIONS /000/a HTTP/1.1", "GET * HTTP/1.1",
		"CONNECT h000:80 HTTP/1.1", "CONNECT /000/a HTTP/1.1", "TRACE /000/a HTTP/1.1", "HEAD /000/a HTTP/1.1",
		"GET /000/"+strings.Repeat("a", 5000)+" HTTP/1.1", "GET /000/"+strings.Repeat("a", 20000)+" HTTP/1.1",
	),
	each("GET /000/a HTTP/1.1\r\n%s\r\n"+second,
		"", "Host: h000\r\nHost: h000\r\n", "Host: h000\r\nHost: g000\r\n", "Host: h000, g000\r\n",
		"Host: h000 g000\r\n",
		"Host:\r\n", "Host: h000/x\r\n", "Host: u@h000\r\n", "Host: h000:\r\n", "Host: h000:80\r\n",
		"Host: h000:x\r\n",
		"Host: h000\x00\r\n", "Host: \"h000\"\r\n", "Host: [::1]\r\n", "host:h000\r\n", "Host : h000\r\n",
		"X: a\r\n Host: h000\r\n",
		"Host: h000\r\nX: a\rY: b\r\n", "Host: h000\r\nX: a\nY: b\r\n", "Host: h000\nX: a\r\n",
		"Host: h000\r\nX: a\x00b\r\n",
		"Host: h000\r\nX: a\r\n\tb\r\n", "Host: h000\r\n X: a\r\n", "Host: h000\r\n \r\n",
		"Host: h000\r\n: a\r\n", "Host: h000\r\nX\r\n",
		"Host: h000\r\nX_Y: a\r\n", "Host: h000\r\nX.Y: a\r\n", "Host: h000\r\nX Y: a\r\n",
		"Host: h000\r\nX\x7f: a\r\n",
		"Host: h000\r\nX\xe9: a\r\n", "Host: h000\r\nX(: a\r\n", "Host: h000\r\nX: \xe9\r\n",
		"Host: h000\r\nX: \x01\r\n",
		"Host: h000\r\nX: a\vContent-Length: 5\r\n", "Host: h000\r\nX: a\x85Content-Length: 5\r\n",
		"Host: h000\r\nX: "+strings.Repeat("a", 7000)+"\r\n", "Host: h000\r\nX: "+strings.Repeat("a", 17000)+"\r\n",
		"Host: h000\r\n"+strings.Repeat("X: a\r\n", 90)+"\r\n", "Host: h000\r\n"+strings.Repeat("X: a\r\n", 12000),
		"Host: h000\r\nConnection: Host\r\n", "Host: h000\r\nConnection: close, X, Host, Content-Length\r\nX: a\r\n",
		"Host: h000\r\nConnection: keep-alive, close\r\n", "Host: h000\r\nKeep-Alive: timeout=1, max=1\r\n",
		"Host: h000\r\nProxy-Connection: close\r\n", "Host: h000\r\nConnection: X-Forwarded-For\r\n",
		"Host: h000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
		"Host: h000\r\nUpgrade: h2c\r\nConnection: Upgrade, "+
			"HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
		"Host: h000\r\nExpect: 100-continue\r\n", "Host: h000\r\nExpect: x\r\n",
		"Host: h000\r\nTrailer: Content-Length\r\n",
		"Host: h000\r\nX-Forwarded-For: 1, 2\r\nX_Forwarded_For: 3\r\n",
		"Host: h000\r\nX-HTTP-Method-Override: PUT\r\n",
	),
)

const old = "POST /000/a HTTP/1.0\r\nHost: h000\r\n"

var otherAttacks = []string{
	postHead + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
	postHead + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(hidden+"x=") + "0\r\n\r\n",
	postHead + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + chunk(hidden) + "0\r\n\r\n",
	postHead + "Content-Length: 40\r\n\r\n" + hidden,
	getHead + "Content-Length: 40\r\n\r\n" + hidden,
	getHead + "Content-Length: 0\r\n\r\n" + second,
	getHead + "Transfer-Encoding: chunked\r\n\r\n" + five + second,
	"HEAD /000/a HTTP/1.1\r\nHost: h000\r\nContent-Length: 5\r\n\r\nhello" + second,
	"DELETE /000/a HTTP/1.1\r\nHost: h000\r\nContent-Length: 5\r\n\r\nhello" + second,
	old + "Content-Length: 5\r\n\r\nhello" + second, old + "Transfer-Encoding: chunked\r\n\r\n" + five + second,
	old + "Connection: keep-alive\r\nContent-Length: 5\r\n\r\nhello" + second, old + "\r\n" + second,
	old + "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 15\r\n\r\n" + five + second,
	"GET /000/a HTTP/1.0\r\nHost: h000\r\n\r\n" + second,
	old + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello" + second,
	postHead + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello" + second,
	postHead + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n" + five + second,
	postHead + "Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello" + second,
	postHead + "Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n\r\nhello" + second,
	getHead + "\r\n" + strings.Repeat(second, 20), postHead + "Content-Length: 5\r\n\r\nhello\r\n" + second,
	"\r\n\r\n" + second, "\n" + second, "\r" + second, "\x00" + second, "GET /000/a\r\n\r\n" + second,
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", getHead + "\r\nX" + second, strings.ReplaceAll(second, "\r\n", "\n"),
	strings.ReplaceAll(second, "\r\n",
		"\r"), postHead + "Content-Length: 100000\r\n\r\n" + strings.Repeat("a", 100000) + second,
	postHead + "Transfer-Encoding: chunked\r\n\r\n" + chunk(strings.Repeat("a", 100000)) + "0\r\n\r\n" + second,
}

// unfinished are texts without the end of a body. The load balancer waits for it until the
// idle timeout.
var unfinished = []string{
	postHead + "Content-Length: 5\r\n\r\nhel",
	postHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
	postHead + "Content-Length: 4294967301\r\n\r\nhello" + second,
	postHead + "Transfer-Encoding: chunked\r\n\r\n100000005\r\nhello\r\n0\r\n\r\n" + second,
}
