package resource

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Keys locates the SSH key of the instances on the user's computer: a key of the
// user's own or one that Aloft creates. The private key never leaves the computer.
type Keys struct {
	Public  string // file of the user's public key; "" if Aloft creates the key
	Private string // file of the private key
}

// KeysOf returns the locations of an application's key. given is the user's public
// key file, or "". dir is where Aloft keeps the keys it creates.
func KeysOf(given, dir, app, region string) Keys {
	if given != "" {
		return Keys{Public: given, Private: strings.TrimSuffix(given, ".pub")}
	}
	return Keys{Private: filepath.Join(dir, app+"-"+region+".pem")}
}

// Fingerprint returns the SHA-256 fingerprint of the user's public key, or "" if
// Aloft creates the key.
func (k Keys) Fingerprint() (string, error) {
	if k.Public == "" {
		return "", nil
	}
	public, err := k.readPublic()
	if err != nil {
		return "", err
	}
	return ssh.FingerprintSHA256(public), nil
}

// readPublic reads the user's public key file.
func (k Keys) readPublic() (ssh.PublicKey, error) {
	text, err := os.ReadFile(k.Public)
	if err != nil {
		return nil, fmt.Errorf("read the public key: %w", err)
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, &diag.Diagnostic{
			Where:   k.Public,
			Summary: "is not an OpenSSH public key",
			Hint:    "give the .pub file that ssh-keygen wrote",
			Cause:   err,
		}
	}
	return public, nil
}

// readPrivate reads the private key file and returns its public key.
func (k Keys) readPrivate() (ssh.PublicKey, error) {
	text, err := os.ReadFile(k.Private)
	if err != nil {
		return nil, fmt.Errorf("read the private key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("read the private key %s: %w", k.Private, err)
	}
	return signer.PublicKey(), nil
}

// generate writes a new private key that only its owner can read.
func (k Keys) generate(comment string) (ssh.PublicKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate a key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(k.Private), 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of the key: %w", err)
	}
	file, err := os.OpenFile(k.Private, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	_, err = file.Write(pem.EncodeToMemory(block))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("write the key: %w", err), os.Remove(k.Private))
	}
	return k.readPrivate()
}

// publicKey returns the public key of the instances. It generates the key if Aloft
// creates it and has not done so yet.
func (k Keys) publicKey(comment string) (ssh.PublicKey, error) {
	if k.Public != "" {
		return k.readPublic()
	}
	public, err := k.readPrivate()
	if errors.Is(err, fs.ErrNotExist) {
		return k.generate(comment)
	}
	return public, err
}

// Check returns an error unless the private key of a found key pair is available.
func (k Keys) Check(keyPair plan.Found) error {
	public, err := k.readPrivate()
	fingerprint := keyPair.Value(stack.AttrFingerprint)
	if err == nil && (fingerprint == "" || ssh.FingerprintSHA256(public) == fingerprint) {
		return nil
	}
	d := &diag.Diagnostic{
		Where: k.Private,
		Hint: fmt.Sprintf("copy the file from the computer that created it; or, if it is lost, "+
			"delete key pair %s and run aloft up again: Aloft creates another", keyPair.ID),
		Cause: err,
	}
	switch {
	case k.Public != "":
		d.Summary = fmt.Sprintf("the private key of %s is needed to install the application", k.Public)
		d.Hint = "put it beside the public key, without a passphrase"
	case errors.Is(err, fs.ErrNotExist):
		d.Summary = fmt.Sprintf("the private key of key pair %s is missing, and installing the application needs it",
			keyPair.ID)
	case err != nil:
		d.Summary = err.Error()
	default:
		d.Summary = fmt.Sprintf("this is not the private key of key pair %s", keyPair.ID)
	}
	return d
}

// removeFor deletes the private key file if Aloft created the key and it is that of
// the key pair.
func (k Keys) removeFor(keyPair plan.Found) error {
	if k.Public != "" {
		return nil
	}
	public, err := k.readPrivate()
	if err != nil || ssh.FingerprintSHA256(public) != keyPair.Value(stack.AttrFingerprint) {
		return nil
	}
	return awsapi.Wrap("delete the private key", os.Remove(k.Private))
}
