package checksum_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"testing"

	"aloft.dev/aloft/internal/cloud/checksum"
)

// The check values are those of the catalogue of parametrised CRC algorithms and of FIPS 180.
func TestAlgorithmsHaveTheirCheckValues(t *testing.T) {
	for a, want := range map[checksum.Algorithm]string{
		checksum.CRC32: "cbf43926", checksum.CRC32C: "e3069283", checksum.CRC64NVME: "ae8b14860a799888",
		checksum.SHA1:   "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
		checksum.SHA256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
	} {
		h := a.New()
		h.Write([]byte("123456789"))
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%s: got %s, want %s", a, got, want)
		}
	}
}

func TestCombinedChecksumsAreThoseOfTheWhole(t *testing.T) {
	content := bytes.Repeat([]byte("The quick brown fox jumps over the lazy dog. "), 300)
	for _, a := range []checksum.Algorithm{checksum.CRC32, checksum.CRC32C, checksum.CRC64NVME} {
		sum := func(p []byte) []byte { h := a.New(); h.Write(p); return h.Sum(nil) }
		for _, cut := range []int{0, 1, 4096, len(content)} {
			first, second := content[:cut], content[cut:]
			if got := a.Combine(sum(first), sum(second), int64(len(second))); !bytes.Equal(got, sum(content)) {
				t.Errorf("%s of %d and %d bytes: got %x, want %x", a, len(first), len(second), got, sum(content))
			}
		}
	}
}

func TestContentIsComparedWithItsDigests(t *testing.T) {
	header := func(pairs ...string) func(string) string {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h.Get
	}
	verify := func(get func(string) string) error {
		sums, err := checksum.Claimed(get)
		if err != nil {
			return err
		}
		_, _ = sums.Write([]byte("123456789"))
		return sums.Verify(get)
	}
	crc := base64.StdEncoding.EncodeToString([]byte{0xcb, 0xf4, 0x39, 0x26})
	md5 := "JfnnlDI7RTiF9RgfG2JNCw=="
	for _, get := range []func(string) string{
		header(), header("x-amz-checksum-crc32", crc), header("Content-MD5", md5),
		header("X-Amz-Trailer", "x-amz-checksum-sha1"),
	} {
		if err := verify(get); err != nil {
			t.Error(err)
		}
	}
	for _, get := range []func(string) string{
		header("x-amz-checksum-crc32", "AAAAAA=="), header("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA=="),
	} {
		if _, ok := errors.AsType[*checksum.MismatchError](verify(get)); !ok {
			t.Errorf("content with another digest is accepted: %v", verify(get))
		}
	}
	for _, get := range []func(string) string{
		header("x-amz-checksum-crc32", "x"), header("Content-MD5", "x"),
		header("x-amz-checksum-crc32", crc, "x-amz-checksum-sha1", crc),
	} {
		if verify(get) == nil {
			t.Error("digests that are malformed, or several, are accepted")
		}
	}
	if err := verify(header("x-amz-checksum-xxhash64", "AAAAAAAAAAA=")); !errors.Is(err, checksum.ErrNotImplemented) {
		t.Error(err)
	}
}
