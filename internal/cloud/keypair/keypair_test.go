package keypair

import (
	"errors"
	"testing"
)

func TestKeysThatAreNoPlainPEMAreRefused(t *testing.T) {
	block := func(kind, headers string) string {
		return "-----BEGIN " + kind + "-----\n" + headers + "AAAA\n-----END " + kind + "-----\n"
	}
	for key, want := range map[string]error{
		"key":                              ErrKeyFormat,
		block("CERTIFICATE", ""):           ErrKeyFormat,
		block("ENCRYPTED PRIVATE KEY", ""): ErrKeyEncrypted,
		block("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n"): ErrKeyEncrypted,
		block("PRIVATE KEY", ""): ErrMismatch,
	} {
		if err := CheckKey(nil, []byte(key)); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", key, err, want)
		}
	}
	for _, text := range []string{"text", block("PRIVATE KEY", ""), "text\n" + block("CERTIFICATE", "")} {
		if _, err := Certificates([]byte(text)); err == nil {
			t.Errorf("%q is taken for certificates", text)
		}
	}
}
