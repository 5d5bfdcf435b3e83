package ec2

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/crypto/ssh"
)

func TestCreatedKeysMatchTheirPublicKeys(t *testing.T) {
	c := newCloud(t)
	for _, kind := range []types.KeyType{types.KeyTypeRsa, types.KeyTypeEd25519} {
		out := do(c, c.CreateKeyPair, &ec2.CreateKeyPairInput{KeyName: aws.String(string(kind)), KeyType: kind})
		signer, err := ssh.ParsePrivateKey([]byte(*out.KeyMaterial))
		if err != nil {
			t.Fatal(err)
		}
		shown := do(c, c.DescribeKeyPairs, &ec2.DescribeKeyPairsInput{
			KeyNames: []string{string(kind)}, IncludePublicKey: aws.Bool(true),
		}).KeyPairs[0]
		if want := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))); *shown.PublicKey != want ||
			shown.KeyType != kind ||
			*shown.KeyFingerprint != *out.KeyFingerprint {
			t.Errorf("%s: described as %+v", kind, shown)
		}
		groups := strings.Count(*out.KeyFingerprint, ":")
		if kind == types.KeyTypeRsa && groups != 19 ||
			kind == types.KeyTypeEd25519 && (groups != 0 || !strings.HasSuffix(*out.KeyFingerprint, "=")) {
			t.Errorf("%s: fingerprint %s", kind, *out.KeyFingerprint)
		}
	}
	wantError(c, c.CreateKeyPair, &ec2.CreateKeyPairInput{KeyName: aws.String("ed25519"), KeyType: "ed25519"},
		"InvalidKeyPair.Duplicate: The keypair already exists")
	if _, err := c.CreateKeyPair(c.ctx, &ec2.CreateKeyPairInput{
		KeyName: aws.String("p"), KeyFormat: types.KeyFormatPpk,
	}); code(err) != "UnsupportedOperation" {
		t.Errorf("ppk: %v", err)
	}
}

// Keys, and their fingerprints according to OpenSSH (ssh-keygen -l) and OpenSSL (openssl
// pkey -pubin -outform DER | openssl md5 -c).
const (
	importedEd25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEu8P6ZjMnXNmXHSA2FgUT7kUGZkFqwvFDDFGQWpcVmO " +
		"someone@somewhere"
	printEd25519 = "ywL4CRrgu+YXmGFirKOnSoTAhcSdnFI0XN4SqpNsj88="
	importedRSA  = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCsJ3ooJgV9Bs24fYisqdpsStQF+O4DxloQUVDk" +
		"qBShZBtXfIHI2N2nL+CqIBlS5wiR6lJbmUtXbwTqsahCU7GOP5K0EhKydM+e0kBHhNzhBmPt5GnVd1ZSdztX" +
		"1QSLn5VL2Had2lxVgoLLHjXk7Hgg31FWb2XDkrQFZQozALc/Kw=="
	printRSA = "69:cb:dc:87:cc:e6:70:37:2a:c0:c1:93:c9:0f:d9:ef"
)

func TestImportKeyPairAcceptsEveryFormat(t *testing.T) {
	c := newCloud(t)
	blob := strings.Fields(importedEd25519)[1]
	rfc4716 := "---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"a key\"\n" + blob[:40] + "\n" + blob[40:] +
		"\n---- END SSH2 PUBLIC KEY ----\n"
	raw, err := base64.StdEncoding.DecodeString(blob)
	if err != nil {
		t.Fatal(err)
	}
	der := base64.StdEncoding.EncodeToString(
		append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}, raw[len(raw)-32:]...),
	)
	for name, material := range map[string]string{"openssh": importedEd25519, "rfc4716": rfc4716, "der": der} {
		out := do(c, c.ImportKeyPair, &ec2.ImportKeyPairInput{KeyName: &name, PublicKeyMaterial: []byte(material)})
		if *out.KeyFingerprint != printEd25519 {
			t.Errorf("%s: fingerprint %s", name, *out.KeyFingerprint)
		}
		shown := do(c, c.DescribeKeyPairs, &ec2.DescribeKeyPairsInput{
			KeyPairIds: []string{*out.KeyPairId}, IncludePublicKey: aws.Bool(true),
		}).KeyPairs[0]
		if *shown.PublicKey != "ssh-ed25519 "+blob {
			t.Errorf("%s: public key %s", name, *shown.PublicKey)
		}
	}
	if got := do(c, c.ImportKeyPair, &ec2.ImportKeyPairInput{
		KeyName: aws.String("rsa"), PublicKeyMaterial: []byte(importedRSA),
	}); *got.KeyFingerprint != printRSA {
		t.Errorf("fingerprint of the RSA key: %s", *got.KeyFingerprint)
	}
	wantError(c, c.ImportKeyPair,
		&ec2.ImportKeyPairInput{KeyName: aws.String("bad"), PublicKeyMaterial: []byte("nonsense")},
		"InvalidKey.Format: Key is not in valid OpenSSH public key format")
}

func TestUnknownKeyPairsAreNotFound(t *testing.T) {
	c := newCloud(t)
	wantError(c, c.DescribeKeyPairs, &ec2.DescribeKeyPairsInput{KeyNames: []string{"x"}},
		"InvalidKeyPair.NotFound: The key pair 'x' does not exist")
	wantError(c, c.DescribeKeyPairs, &ec2.DescribeKeyPairsInput{KeyPairIds: []string{"key-00000000"}},
		"InvalidKeyPair.NotFound: The key pair ID 'key-00000000' does not exist")
	do(c, c.DeleteKeyPair, &ec2.DeleteKeyPairInput{KeyName: aws.String("x")})
}
