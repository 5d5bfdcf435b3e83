package view

import (
	"fmt"
	"io"
	"unicode/utf8"

	"aloft.dev/aloft/internal/diag"
)

// jsonWriter passes on JSON in which characters that control a terminal are escaped.
// encoding/json leaves those beyond ASCII as they are. Each write has whole characters.
type jsonWriter struct{ to io.Writer }

// Write implements io.Writer.
func (w jsonWriter) Write(document []byte) (int, error) {
	out := make([]byte, 0, len(document))
	for rest := document; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r >= 0x7f && diag.Printable(string(r)) == "" { // none of them has more than 16 bits
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = append(out, rest[:size]...)
		}
		rest = rest[size:]
	}
	if _, err := w.to.Write(out); err != nil {
		return 0, err
	}
	return len(document), nil
}
