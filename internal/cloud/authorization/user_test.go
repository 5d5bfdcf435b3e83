package authorization_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/store"
)

const ada = "arn:aws:iam::000000000000:user/ada"

// user creates a user with inline statements and returns the configuration of a client with a
// key of it.
func (w *world) user(name, statements string) aws.Config {
	w.t.Helper()
	c, ctx := iam.NewFromConfig(w.root()), w.t.Context()
	if _, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
		w.t.Fatal(err)
	}
	if statements != "" {
		w.permit(name, func(p *store.Permissions) { p.Inline = map[string]string{"inline": policy(statements)} })
	}
	key, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.as(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, "")
}

// permit changes the permissions of a user.
func (w *world) permit(name string, change func(p *store.Permissions)) {
	w.t.Helper()
	w.put(func(tx *store.Tx) {
		store.Users.Edit(tx, store.NameKey("", name), func(row *store.User) { change(&row.Permissions) })
	})
}

// caller returns the ARN of the caller with a configuration.
func (w *world) caller(c aws.Config) string {
	out, err := sts.NewFromConfig(c).GetCallerIdentity(w.t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		return refusal(err)
	}
	return *out.Arn
}

func TestPoliciesDecideWhatAUserMayDo(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	c := w.user("ada", "")
	if got := w.caller(c); got != ada {
		t.Errorf("the caller is %s", got)
	}
	denied := strings.Replace(deniedEC2("ec2:DescribeInstances", ""), me, ada, 1)
	w.want("without policies", describeInstances(ctx, c), denied)
	w.put(func(tx *store.Tx) {
		store.Groups.Put(tx, &store.Group{
			Name: "Dev", ID: "AGPA1", ARN: "arn:aws:iam::000000000000:group/Dev",
			Permissions: store.Permissions{Inline: map[string]string{"p": policy(allow("ec2:*", "*"))}},
		})
		store.Users.Edit(tx, store.NameKey("", "ada"), func(row *store.User) { row.Groups = []string{"Dev"} })
	})
	w.want("with a group's policy", describeInstances(ctx, c), "")
	w.managed["arn:b"] = policy(allow("ssm:*", "*"))
	w.permit("ada", func(p *store.Permissions) { p.Boundary = "arn:b" })
	w.want("beyond the boundary", describeInstances(ctx, c),
		strings.Replace(denied, "identity-based policy", "permissions boundary", 1))
	w.managed["arn:b"] = policy(allow("*", "*"))
	w.want("within the boundary", describeInstances(ctx, c), "")
	w.permit("ada", func(p *store.Permissions) {
		p.Inline = map[string]string{"p": policy(`{"Effect":"Deny","Action":"ec2:*","Resource":"*"}`)}
	})
	w.want("denied", describeInstances(ctx, c), strings.Replace(denied,
		"because no identity-based policy allows the ec2:DescribeInstances action",
		"with an explicit deny in an identity-based policy", 1))
}

func TestPoliciesKnowWhoTheUserIs(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/ada/key", "shop")
	w.parameter("/eve/key", "shop")
	c := w.user("ada", allow("ssm:GetParameter", parameters+"/${aws:username}/*"))
	w.want("one's own", getParameter(ctx, c, "/ada/key"), "")
	refused := "AccessDeniedException: User: " + ada + " is not authorized to perform: ssm:GetParameter on resource: " +
		parameters + "/eve/key because no identity-based policy allows the ssm:GetParameter action"
	w.want("another's", getParameter(ctx, c, "/eve/key"), refused)
	w.permit("ada", func(p *store.Permissions) {
		p.Inline = map[string]string{"p": policy(`{"Effect":"Allow","Action":"ssm:*","Resource":"*","Condition":{` +
			`"StringEquals":{"aws:PrincipalTag/team":"shop","aws:PrincipalType":"User"},` +
			`"ArnEquals":{"aws:PrincipalArn":"` + ada + `"}}}`)}
	})
	w.want("without the tag", getParameter(ctx, c, "/eve/key"), refused)
	w.put(func(tx *store.Tx) {
		store.Users.Edit(tx, store.NameKey("", "ada"), func(row *store.User) { row.Tags = store.Tags{"team": "shop"} })
	})
	w.want("with the tag", getParameter(ctx, c, "/eve/key"), "")
}

func TestInactiveAndDeletedKeysAreInvalid(t *testing.T) {
	for _, anyKey := range []bool{false, true} {
		w, ctx := newWorld(t, func(w *world) { w.any = anyKey }), t.Context()
		c := w.user("ada", allow("*", "*"))
		key, err := c.Credentials.Retrieve(ctx)
		if err != nil {
			t.Fatal(err)
		}
		set := func(status types.StatusType) {
			if _, err := iam.NewFromConfig(w.root()).UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
				UserName: aws.String("ada"), AccessKeyId: &key.AccessKeyID, Status: status,
			}); err != nil {
				t.Fatal(err)
			}
		}
		check := func(what string, c aws.Config) {
			t.Helper()
			w.want(what+" for EC2", describeInstances(ctx, c),
				"AuthFailure: AWS was not able to validate the provided access credentials")
			w.want(what+" for SSM", getParameter(ctx, c, "/a"),
				"UnrecognizedClientException: The security token included in the request is invalid.")
			got := w.caller(c)
			if got != "InvalidClientTokenId: The security token included in the request is invalid." {
				t.Errorf("%s for STS: %s", what, got)
			}
		}
		w.want("an active key", describeInstances(ctx, c), "")
		set(types.StatusTypeInactive)
		check("an inactive key", c)
		set(types.StatusTypeActive)
		w.want("an active key again", describeInstances(ctx, c), "")
		if got := w.caller(w.as(key.AccessKeyID, "guess", "")); !strings.HasPrefix(got, "SignatureDoesNotMatch") {
			t.Errorf("another secret: %s", got)
		}
		check("a key with a token", w.as(key.AccessKeyID, key.SecretAccessKey, "token"))
		w.put(func(tx *store.Tx) { store.AccessKeys.Delete(tx, key.AccessKeyID) })
		check("a deleted key", c)
		if strings.Contains(w.log.String(), key.SecretAccessKey) {
			t.Error("the log contains the secret")
		}
	}
}

func TestTheLastUseOfAKeyIsRecorded(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	c := w.user("ada", allow("*", "*"))
	check := func(service string) {
		t.Helper()
		row := store.AccessKeys.List(w.store.View())[0]
		if row.LastUsed.IsZero() || row.LastUsedService != service || row.LastUsedRegion != region {
			t.Errorf("last used %+v, want by %s", row, service)
		}
	}
	w.want("a call", describeInstances(ctx, c), "")
	check("ec2")
	w.want("a call of another service right after it", getParameter(ctx, c, "/no"), "ParameterNotFound: ")
	check("ec2")
	w.put(func(tx *store.Tx) {
		store.AccessKeys.Edit(tx, store.AccessKeys.List(tx)[0].ID, func(row *store.AccessKey) {
			row.LastUsed = row.LastUsed.Add(-time.Hour)
		})
	})
	w.want("a later call", getParameter(ctx, c, "/no"), "ParameterNotFound: ")
	check("ssm")
}

func TestUsersAssumeRoles(t *testing.T) {
	w := newWorld(t)
	c := w.user("ada", "")
	w.role("named", "", trusts(`{"AWS":"`+ada+`"}`, ""))
	w.role("account", "")
	w.role("other", "", trusts(`{"AWS":"arn:aws:iam::000000000000:user/eve"}`, ""))
	const arn = "arn:aws:iam::000000000000:role/"
	refused := "AccessDenied: User: " + ada + " is not authorized to perform: sts:AssumeRole on resource: " + arn
	w.want("a role that names the user", assumeRole(w, c, "named"), "")
	w.want("a role that names another", assumeRole(w, c, "other"), refused+"other")
	w.want("a role that trusts the account", assumeRole(w, c, "account"),
		refused+"account because no identity-based policy allows the sts:AssumeRole action")
	w.permit("ada", func(p *store.Permissions) {
		p.Inline = map[string]string{"p": policy(allow("sts:AssumeRole", arn+"account"))}
	})
	w.want("with permission", assumeRole(w, c, "account"), "")
}

func TestUsersHaveTemporaryCredentials(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	c := w.user("ada", allow("*", "*"))
	w.role("named", "", trusts(`{"AWS":"`+ada+`"}`, ""))
	token := func(c aws.Config) (aws.Config, error) {
		out, err := sts.NewFromConfig(c).GetSessionToken(ctx, &sts.GetSessionTokenInput{})
		if err != nil {
			return c, err
		}
		return w.as(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken), nil
	}
	s, err := token(c)
	if err != nil {
		t.Fatal(err)
	}
	w.want("a call", describeInstances(ctx, s), "")
	w.want("a role", assumeRole(w, s, "named"), "")
	_, err = iam.NewFromConfig(s).ListUsers(ctx, &iam.ListUsersInput{})
	w.want("IAM", err, "InvalidClientTokenId: The security token included in the request is invalid")
	_, err = token(s)
	w.want("another session", err, "AccessDenied: Cannot call GetSessionToken with session credentials")
	_, err = iam.NewFromConfig(w.root()).UpdateUser(ctx, &iam.UpdateUserInput{
		UserName: aws.String("ada"), NewUserName: aws.String("eve"),
	})
	w.want("a new name", err, "")
	for what, c := range map[string]aws.Config{"the key": c, "the session": s} {
		if got := w.caller(c); got != "arn:aws:iam::000000000000:user/eve" {
			t.Errorf("%s of the renamed user is %s", what, got)
		}
	}
	w.permit("eve", func(p *store.Permissions) { p.Inline = nil })
	w.want("without policies", describeInstances(ctx, s),
		strings.Replace(deniedEC2("ec2:DescribeInstances", ""), me, "arn:aws:iam::000000000000:user/eve", 1))
	w.put(func(tx *store.Tx) { store.Users.Delete(tx, store.NameKey("", "eve")) })
	w.want("without the user", describeInstances(ctx, s),
		"AuthFailure: AWS was not able to validate the provided access credentials")

	own, err := token(w.root())
	if err != nil {
		t.Fatal(err)
	}
	if got := w.caller(own); got != "arn:aws:iam::000000000000:user/aloft" {
		t.Errorf("the account's session is %s", got)
	}
	w.want("a call of the account's session", describeInstances(ctx, own), "")
}

func TestFederatedUsersMayDoWhatUserAndPolicyAllow(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/shop/key", "shop")
	c := w.user("ada", allow("ssm:*", "*")+","+allow("sts:GetFederationToken", "*"))
	federate := func(policy *string) aws.Config {
		t.Helper()
		out, err := sts.NewFromConfig(c).GetFederationToken(ctx, &sts.GetFederationTokenInput{
			Name: aws.String("bob"), Policy: policy,
		})
		if err != nil {
			t.Fatal(err)
		}
		if *out.FederatedUser.FederatedUserId != "000000000000:bob" {
			t.Errorf("the user is %+v", out.FederatedUser)
		}
		return w.as(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	}
	const bob = "arn:aws:sts::000000000000:federated-user/bob"
	f := federate(aws.String(policy(allow("*", "*"))))
	if got := w.caller(f); got != bob {
		t.Errorf("the caller is %s", got)
	}
	w.want("both allow", getParameter(ctx, f, "/shop/key"), "")
	w.want("the user may not", describeInstances(ctx, f),
		strings.Replace(deniedEC2("ec2:DescribeInstances", ""), me, bob, 1))
	w.want("a role", assumeRole(w, f, "any"), "AccessDenied: Cannot call AssumeRole with session credentials")
	w.want("no policy", getParameter(ctx, federate(nil), "/shop/key"), "AccessDeniedException: User: "+bob+
		" is not authorized to perform: ssm:GetParameter on resource: "+parameters+
		"/shop/key because no session policy allows the ssm:GetParameter action")
}
