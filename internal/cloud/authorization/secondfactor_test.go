package authorization_test

import (
	"encoding/base32"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/onetimecode"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestASecondFactorCountsOnce(t *testing.T) {
	const onlyWith = `,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},` +
		`"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}}`
	w, ctx := newWorld(t), t.Context()
	user := w.user("ada", allow("sts:AssumeRole", "*")+
		`,{"Effect":"Allow","Action":["ssm:*","iam:ListMFADevices"],"Resource":"*"`+onlyWith)
	w.parameter("/x", "red")
	root := iam.NewFromConfig(w.root())
	device, err := root.CreateVirtualMFADevice(ctx, &iam.CreateVirtualMFADeviceInput{
		VirtualMFADeviceName: aws.String("phone"),
	})
	if err != nil {
		t.Fatal(err)
	}
	serial := device.VirtualMFADevice.SerialNumber
	seed, err := base32.StdEncoding.DecodeString(string(device.VirtualMFADevice.Base32StringSeed))
	if err != nil || len(seed) != onetimecode.SeedSize ||
		!strings.HasPrefix(string(device.VirtualMFADevice.QRCodePNG), "\x89PNG") {
		t.Fatalf("got %+v, %v", device.VirtualMFADevice, err)
	}
	for _, row := range store.MFADevices.List(w.store.View()) {
		if strings.Contains(string(row.Seed), string(seed)) {
			t.Error("the seed is stored in the clear")
		}
	}
	code := func(offset int64) *string {
		return aws.String(onetimecode.Code(seed, onetimecode.Step(w.now())+offset))
	}
	enable := func(first, second *string) error {
		_, err := root.EnableMFADevice(ctx, &iam.EnableMFADeviceInput{
			UserName: aws.String("ada"), SerialNumber: serial, AuthenticationCode1: first, AuthenticationCode2: second,
		})
		return err
	}
	w.want("codes that do not follow each other", enable(code(-1), code(-2)),
		"InvalidAuthenticationCode: Authentication code for device is not valid.")
	const unknown = "AccessDenied: MultiFactorAuthentication failed, unable to validate MFA code.  Please verify " +
		"your MFA serial number is valid and associated with this user."
	signIn := func(serial, code *string) (aws.Config, error) {
		out, err := sts.NewFromConfig(user).GetSessionToken(ctx, &sts.GetSessionTokenInput{
			SerialNumber: serial, TokenCode: code,
		})
		if err != nil {
			return aws.Config{}, err
		}
		c := out.Credentials
		return w.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken), nil
	}
	_, err = signIn(serial, code(0))
	w.want("a device that is not enabled", err, unknown)
	w.want("two codes", enable(code(-2), code(-1)), "")
	w.want("again", enable(code(0), code(1)), "EntityAlreadyExists: MFA Device is already in use.")

	_, err = signIn(serial, nil)
	w.want("no code", err,
		"AccessDenied: MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
	_, err = signIn(aws.String(*serial+"x"), code(0))
	w.want("another device", err, unknown)
	const wrong = "AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code. "
	_, err = signIn(serial, code(-1))
	w.want("a code that enabled the device", err, wrong)
	_, err = signIn(serial, code(9))
	w.want("a code of the future", err, wrong)
	session, err := signIn(serial, code(0))
	w.want("a code", err, "")
	_, err = signIn(serial, code(0))
	w.want("the same code", err, wrong)

	denied := func(what string, c aws.Config) {
		t.Helper()
		if got := refusal(getParameter(ctx, c, "/x")); !strings.HasPrefix(got, "AccessDenied") {
			t.Errorf("%s: got %q", what, got)
		}
	}
	denied("a key", user)
	plain, err := signIn(nil, nil)
	w.want("a session", err, "")
	denied("a session without", plain)
	w.want("a session with", getParameter(ctx, session, "/x"), "")
	_, err = iam.NewFromConfig(session).ListMFADevices(ctx, &iam.ListMFADevicesInput{})
	w.want("IAM with", err, "")
	_, err = iam.NewFromConfig(plain).ListMFADevices(ctx, &iam.ListMFADevicesInput{})
	w.want("IAM without", err, "InvalidClientTokenId: The security token included in the request is invalid")
	w.ahead.Add(3601)
	denied("a session that is too old", session)

	w.role("guarded", "", trusts(`{"AWS":"000000000000"}`,
		`,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`))
	factor := func(in *sts.AssumeRoleInput) { in.SerialNumber, in.TokenCode = serial, code(0) }
	if got := refusal(assumeRole(w, user, "guarded")); !strings.HasPrefix(got, "AccessDenied: User: ") {
		t.Errorf("a role without: got %q", got)
	}
	w.want("a role with", assumeRole(w, user, "guarded", factor), "")
	w.want("a role with a used code", assumeRole(w, user, "guarded", factor), wrong)
	for range 4 {
		_, err = signIn(serial, aws.String("000000"))
		w.want("a guess", err, wrong)
	}
	_, err = signIn(serial, code(1))
	w.want("the right code after five wrong ones", err, wrong)
	w.ahead.Add(30)
	_, err = signIn(serial, code(0))
	w.want("the same code later", err, "")

	_, err = root.DeleteVirtualMFADevice(ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: serial})
	w.want("a deletion", err, "DeleteConflict: MFA VirtualDevice in use. Must deactivate first.")
	deactivate := &iam.DeactivateMFADeviceInput{UserName: aws.String("ada"), SerialNumber: serial}
	_, err = root.DeactivateMFADevice(ctx, deactivate)
	w.want("a deactivation", err, "")
	_, err = root.DeactivateMFADevice(ctx, deactivate)
	w.want("another", err, "NoSuchEntity: MFA Device invalid for user.")
	_, err = root.DeleteVirtualMFADevice(ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: serial})
	w.want("a deletion", err, "")
}

func TestUsersChangeTheirPasswords(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	user, root := iam.NewFromConfig(w.user("ada", "")), iam.NewFromConfig(w.root())
	if _, err := root.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{
		UserName: aws.String("ada"), Password: aws.String("First-pass-1"), PasswordResetRequired: true,
	}); err != nil {
		t.Fatal(err)
	}
	change := func(c *iam.Client, old, password string) error {
		_, err := c.ChangePassword(ctx, &iam.ChangePasswordInput{OldPassword: &old, NewPassword: &password})
		return err
	}
	w.want("the account's own key", change(root, "First-pass-1", "Second-pass-2"),
		"InvalidUserType: Only IAM Users can change their own password")
	if got := refusal(change(user, "First-pass-1", "Second-pass-2")); !strings.HasPrefix(got, "AccessDenied: User: ") {
		t.Errorf("without permission: %q", got)
	}
	if _, err := root.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{
		AllowUsersToChangePassword: true, PasswordReusePrevention: aws.Int32(1),
	}); err != nil {
		t.Fatal(err)
	}
	w.want("the wrong password", change(user, "First-pass-2", "Second-pass-2"),
		"AccessDenied: The old password was incorrect.")
	if got := refusal(change(user, "First-pass-1", "x")); !strings.HasPrefix(got, "PasswordPolicyViolation") {
		t.Errorf("a short password: %q", got)
	}
	w.want("the right password", change(user, "First-pass-1", "Second-pass-2"), "")
	got := refusal(change(user, "Second-pass-2", "Second-pass-2"))
	if !strings.HasPrefix(got, "PasswordPolicyViolation") {
		t.Errorf("the same password: %q", got)
	}
	out, err := root.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: aws.String("ada")})
	if err != nil || out.LoginProfile.PasswordResetRequired {
		t.Errorf("got %+v, %v", out, err)
	}
	w.permit("ada", func(p *store.Permissions) {
		p.Inline = map[string]string{"p": policy(`{"Effect":"Deny","Action":"iam:ChangePassword","Resource":"*"}`)}
	})
	if got := refusal(change(user, "Second-pass-2", "Third-pass-3")); !strings.Contains(got, "explicit deny") {
		t.Errorf("denied: %q", got)
	}
}
