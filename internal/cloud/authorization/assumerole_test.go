package authorization_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/store"
)

func (w *world) get(url string) int {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func trusts(principal, condition string) func(*store.Role) {
	return func(r *store.Role) {
		r.Trust = policy(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":` + principal + condition + `}`)
	}
}

func assumeRole(w *world, c aws.Config, role string, change ...func(*sts.AssumeRoleInput)) error {
	in := &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::000000000000:role/" + role), RoleSessionName: aws.String("s1"),
	}
	for _, f := range change {
		f(in)
	}
	_, err := sts.NewFromConfig(c).AssumeRole(w.t.Context(), in)
	return err
}

func TestRolesAreAssumedByThoseTheyTrust(t *testing.T) {
	w := newWorld(t)
	w.role("account", "")
	w.role("user", "", trusts(`{"AWS":"arn:aws:iam::000000000000:user/aloft"}`, ""))
	w.role("machines", "", trusts(`{"Service":"ec2.amazonaws.com"}`, ""))
	w.role("foreign", "", trusts(`{"AWS":"111111111111"}`, ""))
	w.role("named", "", trusts(`{"AWS":"arn:aws:iam::000000000000:role/web"}`, ""))
	w.role("secretive", "", trusts(`{"AWS":"000000000000"}`, `,"Condition":{"StringEquals":{"sts:ExternalId":"xyz"}}`))
	refused := func(who, role string) string {
		return "AccessDenied: User: " + who + " is not authorized to perform: sts:AssumeRole on resource: " +
			"arn:aws:iam::000000000000:role/" + role
	}
	const user = "arn:aws:iam::000000000000:user/aloft"
	for role, want := range map[string]string{
		"account": "", "user": "", "machines": refused(user, "machines"), "foreign": refused(user, "foreign"),
		"named": refused(user, "named"), "secretive": refused(user, "secretive"), "nobody": refused(user, "nobody"),
		"x/account": refused(user, "x/account"),
	} {
		w.want("the user assumes "+role, assumeRole(w, w.root(), role), want)
	}
	external := func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("xyz") }
	w.want("with an external id", assumeRole(w, w.root(), "secretive", external), "")

	const noPolicy = " because no identity-based policy allows the sts:AssumeRole action"
	c := w.assume(w.role("web", allow("ssm:*", "*")))
	w.want("a session without permission", assumeRole(w, c, "account"), refused(me, "account")+noPolicy)
	w.want("a session that the role names", assumeRole(w, c, "named"), "")
	w.want("a session that the role does not trust", assumeRole(w, c, "user"), refused(me, "user"))
	c = w.assume(w.role("web", allow("sts:AssumeRole", "arn:aws:iam::000000000000:role/account")))
	w.want("a session with permission", assumeRole(w, c, "account"), "")
	w.want("a session with permission, untrusted", assumeRole(w, c, "machines"), refused(me, "machines"))
	c = w.assume(w.role("web", `{"Effect":"Deny","Action":"sts:*","Resource":"*"}`))
	w.want("a session with a denial", assumeRole(w, c, "named"), refused(me, "named"))
	_, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	w.want("GetCallerIdentity with a denial", err, "")
}

func TestARoleOfAnotherAccountNeedsItsTrustAndTheCallersPermission(t *testing.T) {
	w := newWorld(t)
	const theirs = "arn:aws:iam::111122223333:role/"
	other := func(name, principal string) *store.Role {
		return w.role(name, allow("*", "*"), trusts(`{"AWS":"`+principal+`"}`, ""), func(r *store.Role) {
			r.ARN, r.ID = theirs+name, "AROAtheirs"+name
		})
	}
	named, closed := other("named", "arn:aws:iam::000000000000:role/web"), other("closed", "111122223333")
	assume := func(c aws.Config, role *store.Role) error {
		return assumeRole(w, c, "", func(in *sts.AssumeRoleInput) { in.RoleArn = &role.ARN })
	}
	const refused = "AccessDenied: User: " + me + " is not authorized to perform: sts:AssumeRole on resource: " + theirs
	c := w.assume(w.role("web", ""))
	w.want("without permission", assume(c, named),
		refused+"named because no identity-based policy allows the sts:AssumeRole action")
	c = w.assume(w.role("web", allow("sts:AssumeRole", "*")))
	w.want("with permission", assume(c, named), "")
	w.want("without trust", assume(c, closed), refused+"closed")

	open := other("open", "000000000000")
	visitor := w.assume(open)
	who, err := sts.NewFromConfig(visitor).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *who.Account != "111122223333" || *who.Arn != "arn:aws:sts::111122223333:assumed-role/open/test" {
		t.Errorf("the session is of %s %s", *who.Account, *who.Arn)
	}
	w.want("the way back", assume(visitor, w.role("mine", "", trusts(`{"AWS":"111122223333"}`, ""))), "")
	w.parameter("/mine", "red")
	if got := refusal(getParameter(t.Context(), visitor, "/mine")); !strings.HasPrefix(got, "ParameterNotFound") {
		t.Errorf("a parameter of the caller's own account: %s", got)
	}
}

func TestAssumeRoleDescribesTheSession(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	role := w.role("web", "")
	out, err := sts.NewFromConfig(w.root()).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: &role.ARN, RoleSessionName: aws.String("test"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if u := out.AssumedRoleUser; *u.Arn != me || *u.AssumedRoleId != "AROAweb:test" {
		t.Errorf("got %+v", out)
	}
	c := out.Credentials
	who, err := sts.NewFromConfig(w.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)).
		GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *who.Arn != me || *who.UserId != "AROAweb:test" || *who.Account != "000000000000" {
		t.Errorf("got %s %s %s", *who.Arn, *who.UserId, *who.Account)
	}
}

func TestAssumeRoleRefusals(t *testing.T) {
	w := newWorld(t)
	w.role("web", allow("sts:*", "*"), func(r *store.Role) { r.MaxSession = 7200 })
	session := w.assume(w.role("first", allow("sts:*", "*")))
	seconds := func(n int32) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.DurationSeconds = &n }
	}
	for name, test := range map[string]struct {
		change func(*sts.AssumeRoleInput)
		client aws.Config
		want   string
	}{
		"as long as the role allows": {seconds(7200), w.root(), ""},
		"longer": {
			seconds(7201), w.root(),
			"ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
		},
		"longer by a session": {
			seconds(3601), session,
			"ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by " +
				"role chaining.",
		},
		"too short": {
			seconds(899), w.root(),
			"ValidationError: 1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy " +
				"constraint: Member must have value greater than or equal to 900",
		},
		"a malformed name": {
			func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("Session1:2") }, w.root(),
			"ValidationError: 1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy " +
				`constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`,
		},
		"a malformed ARN": {
			func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam::000000000000:user/x/y") }, w.root(),
			"ValidationError: arn:aws:iam::000000000000:user/x/y is invalid",
		},
		"a malformed policy": {
			func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{") }, w.root(), "MalformedPolicyDocument",
		},
		"an unsupported parameter": {
			func(in *sts.AssumeRoleInput) { in.MinimumSessionTokenSize = aws.Int32(1) }, w.root(),
			"NotImplemented: aloft's local cloud does not implement the parameter MinimumSessionTokenSize of " +
				"sts:AssumeRole",
		},
	} {
		err := assumeRole(w, test.client, "web", test.change)
		if got := refusal(err); got != test.want && (test.want == "" || strings.Contains(test.want, ":") ||
			!strings.HasPrefix(got, test.want)) {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}
