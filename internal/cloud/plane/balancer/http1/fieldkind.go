//go:build linux

package http1

import "bytes"

// Kind identifies the fields that a proxy treats specially.
type Kind uint8

// The kinds of fields. Those from Connection on apply to one connection and are never
// forwarded (RFC 9110, section 7.6.1).
const (
	Plain Kind = iota // any other
	Host
	ContentLength
	Expect
	ForwardedFor
	ForwardedProto
	ForwardedPort
	TraceID
	SetCookie
	Connection
	KeepAlive
	ProxyConnection
	TransferEncoding
	Upgrade
	TE
	NamedByConnection // any other field that Connection lists
)

// HopByHop reports whether the field applies to one connection only.
func (k Kind) HopByHop() bool { return k >= Connection }

var kinds = [...]struct {
	name string
	kind Kind
}{
	{"te", TE},
	{"host", Host},
	{"expect", Expect},
	{"upgrade", Upgrade},
	{"connection", Connection}, {"keep-alive", KeepAlive}, {"set-cookie", SetCookie},
	{"content-length", ContentLength},
	{"x-forwarded-for", ForwardedFor}, {"x-amzn-trace-id", TraceID},
	{"proxy-connection", ProxyConnection},
	{"x-forwarded-port", ForwardedPort},
	{"x-forwarded-proto", ForwardedProto}, {"transfer-encoding", TransferEncoding},
}

// kindsByLen has the indexes in kinds of the names of each length.
var kindsByLen = func() (by [18][]int) {
	for i, k := range kinds {
		by[len(k.name)] = append(by[len(k.name)], i)
	}
	return by
}()

func kindOf(name []byte) Kind {
	if len(name) >= len(kindsByLen) {
		return Plain
	}
	for _, i := range kindsByLen[len(name)] {
		if EqualFold(name, kinds[i].name) {
			return kinds[i].kind
		}
	}
	return Plain
}

// markHopByHop marks the fields that Connection lists as NamedByConnection. It leaves alone
// the fields that frame or route the message: they apply to more than one connection,
// whatever Connection says.
func markHopByHop(fields []Field) {
	for i := range fields {
		if fields[i].Kind != Connection {
			continue
		}
		for list := fields[i].Value; len(list) > 0; {
			var option []byte
			option, list, _ = bytes.Cut(list, []byte(","))
			option = trimSpace(option)
			for j := range fields {
				if fields[j].Kind == Plain && len(option) == len(fields[j].Name) &&
					bytes.EqualFold(option, fields[j].Name) {
					fields[j].Kind = NamedByConnection
				}
			}
		}
	}
}
