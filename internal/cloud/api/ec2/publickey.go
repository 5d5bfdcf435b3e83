package ec2

import (
	"bytes"
	"crypto/ed25519"
	"crypto/md5" //nolint:gosec // the fingerprint of an imported RSA key is MD5
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // the fingerprint of an RSA key that EC2 generated is SHA-1
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/cloud/wire"
)

// publicKey is the public half of a key pair. Fingerprints follow the Amazon EC2 User
// Guide, Verify the fingerprint of your key pair.
type publicKey struct {
	kind        types.KeyType
	text        string // a line of authorized_keys
	fingerprint string
}

// rsaBits is the size of the RSA keys that EC2 generates.
const rsaBits = 2048

// generateKey generates a key of a type, RSA if kind is empty. It also returns the
// private key in PEM.
func generateKey(kind types.KeyType) (string, publicKey, error) {
	if kind == types.KeyTypeEd25519 {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return "", publicKey{}, fmt.Errorf("generate an ed25519 key: %w", err)
		}
		block, err := ssh.MarshalPrivateKey(private, "")
		if err != nil {
			return "", publicKey{}, fmt.Errorf("encode an ed25519 key: %w", err)
		}
		key, err := ed25519Key(public)
		return string(pem.EncodeToMemory(block)), key, err
	}
	private, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return "", publicKey{}, fmt.Errorf("generate an RSA key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", publicKey{}, fmt.Errorf("encode an RSA key: %w", err)
	}
	sum := sha1.Sum(der) //nolint:gosec // see the import
	text, err := authorizedKey(private.Public())
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}
	return string(pem.EncodeToMemory(block)), publicKey{types.KeyTypeRsa, text, colonHex(sum[:])}, err
}

// parseImportedKey parses a public key in one of the formats that EC2 accepts: a line
// of OpenSSH, RFC 4716, or DER in base64.
func parseImportedKey(material []byte) (publicKey, error) {
	switch key := parseKey(bytes.TrimSpace(material)).(type) {
	case ed25519.PublicKey:
		return ed25519Key(key)
	case *rsa.PublicKey:
		if !slices.Contains([]int{1024, 2048, 4096}, key.N.BitLen()) {
			return publicKey{}, wire.Errorf(
				"InvalidKey.Format", "The key is %d bits long: RSA keys have 1024, 2048 or 4096", key.N.BitLen(),
			)
		}
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			return publicKey{}, fmt.Errorf("encode an RSA public key: %w", err)
		}
		sum := md5.Sum(der) //nolint:gosec // see the import
		text, err := authorizedKey(key)
		return publicKey{types.KeyTypeRsa, text, colonHex(sum[:])}, err
	}
	return publicKey{}, wire.Errorf("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
}

// parseKey returns the key in material, or nil if Go knows no key in it.
func parseKey(material []byte) any {
	if key, _, _, _, err := ssh.ParseAuthorizedKey(material); err == nil {
		return cryptoKey(key)
	}
	text := string(material)
	if strings.HasPrefix(text, "---- BEGIN SSH2 PUBLIC KEY ----") {
		if blob, err := base64.StdEncoding.DecodeString(rfc4716(text)); err == nil {
			if key, err := ssh.ParsePublicKey(blob); err == nil {
				return cryptoKey(key)
			}
		}
		return nil
	}
	der := material
	if block, _ := pem.Decode(material); block != nil {
		der = block.Bytes
	} else if decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
		der = decoded
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil
	}
	return key
}

// rfc4716 returns the base64 body of a public key in the format of RFC 4716. It skips
// the first and the last line and the headers. A header continues on the next line if
// its line ends in a backslash.
func rfc4716(text string) string {
	var body strings.Builder
	header := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case header || strings.Contains(line, ":"):
			header = strings.HasSuffix(line, "\\")
		case !strings.HasPrefix(line, "----"):
			body.WriteString(line)
		}
	}
	return body.String()
}

func cryptoKey(key ssh.PublicKey) any {
	if crypto, ok := key.(ssh.CryptoPublicKey); ok {
		return crypto.CryptoPublicKey()
	}
	return nil
}

func ed25519Key(key ed25519.PublicKey) (publicKey, error) {
	wireKey, err := ssh.NewPublicKey(key)
	if err != nil {
		return publicKey{}, fmt.Errorf("encode an ed25519 public key: %w", err)
	}
	sum := sha256.Sum256(wireKey.Marshal())
	text, err := authorizedKey(key)
	return publicKey{types.KeyTypeEd25519, text, base64.StdEncoding.EncodeToString(sum[:])}, err
}

func authorizedKey(key any) (string, error) {
	wireKey, err := ssh.NewPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("encode a public key: %w", err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(wireKey))), nil
}

// colonHex returns a digest in the old format of fingerprints: aa:bb:cc.
func colonHex(sum []byte) string {
	return strings.ReplaceAll(fmt.Sprintf("% x", sum), " ", ":")
}
