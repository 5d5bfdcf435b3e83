package webidentity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// Keys are the public keys of a provider.
type Keys []key

type key struct {
	id        string
	algorithm string // "": any of its kind
	rsa       *rsa.PublicKey
	ec        *ecdsa.PublicKey
}

// Limits of keys.
const (
	maxKeys    = 100
	minRSABits = 2048
	maxRSABits = 8192 // verification takes time
)

// curves are the elliptic curves by their names in keys.
var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

// ParseKeys parses a JSON Web Key Set (RFC 7517, section 5). It leaves out keys that are not for signatures, and
// those of kinds that no algorithm here uses.
func ParseKeys(text []byte) (Keys, error) {
	var set struct {
		Keys []struct {
			Kind      string `json:"kty"`
			Use       string `json:"use"`
			ID        string `json:"kid"`
			Algorithm string `json:"alg"`
			N, E      string
			Curve     string `json:"crv"`
			X, Y      string
		} `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("parse a set of keys: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the set has %d keys, more than %d", len(set.Keys), maxKeys)
	}
	var keys Keys
	for _, k := range set.Keys {
		one := key{id: k.ID, algorithm: k.Algorithm}
		var err error
		switch {
		case k.Use != "" && k.Use != "sig":
			continue
		case k.Kind == "RSA":
			one.rsa, err = rsaKey(k.N, k.E)
		case k.Kind == "EC" && curves[k.Curve] != nil:
			one.ec, err = ecKey(curves[k.Curve], k.X, k.Y)
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("parse the key %q: %w", k.ID, err)
		}
		keys = append(keys, one)
	}
	return keys, nil
}

func number(text string) (*big.Int, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	return new(big.Int).SetBytes(b), nil
}

func rsaKey(modulus, exponent string) (*rsa.PublicKey, error) {
	n, err := number(modulus)
	if err != nil {
		return nil, err
	}
	e, err := number(exponent)
	if err != nil {
		return nil, err
	}
	if n.BitLen() < minRSABits || n.BitLen() > maxRSABits || !e.IsInt64() || e.Int64() < 3 || e.BitLen() > 31 {
		return nil, fmt.Errorf("a modulus of %d bits and an exponent of %d bits", n.BitLen(), e.BitLen())
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

func ecKey(curve elliptic.Curve, x, y string) (*ecdsa.PublicKey, error) {
	size := (curve.Params().BitSize + 7) / 8
	point := []byte{4} // not compressed (SEC 1, section 2.3.3)
	for _, text := range []string{x, y} {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		if len(b) != size {
			return nil, errors.New("the coordinates do not have the curve's size")
		}
		point = append(point, b...)
	}
	return ecdsa.ParseUncompressedPublicKey(curve, point)
}

// find returns the key with an id for elliptic curves with numbers of a size, or 0 for RSA. A token that names no
// key is that of the only one.
func (k Keys) find(id string, size int) (key, bool) {
	var found []key
	for _, one := range k {
		fits := one.rsa != nil
		if size > 0 {
			fits = one.ec != nil && (one.ec.Params().BitSize+7)/8 == size
		}
		if fits && (id == "" || one.id == id) {
			found = append(found, one)
		}
	}
	if len(found) != 1 {
		return key{}, false
	}
	return found[0], true
}
