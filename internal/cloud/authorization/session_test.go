package authorization_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/store"
)

func (w *world) credentials(in *sts.AssumeRoleInput) (id, secret, token string) {
	w.t.Helper()
	in.RoleSessionName = aws.String("test")
	out, err := sts.NewFromConfig(w.root()).AssumeRole(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken
}

func TestSessionsAreAuthenticated(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/shop/key", "shop")
	role := w.role("web", allow("*", "*"))
	id, secret, token := w.credentials(&sts.AssumeRoleInput{RoleArn: &role.ARN})
	_, _, other := w.credentials(&sts.AssumeRoleInput{RoleArn: &role.ARN})
	invalid := "The security token included in the request is invalid."
	for name, test := range map[string]struct{ id, secret, token, code, message string }{
		"complete":           {id, secret, token, "", ""},
		"no token":           {id, secret, "", "invalid", invalid},
		"another token":      {id, secret, other, "invalid", invalid},
		"a damaged token":    {id, secret, token[:len(token)-8] + "AAAAAAA=", "invalid", invalid},
		"another secret":     {id, "guess", token, "signature", ""},
		"a token for a user": {"key", "secret", token, "invalid", invalid},
	} {
		c := w.as(test.id, test.secret, test.token)
		codes := map[string][3]string{
			"":          {"", "", ""},
			"invalid":   {"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"},
			"signature": {"InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"},
		}[test.code]
		_, identity := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		for i, err := range []error{getParameter(ctx, c, "/shop/key"), identity, describeInstances(ctx, c)} {
			code, message, _ := strings.Cut(refusal(err), ": ")
			if code != codes[i] || test.message != "" && i < 2 && message != test.message {
				t.Errorf("%s: got %v, want %s", name, err, codes[i])
			}
		}
	}
	for _, part := range []string{token, secret} {
		if strings.Contains(w.log.String(), part) {
			t.Error("the log contains credentials")
		}
	}
}

func TestPresignedRequestsCarryTheToken(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	role := w.role("web", "")
	id, secret, token := w.credentials(&sts.AssumeRoleInput{RoleArn: &role.ARN})
	for name, test := range map[string]struct {
		token  string
		status int
	}{"with the token": {token, 200}, "without": {"", 403}} {
		r, err := sts.NewPresignClient(sts.NewFromConfig(w.as(id, secret, test.token))).
			PresignGetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.get(r.URL); got != test.status {
			t.Errorf("%s: got %d, want %d", name, got, test.status)
		}
	}
}

func TestSessionsExpire(t *testing.T) {
	w, ctx := newWorld(t, func(w *world) { w.past = 16 * time.Minute }), t.Context()
	role := w.role("web", allow("*", "*"))
	id, secret, token := w.credentials(&sts.AssumeRoleInput{RoleArn: &role.ARN, DurationSeconds: aws.Int32(900)})
	c := w.as(id, secret, token)
	w.want("JSON", getParameter(ctx, c, "/a"),
		"ExpiredTokenException: The security token included in the request is expired")
	w.want("EC2", describeInstances(ctx, c), "RequestExpired: Request has expired.")
	_, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	w.want("query", err, "ExpiredToken: The security token included in the request is expired")
}

func TestSessionsEndWithTheirRole(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	c := w.assume(w.role("web", allow("*", "*")))
	w.want("before", describeInstances(ctx, c), "")
	w.put(func(tx *store.Tx) { store.Roles.Delete(tx, store.NameKey("", "web")) })
	w.want("after", describeInstances(ctx, c),
		"AuthFailure: AWS was not able to validate the provided access credentials")
	w.role("web", allow("*", "*"), func(r *store.Role) { r.ID = "AROAnew" })
	w.want("another role with the name", describeInstances(ctx, c),
		"AuthFailure: AWS was not able to validate the provided access credentials")
}

func TestAnyCredentialsAreAcceptedExceptInvalidSessions(t *testing.T) {
	w, ctx := newWorld(t, func(w *world) { w.any = true }), t.Context()
	role := w.role("web", allow("ssm:*", "*"))
	id, secret, token := w.credentials(&sts.AssumeRoleInput{RoleArn: &role.ARN})
	w.want("any key", describeInstances(ctx, w.as("anyone", "anything", "")), "")
	w.want("any session", describeInstances(ctx, w.as("ASIAIOSFODNN7EXAMPLE", "anything", "token")), "")
	w.want("a session of a role", describeInstances(ctx, w.as(id, secret, token)),
		deniedEC2("ec2:DescribeInstances", ""))
	failure := "AuthFailure: AWS was not able to validate the provided access credentials"
	w.want("its key without the token", describeInstances(ctx, w.as(id, secret, "")), failure)
	w.want("its key with another secret", describeInstances(ctx, w.as(id, "guess", token)), failure)
	w.put(func(tx *store.Tx) { store.Roles.Delete(tx, store.NameKey("", "web")) })
	w.want("its key without the role", describeInstances(ctx, w.as(id, secret, token)), failure)
}

func TestSessionPoliciesNarrowSessions(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/shop/key", "shop")
	role := w.role("web", allow("ssm:*", "*"))
	in := &sts.AssumeRoleInput{RoleArn: &role.ARN, Policy: aws.String(policy(
		allow("ssm:*", parameters+"/shop/*") + "," + allow("ec2:*", "*"),
	))}
	c := w.as(w.credentials(in))
	w.want("both allow", getParameter(ctx, c, "/shop/key"), "")
	w.want("the session policy does not", getParameter(ctx, c, "/bank/key"),
		"AccessDeniedException: User: "+me+" is not authorized to perform: ssm:GetParameter on resource: "+
			parameters+"/bank/key because no session policy allows the ssm:GetParameter action")
	w.want("the role does not", describeInstances(ctx, c), deniedEC2("ec2:DescribeInstances", ""))
}

func TestInstancesOfARoleAreNamedInContext(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	c := w.assume(w.role("web", `{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*","Condition":{
		"StringEquals":{"aws:userid":"AROAweb:test","aws:RequestedRegion":"us-east-1",
			"aws:PrincipalAccount":"000000000000"},
		"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::000000000000:role/web"},
		"IpAddress":{"aws:SourceIp":"127.0.0.0/8"},"Bool":{"aws:SecureTransport":"false"},
		"Null":{"aws:username":"true"},
		"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z","aws:TokenIssueTime":"2026-01-01T00:00:00Z"},
		"NumericGreaterThan":{"aws:EpochTime":"1700000000"}}}`))
	w.want("all conditions", describeInstances(ctx, c), "")
	other := c.Copy()
	other.Region = "eu-central-1"
	w.want("another region", describeInstances(ctx, other), deniedEC2("ec2:DescribeInstances", ""))
	if _, err := ec2.NewFromConfig(c).DescribeInstances(ctx, &ec2.DescribeInstancesInput{}); err != nil {
		t.Error(err)
	}
}

func TestTheLastUseOfARoleIsRecorded(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	c := w.assume(w.role("web", ""))
	last := func() (time.Time, string) {
		row, ok := store.Roles.Get(w.store.View(), store.NameKey("", "web"))
		if !ok {
			t.Fatal("the role is gone")
		}
		return row.LastUsed, row.LastUsedRegion
	}
	if at, _ := last(); !at.IsZero() {
		t.Errorf("used at %s before the first call", at)
	}
	if err := describeInstances(ctx, c); err == nil {
		t.Fatal("a role without policies describes instances")
	}
	at, where := last()
	if time.Since(at) > time.Minute || where != region {
		t.Errorf("last used at %s in %s", at, where)
	}
	if err := describeInstances(ctx, c); err == nil {
		t.Fatal("a role without policies describes instances")
	}
	if again, _ := last(); !again.Equal(at) {
		t.Error("every call writes the row")
	}
	w.put(func(tx *store.Tx) {
		store.Roles.Edit(tx, store.NameKey("", "web"), func(row *store.Role) { row.LastUsed = at.Add(-time.Hour) })
	})
	c.Region = "eu-central-1"
	if err := describeInstances(ctx, c); err == nil {
		t.Fatal("a role without policies describes instances")
	}
	if again, where := last(); again.Before(at) || where != "eu-central-1" {
		t.Errorf("later: last used at %s in %s", again, where)
	}
}
