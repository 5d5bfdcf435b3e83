package acm

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"

	"aloft.dev/aloft/internal/cloud/identity"
)

// newARN returns the ARN of a new certificate, with a random UUID (RFC 9562, section
// 5.4).
func newARN(region identity.Region) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return identity.ARN("acm", region, "certificate/"+uuid(b))
}

const arnPattern = `arn:[\w+=/,.@-]+:acm:[\w+=/,.@-]*:[0-9]+:[\w+=,.@-]+(/[\w+=,.@-]+)*`

var wholeARN = regexp.MustCompile(`^` + arnPattern + `$`)

func uuid(b [16]byte) string {
	text := hex.EncodeToString(b[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
