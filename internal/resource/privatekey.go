package resource

import (
	"context"
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
	public  string // file of the user's public key; "" if Aloft creates the key
	prefix  string // of the files of keys that Aloft creates
	account Account
}

// Account returns the id of the AWS account.
type Account func(context.Context) (string, error)

// KeysOf returns the locations of an application's key. given is the user's public
// key file, or "". dir is where Aloft keeps the keys it creates: one for each
// application, region and account.
func KeysOf(given, dir, app, region string, account Account) Keys {
	return Keys{public: given, prefix: filepath.Join(dir, app+"-"+region), account: account}
}

// File returns the file of the private key. It may not exist.
func (k Keys) File(ctx context.Context) (string, error) {
	if k.public != "" {
		return strings.TrimSuffix(k.public, ".pub"), nil
	}
	account, err := k.account(ctx)
	if err != nil {
		return "", fmt.Errorf("find the private key: %w", err)
	}
	return k.prefix + "-" + account + ".pem", nil
}

// shared returns the file in which earlier versions of Aloft kept the key of the
// application in every account.
func (k Keys) shared() string { return k.prefix + ".pem" }

// adopt copies the private key from the shared file if it is that of a found key pair
// and file does not exist. The shared file stays, because another account may use it.
func (k Keys) adopt(file string, keyPair plan.Found) error {
	fingerprint := keyPair.Value(stack.AttrFingerprint)
	if _, err := os.Stat(file); k.public != "" || fingerprint == "" || !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	public, err := readPrivate(k.shared())
	if err != nil || ssh.FingerprintSHA256(public) != fingerprint {
		return nil
	}
	text, err := os.ReadFile(k.shared())
	if err != nil {
		return fmt.Errorf("copy the private key: %w", err)
	}
	return writeKey(file, text)
}

// Fingerprint returns the SHA-256 fingerprint of the user's public key, or "" if
// Aloft creates the key.
func (k Keys) Fingerprint() (string, error) {
	if k.public == "" {
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
	text, err := os.ReadFile(k.public)
	if err != nil {
		return nil, fmt.Errorf("read the public key: %w", err)
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, &diag.Diagnostic{
			Where:   k.public,
			Summary: "is not an OpenSSH public key",
			Hint:    "give the .pub file that ssh-keygen wrote",
			Cause:   err,
		}
	}
	return public, nil
}

// readPrivate reads a private key file and returns its public key.
func readPrivate(file string) (ssh.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the private key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("read the private key %s: %w", file, err)
	}
	return signer.PublicKey(), nil
}

// generate writes a new private key to a file.
func generate(file, comment string) (ssh.PublicKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate a key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of the key: %w", err)
	}
	if err := writeKey(file, pem.EncodeToMemory(block)); err != nil {
		return nil, err
	}
	return readPrivate(file)
}

// writeKey writes a new file that only its owner can read.
func writeKey(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the key: %w", err), os.Remove(path))
	}
	return nil
}

// publicKey returns the public key of the instances. It generates the key if Aloft
// creates it and has not done so yet.
func (k Keys) publicKey(ctx context.Context, comment string) (ssh.PublicKey, error) {
	if k.public != "" {
		return k.readPublic()
	}
	file, err := k.File(ctx)
	if err != nil {
		return nil, err
	}
	public, err := readPrivate(file)
	if errors.Is(err, fs.ErrNotExist) {
		return generate(file, comment)
	}
	return public, err
}

// FileOf returns the file of the private key of a found key pair, or an error if it is
// not available.
func (k Keys) FileOf(ctx context.Context, keyPair plan.Found) (string, error) {
	file, err := k.File(ctx)
	if err != nil {
		return "", err
	}
	if err := k.adopt(file, keyPair); err != nil {
		return "", err
	}
	public, err := readPrivate(file)
	fingerprint := keyPair.Value(stack.AttrFingerprint)
	if err == nil && (fingerprint == "" || ssh.FingerprintSHA256(public) == fingerprint) {
		return file, nil
	}
	d := &diag.Diagnostic{
		Where: file,
		Hint: fmt.Sprintf("copy the file from the computer that created it; or, if it is lost, "+
			"delete key pair %s and run aloft up again: Aloft creates another", keyPair.ID),
		Cause: err,
	}
	switch {
	case k.public != "":
		d.Summary = fmt.Sprintf("the private key of %s is needed to reach the servers", k.public)
		d.Hint = "put it beside the public key, without a passphrase"
	case errors.Is(err, fs.ErrNotExist):
		d.Summary = fmt.Sprintf("the private key of key pair %s is missing, and the way to the servers needs it",
			keyPair.ID)
	case err != nil:
		d.Summary = err.Error()
	default:
		d.Summary = fmt.Sprintf("this is not the private key of key pair %s", keyPair.ID)
	}
	return "", d
}

// removeFor deletes the private key file if Aloft created the key and it is that of
// the key pair.
func (k Keys) removeFor(ctx context.Context, keyPair plan.Found) error {
	if k.public != "" {
		return nil
	}
	file, err := k.File(ctx)
	if err != nil {
		return err
	}
	public, err := readPrivate(file)
	if err != nil || ssh.FingerprintSHA256(public) != keyPair.Value(stack.AttrFingerprint) {
		return nil
	}
	return awsapi.Wrap("delete the private key", os.Remove(file))
}
