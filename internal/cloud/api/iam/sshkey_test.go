package iam_test

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/crypto/ssh"
)

func TestSSHPublicKeysOfUsers(t *testing.T) {
	w, ctx, ada := newWorld(t), t.Context(), aws.String("ada")
	w.user("ada")
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	key := must(w.UploadSSHPublicKey(ctx, &client.UploadSSHPublicKeyInput{
		UserName: ada, SSHPublicKeyBody: aws.String(text + " ada@example\n"),
	}))(t).SSHPublicKey
	if *key.SSHPublicKeyBody != text || !strings.HasPrefix(*key.SSHPublicKeyId, "APKA") || key.Status != "Active" ||
		*key.Fingerprint != ssh.FingerprintLegacyMD5(public) || *key.UploadDate != now {
		t.Errorf("uploaded %+v", key)
	}
	body := func(encoding types.EncodingType) string {
		return *must(w.GetSSHPublicKey(ctx, &client.GetSSHPublicKeyInput{
			UserName: ada, SSHPublicKeyId: key.SSHPublicKeyId, Encoding: encoding,
		}))(t).SSHPublicKey.SSHPublicKeyBody
	}
	pem := body(types.EncodingTypePem)
	if body(types.EncodingTypeSsh) != text || !strings.HasPrefix(pem, "-----BEGIN PUBLIC KEY-----\n") {
		t.Errorf("got %s", pem)
	}
	for want, again := range map[string]string{
		"400 DuplicateSSHPublicKey": pem, "400 InvalidPublicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA",
		"400 ValidationError 1 validation error detected: Value at": "",
	} {
		refused(t, want, failure(w.UploadSSHPublicKey(ctx, &client.UploadSSHPublicKeyInput{
			UserName: ada, SSHPublicKeyBody: &again,
		})), want)
	}
	must(w.UpdateSSHPublicKey(ctx, &client.UpdateSSHPublicKeyInput{
		UserName: ada, SSHPublicKeyId: key.SSHPublicKeyId, Status: types.StatusTypeInactive,
	}))(t)
	refused(t, "a user with a key", failure(w.DeleteUser(ctx, &client.DeleteUserInput{UserName: ada})),
		"409 DeleteConflict Cannot delete entity, must remove referenced objects first.")
	ada = aws.String("lovelace")
	must(w.UpdateUser(ctx, &client.UpdateUserInput{UserName: aws.String("ada"), NewUserName: ada}))(t)
	listed := must(w.ListSSHPublicKeys(ctx, &client.ListSSHPublicKeysInput{UserName: ada}))(t).SSHPublicKeys
	if len(listed) != 1 || listed[0].Status != "Inactive" || *listed[0].UserName != "lovelace" {
		t.Errorf("listed %+v", listed)
	}
	gone := &client.DeleteSSHPublicKeyInput{UserName: ada, SSHPublicKeyId: key.SSHPublicKeyId}
	must(w.DeleteSSHPublicKey(ctx, gone))(t)
	want := "404 NoSuchEntity The Public Key with id " + *key.SSHPublicKeyId + " cannot be found."
	refused(t, "deletion", failure(w.DeleteSSHPublicKey(ctx, gone)), want)
	refused(t, "update", failure(w.UpdateSSHPublicKey(ctx, &client.UpdateSSHPublicKeyInput{
		UserName: ada, SSHPublicKeyId: key.SSHPublicKeyId, Status: types.StatusTypeActive,
	})), want)
	refused(t, "get", failure(w.GetSSHPublicKey(ctx, &client.GetSSHPublicKeyInput{
		UserName: ada, SSHPublicKeyId: key.SSHPublicKeyId, Encoding: types.EncodingTypeSsh,
	})), want)
}
