package authorization_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func sessionTags(pairs ...string) []types.Tag {
	var tags []types.Tag
	for i := 0; i < len(pairs); i += 2 {
		tags = append(tags, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return tags
}

// trustsFor is a role's trust in its own account for some actions.
func trustsFor(actions, condition string) func(*store.Role) {
	return func(r *store.Role) {
		r.Trust = policy(`{"Effect":"Allow","Action":` + actions + `,"Principal":{"AWS":"000000000000"}` +
			condition + `}`)
	}
}

const allActions = `["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]`

// assumed returns the clients of a session of a role.
func (w *world) assumed(c aws.Config, role string, change ...func(*sts.AssumeRoleInput)) aws.Config {
	w.t.Helper()
	out, err := w.tryAssume(c, role, change...)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.as(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
}

func (w *world) tryAssume(
	c aws.Config, role string, change ...func(*sts.AssumeRoleInput),
) (*sts.AssumeRoleOutput, error) {
	in := &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::000000000000:role/" + role), RoleSessionName: aws.String("test"),
	}
	for _, f := range change {
		f(in)
	}
	return sts.NewFromConfig(c).AssumeRole(w.t.Context(), in)
}

func withSessionTags(pairs ...string) func(*sts.AssumeRoleInput) {
	return func(in *sts.AssumeRoleInput) { in.Tags = sessionTags(pairs...) }
}

func transitive(keys ...string) func(*sts.AssumeRoleInput) {
	return func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = keys }
}

func TestSessionTagsDecideCalls(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/red/key", "r")
	w.parameter("/blue/key", "b")
	w.role("web", allow("ssm:GetParameter", parameters+"/${aws:PrincipalTag/Team}/*")+","+allow("sts:*", "*"),
		trustsFor(allActions, ""), func(r *store.Role) { r.Tags = store.Tags{"team": "blue"} })
	red, blue := w.assumed(w.root(), "web", withSessionTags("Team", "red")), w.assumed(w.root(), "web")
	w.want("the session's tag", getParameter(ctx, red, "/red/key"), "")
	if err := getParameter(ctx, red, "/blue/key"); err == nil {
		t.Error("the role's tag holds besides the session's")
	}
	w.want("the role's tag", getParameter(ctx, blue, "/blue/key"), "")

	chained := w.assumed(w.assumed(w.root(), "web", withSessionTags("TEAM", "red"), transitive("team")), "web")
	w.want("an inherited tag", getParameter(ctx, chained, "/red/key"), "")
	again := w.assumed(chained, "web")
	w.want("a tag inherited twice", getParameter(ctx, again, "/red/key"), "")
	chained = w.assumed(red, "web")
	w.want("a tag that is not transitive", getParameter(ctx, chained, "/blue/key"), "")
}

func TestTagsNeedPermission(t *testing.T) {
	w := newWorld(t)
	w.role("plain", "", trustsFor(`"sts:AssumeRole"`, ""))
	w.role("strict", "", trustsFor(allActions, `,"Condition":{"StringEquals":{"aws:RequestTag/team":"red"},
		"ForAllValues:StringEquals":{"aws:TagKeys":["team"],"sts:TransitiveTagKeys":["team"]}}`))
	w.role("open", allow("sts:*", "*"), trustsFor(allActions, ""))
	refused := func(who, action, role string) string {
		return "AccessDenied: User: " + who + " is not authorized to perform: " + action + " on resource: " +
			"arn:aws:iam::000000000000:role/" + role
	}
	const owner = "arn:aws:iam::000000000000:user/aloft"
	user := w.user("ada", allow("sts:AssumeRole", "*"))
	tagged := w.assumed(w.root(), "open", withSessionTags("team", "red"), transitive("team"))
	for name, test := range map[string]struct {
		client aws.Config
		role   string
		change []func(*sts.AssumeRoleInput)
		want   string
	}{
		"trust without TagSession": {
			w.root(), "plain", with(withSessionTags("team", "red")), refused(owner, "sts:TagSession", "plain"),
		},
		"a user without TagSession": {
			user, "open", with(withSessionTags("team", "red")), refused(ada, "sts:TagSession", "open") +
				" because no identity-based policy allows the sts:TagSession action",
		},
		"inherited tags without TagSession": {
			tagged, "plain", nil,
			refused(strings.Replace(me, "web", "open", 1), "sts:TagSession", "plain"),
		},
		"the tags of a condition": {
			w.root(), "strict", with(withSessionTags("team", "red"), transitive("team")), "",
		},
		"another value": {
			w.root(), "strict", with(withSessionTags("team", "blue")), refused(owner, "sts:AssumeRole", "strict"),
		},
		"another key": {
			w.root(), "strict", with(withSessionTags("team", "red", "x", "y")),
			refused(owner, "sts:AssumeRole", "strict"),
		},
		"an inherited tag again": {
			tagged, "open", with(withSessionTags("Team", "blue")),
			"InvalidParameterValue: One of the specified transitive tag keys can't be set because it conflicts " +
				"with a transitive tag key from the calling session.",
		},
		"transitive without a tag": {
			w.root(), "open", with(transitive("team")),
			"InvalidParameterValue: The specified transitive tag key must be included in the requested tags.",
		},
		"a key twice": {
			w.root(), "open", with(withSessionTags("a", "1", "A", "2")),
			"InvalidParameterValue: Duplicate tag keys found. Please note that Tag keys are case insensitive.",
		},
		"too much": {
			w.root(), "open", with(withSessionTags(nineTags()...)),
			"PackedPolicyTooLarge: Packed size of session tags consumes 498% of allotted space.",
		},
		"a malformed key": {
			w.root(), "open", with(withSessionTags("a*", "1")),
			"ValidationError: 1 validation error detected: Value 'a*' at 'tags.1.member.key' failed to satisfy " +
				`constraint: Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`,
		},
	} {
		w.want(name, assumeRole(w, test.client, test.role, append(test.change, sessionName)...), test.want)
	}
}

func with(change ...func(*sts.AssumeRoleInput)) []func(*sts.AssumeRoleInput) { return change }

func sessionName(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("test") }

func nineTags() []string {
	var pairs []string
	for i := range 9 {
		pairs = append(pairs, "T"+strconv.Itoa(i), strings.Repeat("a", 250))
	}
	return pairs
}

func TestASourceIdentityLasts(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/ada/key", "x")
	w.role("web", allow("ssm:GetParameter", parameters+"/${aws:SourceIdentity}/*")+","+allow("sts:*", "*"),
		trustsFor(allActions, ""))
	w.role("strict", "", trustsFor(allActions, `,"Condition":{"StringEquals":{"sts:SourceIdentity":"ada"}}`))
	w.role("plain", "", trustsFor(`"sts:AssumeRole"`, ""))
	identified := func(name string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.SourceIdentity = &name }
	}
	out, err := w.tryAssume(w.root(), "web", identified("ada"))
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(out.SourceIdentity) != "ada" {
		t.Errorf("got source identity %v", out.SourceIdentity)
	}
	c := w.as(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	chained := w.assumed(c, "web")
	w.want("a session", getParameter(ctx, c, "/ada/key"), "")
	w.want("a chained session", getParameter(ctx, chained, "/ada/key"), "")
	w.want("another identity", assumeRole(w, chained, "web", identified("bob")),
		"ValidationError: The source identity is already set for this assume role session")
	w.want("the same identity", assumeRole(w, chained, "web", identified("ada")), "")
	w.want("a trust that asks for it", assumeRole(w, w.root(), "strict", identified("ada")), "")
	if err := assumeRole(w, w.root(), "strict", identified("bob")); err == nil {
		t.Error("a role accepts an identity that its trust does not")
	}
	w.want("a trust without SetSourceIdentity", assumeRole(w, chained, "plain"),
		"AccessDenied: User: "+me+" is not authorized to perform: sts:SetSourceIdentity on resource: "+
			"arn:aws:iam::000000000000:role/plain")
}

func TestManagedPoliciesNarrowSessions(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/shop/key", "shop")
	const shop, machines = "arn:aws:iam::aws:policy/Shop", "arn:aws:iam::aws:policy/Machines"
	w.managed[shop] = policy(allow("ssm:*", parameters+"/shop/*"))
	w.managed[machines] = policy(allow("ec2:*", "*"))
	w.role("web", allow("ssm:*", "*")+","+allow("ec2:Describe*", "*"))
	narrow := func(arns ...string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) {
			for _, arn := range arns {
				in.PolicyArns = append(in.PolicyArns, types.PolicyDescriptorType{Arn: &arn})
			}
		}
	}
	c := w.assumed(w.root(), "web", narrow(shop))
	w.want("allowed by both", getParameter(ctx, c, "/shop/key"), "")
	w.want("allowed by the role alone", describeInstances(ctx, c),
		"UnauthorizedOperation: You are not authorized to perform this operation. User: "+me+
			" is not authorized to perform: ec2:DescribeInstances because no session policy allows the "+
			"ec2:DescribeInstances action")
	w.want("allowed by the second", describeInstances(ctx, w.assumed(w.root(), "web", narrow(shop, machines))), "")
	inline := func(in *sts.AssumeRoleInput) {
		in.Policy = aws.String(policy(`{"Effect":"Deny","Action":"ssm:*","Resource":"*"}`))
	}
	if err := getParameter(ctx, w.assumed(w.root(), "web", narrow(shop), inline), "/shop/key"); err == nil {
		t.Error("the inline session policy denies nothing")
	}
	w.want("a policy that does not exist", assumeRole(w, w.root(), "web", narrow("arn:aws:iam::aws:policy/None")),
		"MalformedPolicyDocument: Policy arn:aws:iam::aws:policy/None does not exist or is not attachable.")
	w.put(func(tx *store.Tx) {
		store.Policies.Put(tx, &store.Policy{ARN: "arn:aws:iam::111122223333:policy/theirs", DefaultVersion: "v1",
			Versions: []store.PolicyVersion{{ID: "v1", Document: policy(allow("*", "*"))}}})
	})
	w.want("another account's", assumeRole(w, w.root(), "web", narrow("arn:aws:iam::111122223333:policy/theirs")),
		"MalformedPolicyDocument: Policy arn:aws:iam::111122223333:policy/theirs does not exist or is not attachable.")
}

func TestFederatedUsersHaveTagsAndManagedPolicies(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/red/key", "x")
	const managed = "arn:aws:iam::aws:policy/Own"
	w.managed[managed] = policy(allow("ssm:GetParameter", parameters+"/${aws:PrincipalTag/team}/*"))
	in := &sts.GetFederationTokenInput{
		Name: aws.String("bob"), Tags: sessionTags("team", "red"),
		PolicyArns: []types.PolicyDescriptorType{{Arn: aws.String(managed)}},
	}
	ask := func(c aws.Config) (aws.Config, error) {
		out, err := sts.NewFromConfig(c).GetFederationToken(ctx, in)
		if err != nil {
			return aws.Config{}, err
		}
		return w.as(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken), nil
	}
	c, err := ask(w.user("ada", allow("sts:*", "*")+","+allow("ssm:*", "*")))
	if err != nil {
		t.Fatal(err)
	}
	w.want("allowed by both", getParameter(ctx, c, "/red/key"), "")
	if err := getParameter(ctx, c, "/blue/key"); err == nil || strings.HasPrefix(refusal(err), "ParameterNotFound") {
		t.Errorf("another team's parameter: %v", err)
	}
	_, err = ask(w.user("eve", allow("sts:GetFederationToken", "*")))
	w.want("without TagSession", err, "AccessDenied: User: arn:aws:iam::000000000000:user/eve is not authorized to "+
		"perform: sts:TagSession on resource: arn:aws:sts::000000000000:federated-user/bob because no "+
		"identity-based policy allows the sts:TagSession action")
}
