package iam_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
)

func TestAnAccountHasOneAlias(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	create := func(alias string) error {
		return failure(w.CreateAccountAlias(ctx, &client.CreateAccountAliasInput{AccountAlias: &alias}))
	}
	for _, alias := range []string{"shop", "my-shop-2"} {
		if err := create(alias); err != nil {
			t.Fatal(err)
		}
		got := must(w.ListAccountAliases(ctx, &client.ListAccountAliasesInput{}))(t).AccountAliases
		if len(got) != 1 || got[0] != alias {
			t.Errorf("the aliases are %v, want %s", got, alias)
		}
	}
	for _, alias := range []string{"ab", "a--b", "-ab", "ab-", "Shop"} {
		refused(t, alias, create(alias), "400 ValidationError 1 validation error detected: Value at 'accountAlias'")
	}
	remove := func(alias string) error {
		return failure(w.DeleteAccountAlias(ctx, &client.DeleteAccountAliasInput{AccountAlias: &alias}))
	}
	refused(t, "another alias", remove("shop"), "404 NoSuchEntity")
	if err := remove("my-shop-2"); err != nil {
		t.Fatal(err)
	}
	if got := must(w.ListAccountAliases(ctx, &client.ListAccountAliasesInput{}))(t).AccountAliases; len(got) != 0 {
		t.Errorf("the aliases are %v", got)
	}
}

func TestPasswordsFollowTheAccountsRules(t *testing.T) {
	w, ctx, user := newWorld(t), t.Context(), aws.String("a")
	w.user("a")
	get := func() (*client.GetAccountPasswordPolicyOutput, error) {
		return w.GetAccountPasswordPolicy(ctx, &client.GetAccountPasswordPolicyInput{})
	}
	_, err := get()
	refused(t, "no rules", err, "404 NoSuchEntity The Password Policy with domain name 000000000000 cannot be found.")
	login := func(password string) error {
		return failure(w.CreateLoginProfile(ctx, &client.CreateLoginProfileInput{UserName: user, Password: &password}))
	}
	refused(t, "a short password", login("Ab1!"),
		"400 PasswordPolicyViolation Password should have a minimum length of 8")
	refused(t, "a plain password", login("abcdefgh1"), "400 PasswordPolicyViolation")
	_, err = w.UpdateAccountPasswordPolicy(ctx, &client.UpdateAccountPasswordPolicyInput{
		MinimumPasswordLength: aws.Int32(129), PasswordReusePrevention: aws.Int32(25), MaxPasswordAge: aws.Int32(1096),
	})
	refused(t, "numbers out of range", err, "400 ValidationError 3 validation errors detected: "+
		"Value at 'minimumPasswordLength' failed to satisfy constraint: Member must have value less than or equal to "+
		"128; Value at 'passwordReusePrevention' failed to satisfy constraint: Member must have value less than or "+
		"equal to 24; Value at 'maxPasswordAge' failed to satisfy constraint: Member must have value less than "+
		"or equal to 1095")
	must(w.UpdateAccountPasswordPolicy(ctx, &client.UpdateAccountPasswordPolicyInput{
		RequireSymbols: true, MaxPasswordAge: aws.Int32(60),
	}))(t)
	got := must(get())(t).PasswordPolicy
	if *got.MinimumPasswordLength != 6 || !got.ExpirePasswords || *got.MaxPasswordAge != 60 || !got.RequireSymbols ||
		got.RequireNumbers || got.HardExpiry != nil || got.PasswordReusePrevention != nil {
		t.Errorf("the rules are %+v", got)
	}
	refused(t, "no symbol", login("abcdef"), "400 PasswordPolicyViolation Password should have at least one symbol")
	if err := login("abcde!"); err != nil {
		t.Fatal(err)
	}
	refused(t, "a second profile", login("abcde!"), "409 EntityAlreadyExists Login Profile for user a already exists.")
	remove := func() error {
		return failure(w.DeleteAccountPasswordPolicy(ctx, &client.DeleteAccountPasswordPolicyInput{}))
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	refused(t, "removed twice", remove(),
		"404 NoSuchEntity The account policy with name PasswordPolicy cannot be found.")
}

func TestLoginProfiles(t *testing.T) {
	w, ctx, user := newWorld(t), t.Context(), aws.String("a")
	w.user("a")
	const missing = "404 NoSuchEntity Login Profile for User a cannot be found."
	get := func() (*client.GetLoginProfileOutput, error) {
		return w.GetLoginProfile(ctx, &client.GetLoginProfileInput{UserName: user})
	}
	refused(t, "GetLoginProfile", failure(get()), missing)
	update := &client.UpdateLoginProfileInput{UserName: user, PasswordResetRequired: aws.Bool(true)}
	refused(t, "UpdateLoginProfile", failure(w.UpdateLoginProfile(ctx, update)), missing)
	must(w.CreateLoginProfile(ctx, &client.CreateLoginProfileInput{
		UserName: user, Password: aws.String("Password1!"),
	}))(t)
	if got := must(get())(t).LoginProfile; got.PasswordResetRequired || *got.UserName != "a" || *got.CreateDate != now {
		t.Errorf("created %+v", got)
	}
	must(w.UpdateLoginProfile(ctx, update))(t)
	if got := must(get())(t).LoginProfile; !got.PasswordResetRequired {
		t.Errorf("updated %+v", got)
	}
	refused(t, "DeleteUser", failure(w.DeleteUser(ctx, &client.DeleteUserInput{UserName: user})),
		"409 DeleteConflict Cannot delete entity, must delete login profile first.")
	must(w.DeleteLoginProfile(ctx, &client.DeleteLoginProfileInput{UserName: user}))(t)
	refused(t, "DeleteLoginProfile",
		failure(w.DeleteLoginProfile(ctx, &client.DeleteLoginProfileInput{UserName: user})), missing)
}

func TestWhatClientsAskBeforeTheyDeleteAUser(t *testing.T) {
	w, ctx, user, no := newWorld(t), t.Context(), aws.String("a"), aws.String("no")
	w.user("a")
	factors := must(w.ListMFADevices(ctx, &client.ListMFADevicesInput{UserName: user}))(t)
	certificates := must(w.ListSigningCertificates(ctx, &client.ListSigningCertificatesInput{UserName: user}))(t)
	keys := must(w.ListSSHPublicKeys(ctx, &client.ListSSHPublicKeysInput{UserName: user}))(t)
	single := must(w.ListServiceSpecificCredentials(ctx, &client.ListServiceSpecificCredentialsInput{
		UserName: user,
	}))(t)
	virtual := must(w.ListVirtualMFADevices(ctx, &client.ListVirtualMFADevicesInput{}))(t)
	if len(single.ServiceSpecificCredentials)+len(virtual.VirtualMFADevices) != 0 {
		t.Errorf("the account has %v and %v", single, virtual)
	}
	if len(factors.MFADevices)+len(certificates.Certificates)+len(keys.SSHPublicKeys) != 0 || keys.IsTruncated {
		t.Errorf("the user has %v, %v and %v", factors, certificates, keys)
	}
	for what, err := range map[string]error{
		"ListMFADevices": failure(w.ListMFADevices(ctx, &client.ListMFADevicesInput{UserName: no})),
		"ListSigningCertificates": failure(w.ListSigningCertificates(ctx, &client.ListSigningCertificatesInput{
			UserName: no,
		})),
		"ListSSHPublicKeys": failure(w.ListSSHPublicKeys(ctx, &client.ListSSHPublicKeysInput{UserName: no})),
	} {
		refused(t, what, err, "404 NoSuchEntity The user with name no cannot be found.")
	}
}

func TestTheSummaryCounts(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.user("a")
	w.group("g")
	w.role("r")
	w.policy("p")
	got := must(w.GetAccountSummary(ctx, &client.GetAccountSummaryInput{}))(t).SummaryMap
	for key, want := range map[string]int32{
		"Users": 2, "Groups": 1, "Roles": 1, "Policies": 1, "PolicyVersionsInUse": 1, "InstanceProfiles": 0,
		"UsersQuota": 5000, "GroupsQuota": 300, "RolePolicySizeQuota": 10240,
	} {
		if n, ok := got[key]; !ok || n != want {
			t.Errorf("%s is %d, want %d", key, n, want)
		}
	}
}
