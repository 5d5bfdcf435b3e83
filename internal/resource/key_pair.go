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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Keys is the key that opens the machines, on the user's side: a private key of
// the user's own, or one that Aloft makes. The private key never leaves the
// machine.
type Keys struct {
	Public  string // file of the user's public key; "" when Aloft makes the pair
	Private string // file of the private key
}

// KeysOf says where the keys of an application are. given is the user's public
// key, "" for none; dir is where Aloft keeps those that it makes.
func KeysOf(given, dir, app, region string) Keys {
	if given != "" {
		return Keys{Public: given, Private: strings.TrimSuffix(given, ".pub")}
	}
	return Keys{Private: filepath.Join(dir, app+"-"+region+".pem")}
}

// Fingerprint gives the SHA-256 fingerprint of the user's public key, "" when
// Aloft makes the key.
func (k Keys) Fingerprint() (string, error) {
	if k.Public == "" {
		return "", nil
	}
	public, err := k.given()
	if err != nil {
		return "", err
	}
	return ssh.FingerprintSHA256(public), nil
}

func (k Keys) given() (ssh.PublicKey, error) {
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

// local gives the public key of the private key file.
func (k Keys) local() (ssh.PublicKey, error) {
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

// make writes a new private key, readable by its owner alone.
func (k Keys) make(comment string) (ssh.PublicKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(k.Private), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the key: %w", err)
	}
	file, err := os.OpenFile(k.Private, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	_, err = file.Write(pem.EncodeToMemory(block))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("write the key: %w", err), os.Remove(k.Private))
	}
	return k.local()
}

func (c *Cloud) keyPairs(ctx context.Context) ([]plan.Found, error) {
	list, err := c.EC2.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{Filters: c.ours()})
	if err != nil {
		return nil, fmt.Errorf("list key pairs: %w", err)
	}
	var all []plan.Found
	for _, k := range list.KeyPairs {
		f := found(stack.KindKeyPair, k.KeyName, k.Tags)
		f.Set("name", f.ID)
		f.Set("fingerprint", tag(k.Tags, stack.TagFingerprint))
		f.Status["id"] = aws.ToString(k.KeyPairId)
		all = append(all, f)
	}
	return all, nil
}

func (s *Site) createKeyPair(ctx context.Context, r stack.Resource, body stack.KeyPair) (plan.Found, error) {
	public, err := s.publicKey(body.KeyName)
	if err != nil {
		return plan.Found{}, err
	}
	fingerprint := ssh.FingerprintSHA256(public)
	made, err := s.EC2.ImportKeyPair(ctx, &ec2.ImportKeyPairInput{
		KeyName: &body.KeyName, PublicKeyMaterial: ssh.MarshalAuthorizedKey(public),
		TagSpecifications: tagged(s.tags(r, pair{stack.TagFingerprint, fingerprint}), types.ResourceTypeKeyPair),
	})
	if awsapi.IsExists(err) {
		return plan.Found{}, &diag.Diagnostic{
			Where:   r.Address,
			Summary: fmt.Sprintf("a key pair %s is there already, and Aloft did not make it", body.KeyName),
			Hint:    "rename or delete that key pair, or give the application another name",
			Cause:   err,
		}
	}
	if err != nil {
		return plan.Found{}, fmt.Errorf("import key pair %s: %w", body.KeyName, err)
	}
	f := found(stack.KindKeyPair, made.KeyName, made.Tags)
	f.Set("fingerprint", fingerprint)
	return f, nil
}

func (s *Site) publicKey(comment string) (ssh.PublicKey, error) {
	if s.Keys.Public != "" {
		return s.Keys.given()
	}
	public, err := s.Keys.local()
	if errors.Is(err, fs.ErrNotExist) {
		return s.Keys.make(comment)
	}
	return public, err
}

// CheckKey tells whether the private key that opens the machines is at hand.
func (s *Site) CheckKey(pairFound plan.Found) error {
	public, err := s.Keys.local()
	want := pairFound.Get("fingerprint")
	if err == nil && (want == "" || ssh.FingerprintSHA256(public) == want) {
		return nil
	}
	d := &diag.Diagnostic{Where: s.Keys.Private, Cause: err,
		Hint: fmt.Sprintf(
			"copy the file from the machine that made it; or, if it is lost, delete key pair %s and run aloft up again: Aloft makes another",
			pairFound.ID,
		)}
	switch {
	case s.Keys.Public != "":
		d.Summary, d.Hint = fmt.Sprintf(
			"the private key of %s is needed to install the application",
			s.Keys.Public,
		), "put it beside the public key, without a passphrase"
	case errors.Is(err, fs.ErrNotExist):
		d.Summary = fmt.Sprintf(
			"the private key of key pair %s is lost, and it is needed to install the application",
			pairFound.ID,
		)
	case err != nil:
		d.Summary = err.Error()
	default:
		d.Summary = fmt.Sprintf("this is not the private key of key pair %s", pairFound.ID)
	}
	return d
}

// deleteKeyPair deletes the pair, and the private key that Aloft made for it.
func (s *Site) deleteKeyPair(ctx context.Context, f plan.Found) error {
	if _, err := s.EC2.DeleteKeyPair(ctx, &ec2.DeleteKeyPairInput{KeyName: &f.ID}); err != nil &&
		!awsapi.IsNotFound(err) {
		return fmt.Errorf("delete key pair %s: %w", f.ID, err)
	}
	if s.Keys.Public != "" {
		return nil
	}
	if public, err := s.Keys.local(); err != nil || ssh.FingerprintSHA256(public) != f.Get("fingerprint") {
		return nil // not the key of this pair: not ours to delete
	}
	if err := os.Remove(s.Keys.Private); err != nil {
		return fmt.Errorf("delete the private key: %w", err)
	}
	return nil
}
