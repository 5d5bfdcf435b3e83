package toolchain

import (
	"crypto/sha1" // only for packages from before 2017, as npm does
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"aloft.dev/aloft/internal/diag"
)

// checksum is an archive's hash as its publisher states it.
type checksum struct {
	algorithm string // "sha256"
	sum       []byte
}

var algorithms = map[string]func() hash.Hash{"sha512": sha512.New, "sha256": sha256.New, "sha1": sha1.New}

// hexChecksum reads a checksum in hexadecimal digits.
func hexChecksum(algorithm, text string) (checksum, error) {
	sum, err := hex.DecodeString(text)
	if err != nil || len(sum) != algorithms[algorithm]().Size() {
		return checksum{}, fmt.Errorf("%q is no %s", text, algorithm)
	}
	return checksum{algorithm, sum}, nil
}

// integrityChecksum reads the strongest hash of an integrity: "sha512-BASE64" (W3C,
// "Subresource Integrity").
func integrityChecksum(text string) (checksum, error) {
	for _, algorithm := range []string{"sha512", "sha256", "sha1"} {
		for word := range strings.FieldsSeq(text) {
			encoded, ok := strings.CutPrefix(word, algorithm+"-")
			if !ok {
				continue
			}
			encoded, _, _ = strings.Cut(encoded, "?")
			sum, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil || len(sum) != algorithms[algorithm]().Size() {
				return checksum{}, fmt.Errorf("%q is no integrity", text)
			}
			return checksum{algorithm, sum}, nil
		}
	}
	return checksum{}, fmt.Errorf("%q is no integrity", text)
}

func (c checksum) new() hash.Hash { return algorithms[c.algorithm]() }

// compare returns a diagnostic if a hash is another one.
func (c checksum) compare(got hash.Hash, url string) error {
	sum := got.Sum(nil)
	if string(sum) == string(c.sum) {
		return nil
	}
	return &diag.Diagnostic{
		Where:   url,
		Summary: "is not what its publisher names: the checksum differs",
		Detail:  fmt.Sprintf("%s is %x and not %x", c.algorithm, sum, c.sum),
		Hint:    "try again; if it stays, the mirror or a proxy changes downloads",
	}
}
