package webidentity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/webidentity"
)

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// keys returns a set of the public keys of an RSA key "r" and an elliptic key "e".
func keys(t testing.TB, r *rsa.PrivateKey, e *ecdsa.PrivateKey) webidentity.Keys {
	t.Helper()
	point, err := e.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"keys": []map[string]string{
		{"kty": "RSA", "kid": "r", "n": encode(r.N.Bytes()), "e": encode(big.NewInt(int64(r.E)).Bytes())},
		{"kty": "EC", "kid": "e", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:]), "use": "sig"},
		{"kty": "oct", "kid": "secret", "k": encode([]byte("secret"))},
	}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := webidentity.ParseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func unsigned(header, claims string) string {
	return encode([]byte(header)) + "." + encode([]byte(claims))
}

func TestVerify(t *testing.T) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set := keys(t, r, e)
	byRSA := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(nil, r, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + encode(signature)
	}
	byCurve := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		a, b, err := ecdsa.Sign(rand.Reader, e, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		signature := make([]byte, 64)
		a.FillBytes(signature[:32])
		b.FillBytes(signature[32:])
		return text + "." + encode(signature)
	}
	const claims = `{"iss":"https://issuer.example","sub":"ada","aud":["a","b"],"exp":2000000000.5}`
	good := byRSA(unsigned(`{"alg":"RS256","kid":"r"}`, claims))
	parts := strings.Split(good, ".")
	for name, test := range map[string]struct {
		token string
		want  error
	}{
		"RSA":                {good, nil},
		"an elliptic curve":  {byCurve(unsigned(`{"alg":"ES256","kid":"e"}`, claims)), nil},
		"without a key's id": {byCurve(unsigned(`{"alg":"ES256"}`, claims)), nil},
		"other claims": {
			parts[0] + "." + encode([]byte(`{"sub":"eve"}`)) + "." + parts[2], webidentity.ErrSignature,
		},
		"another key's id":    {byRSA(unsigned(`{"alg":"RS256","kid":"x"}`, claims)), webidentity.ErrNoKey},
		"another hash":        {byRSA(unsigned(`{"alg":"RS512","kid":"r"}`, claims)), webidentity.ErrSignature},
		"another kind of key": {byRSA(unsigned(`{"alg":"ES256","kid":"r"}`, claims)), webidentity.ErrNoKey},
		"another curve":       {byCurve(unsigned(`{"alg":"ES384","kid":"e"}`, claims)), webidentity.ErrNoKey},
		"no signature":        {unsigned(`{"alg":"none"}`, claims) + ".", webidentity.ErrMalformed},
		"the algorithm none":  {unsigned(`{"alg":"none"}`, claims) + ".AAAA", webidentity.ErrNoKey},
		"a shared secret": {
			unsigned(`{"alg":"HS256","kid":"secret"}`, claims) + ".AAAA", webidentity.ErrNoKey,
		},
		"an extension": {
			byRSA(unsigned(`{"alg":"RS256","kid":"r","crit":["x"]}`, claims)), webidentity.ErrMalformed,
		},
		"a short signature": {
			unsigned(`{"alg":"ES256","kid":"e"}`, claims) + ".AAAA", webidentity.ErrSignature,
		},
		"two parts":                 {parts[0] + "." + parts[1], webidentity.ErrMalformed},
		"claims that are no object": {byRSA(unsigned(`{"alg":"RS256","kid":"r"}`, `[]`)), webidentity.ErrMalformed},
		"an endless time": {
			byRSA(unsigned(`{"alg":"RS256","kid":"r"}`, `{"exp":1e300}`)), webidentity.ErrMalformed,
		},
	} {
		token, err := webidentity.Parse(test.token)
		if err == nil {
			err = token.Verify(set)
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
	token, err := webidentity.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	if c := token.Claims; c.Subject != "ada" || len(c.Audience) != 2 || c.Expires.Unix() != 2000000000 {
		t.Errorf("got claims %+v", c)
	}
}

func TestParseKeysRefusals(t *testing.T) {
	zero := encode(make([]byte, 32))
	for name, text := range map[string]string{
		"no JSON":               "keys",
		"a short modulus":       `{"keys":[{"kty":"RSA","n":"` + encode(make([]byte, 128)) + `","e":"AQAB"}]}`,
		"a point off the curve": `{"keys":[{"kty":"EC","crv":"P-256","x":"` + zero + `","y":"` + zero + `"}]}`,
		"too many":              `{"keys":[` + strings.Repeat(`{},`, 100) + `{}]}`,
	} {
		if _, err := webidentity.ParseKeys([]byte(text)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// FuzzParse looks for tokens that make the parser panic or that verify without a key.
func FuzzParse(f *testing.F) {
	f.Add(unsigned(`{"alg":"RS256","kid":"r"}`, `{"aud":"a","exp":1}`)+".AAAA", `{"keys":[]}`)
	f.Fuzz(func(t *testing.T, text, set string) {
		token, err := webidentity.Parse(text)
		if err != nil {
			return
		}
		if err := token.Verify(nil); err == nil {
			t.Error("a token verifies without keys")
		}
		if keys, err := webidentity.ParseKeys([]byte(set)); err == nil {
			_ = token.Verify(keys)
		}
	})
}
