package authorization_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"aloft.dev/aloft/internal/cloud/store"
)

// resourcePolicy returns a policy with one statement.
func resourcePolicy(effect, principal, action, resource string) *string {
	return aws.String(policy(`{"Effect":"` + effect + `","Principal":{"AWS":"` + principal + `"},"Action":"` + action +
		`","Resource":"` + resource + `"}`))
}

func TestPoliciesOfResourcesCountToo(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	user := w.user("ada", "")
	root, topics := s3.NewFromConfig(w.root()), sns.NewFromConfig(w.root())
	secrets := secretsmanager.NewFromConfig(w.root())
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(root.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("bkt")}))
	must(root.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String("bkt"), Key: aws.String("k"), Body: strings.NewReader("x"),
	}))
	topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("shop")})
	must(topic, err)
	secret, err := secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name: aws.String("key-of-shop"), SecretString: aws.String("x"),
	})
	must(secret, err)
	for name, c := range map[string]struct {
		action, resource string
		attach           func(policy *string) error
		call             func(c aws.Config) error
	}{
		"a bucket": {
			"s3:GetObject", "arn:aws:s3:::bkt/k",
			func(policy *string) error {
				_, err := root.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("bkt"), Policy: policy})
				return err
			},
			func(c aws.Config) error {
				_, err := s3.NewFromConfig(c).GetObject(ctx, &s3.GetObjectInput{
					Bucket: aws.String("bkt"), Key: aws.String("k"),
				})
				return err
			},
		},
		"a topic": {
			"sns:Publish", *topic.TopicArn,
			func(policy *string) error {
				_, err := topics.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{
					TopicArn: topic.TopicArn, AttributeName: aws.String("Policy"), AttributeValue: policy,
				})
				return err
			},
			func(c aws.Config) error {
				_, err := sns.NewFromConfig(c).Publish(ctx, &sns.PublishInput{
					TopicArn: topic.TopicArn, Message: aws.String("x"),
				})
				return err
			},
		},
		"a secret": {
			"secretsmanager:GetSecretValue", *secret.ARN,
			func(policy *string) error {
				_, err := secrets.PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{
					SecretId: secret.ARN, ResourcePolicy: policy,
				})
				return err
			},
			func(c aws.Config) error {
				_, err := secretsmanager.NewFromConfig(c).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
					SecretId: secret.ARN,
				})
				return err
			},
		},
	} {
		denied := func(what, why string) {
			t.Helper()
			if err := c.call(user); err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%s, %s: got %v, want %q", name, what, err, why)
			}
		}
		allowed := func(what string) {
			t.Helper()
			if err := c.call(user); err != nil {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		attach := func(effect, principal string) {
			t.Helper()
			must(nil, c.attach(resourcePolicy(effect, principal, c.action, c.resource)))
		}
		identity := func(statements string) {
			w.permit("ada", func(p *store.Permissions) { p.Inline = map[string]string{"p": policy(statements)} })
		}
		identity(allow("ec2:*", "*"))
		denied("without a policy", "no identity-based policy allows")
		attach("Allow", ada)
		allowed("for the user")
		attach("Allow", "arn:aws:iam::000000000000:user/bob")
		denied("for another user", "no identity-based policy allows")
		attach("Allow", "arn:aws:iam::000000000000:root")
		denied("for the account", "no identity-based policy allows")
		identity(allow(c.action, "*"))
		allowed("for the account and by the user's policy")
		attach("Deny", ada)
		denied("denied", "with an explicit deny in a resource-based policy")
		attach("Allow", ada)
		identity(`{"Effect":"Deny","Action":"` + c.action + `","Resource":"*"}`)
		denied("denied by the user's policy", "explicit deny in an identity-based policy")
	}
}

func TestPoliciesShareResourcesWithOtherAccounts(t *testing.T) {
	const other = "111122223333"
	w, ctx := newWorld(t, func(w *world) { w.any, w.accounts = true, true }), t.Context()
	theirs := w.as(other, "any", "")
	user := w.assume(w.role("web", "", func(r *store.Role) {
		r.ARN, r.ID = "arn:aws:iam::"+other+":role/web", "AROAtheirs"
	}))
	role := func(statements string) {
		w.role("web", statements, func(r *store.Role) { r.ARN, r.ID = "arn:aws:iam::"+other+":role/web", "AROAtheirs" })
	}
	root, topics := s3.NewFromConfig(w.root()), sns.NewFromConfig(w.root())
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(root.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("bkt")}))
	must(root.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String("bkt"), Key: aws.String("k"), Body: strings.NewReader("x"),
	}))
	share := func(principal, action string) {
		t.Helper()
		must(root.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{
			Bucket: aws.String("bkt"), Policy: resourcePolicy("Allow", principal, action, "arn:aws:s3:::bkt/*"),
		}))
	}
	get := func(c aws.Config) string {
		_, err := s3.NewFromConfig(c).GetObject(ctx, &s3.GetObjectInput{
			Bucket: aws.String("bkt"), Key: aws.String("k"),
		})
		return refusal(err)
	}
	for _, step := range []struct{ principal, action, role, owner, session string }{
		{"000000000000", "s3:GetObject", allow("s3:*", "*"), "denied", "denied"},
		{other, "s3:PutObject", allow("s3:*", "*"), "denied", "denied"},
		{other, "s3:GetObject", allow("s3:*", "*"), "", ""},
		{other, "s3:GetObject", allow("s3:PutObject", "*"), "", "denied"},
		{"arn:aws:iam::" + other + ":role/web", "s3:GetObject", allow("s3:*", "*"), "denied", ""},
		{"arn:aws:iam::" + other + ":role/web", "s3:GetObject", allow("sns:*", "*"), "denied", "denied"},
	} {
		share(step.principal, step.action)
		role(step.role)
		for caller, want := range map[string]string{get(theirs): step.owner, get(user): step.session} {
			if want != "" {
				want = "AccessDenied: Access Denied"
			}
			if caller != want {
				t.Errorf("%+v: got %q, want %q", step, caller, want)
			}
		}
	}
	share(other, "s3:*")
	put := &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: aws.String("new"), Body: strings.NewReader("y")}
	must(s3.NewFromConfig(theirs).PutObject(ctx, put))
	must(root.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bkt"), Key: aws.String("new")}))
	_, err := s3.NewFromConfig(theirs).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("bkt")})
	w.want("the bucket itself", err, "AccessDenied: Access Denied")
	must(root.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{
		Bucket: aws.String("bkt"), Policy: resourcePolicy("Allow", other, "s3:*", "arn:aws:s3:::bkt"),
	}))
	_, err = s3.NewFromConfig(theirs).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String("bkt")})
	w.want("its policy", err, "MethodNotAllowed: The specified method is not allowed against this resource.")

	topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("shop")})
	must(topic, err)
	publish := func() error {
		_, err := sns.NewFromConfig(theirs).Publish(ctx, &sns.PublishInput{
			TopicArn: topic.TopicArn, Message: aws.String("x"),
		})
		return err
	}
	w.want("a topic of its own", publish(), "AuthorizationError: User: arn:aws:iam::"+other+":user/aloft is not "+
		"authorized to perform: SNS:Publish on resource: "+*topic.TopicArn+" because no resource-based policy allows "+
		"the SNS:Publish action")
	must(topics.AddPermission(ctx, &sns.AddPermissionInput{
		TopicArn: topic.TopicArn, Label: aws.String("share"), AWSAccountId: []string{other},
		ActionName: []string{"Publish", "Subscribe"},
	}))
	w.want("a shared topic", publish(), "")
	must(sns.NewFromConfig(theirs).Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("email"), Endpoint: aws.String("ada@example.com"),
	}))
	list, err := sns.NewFromConfig(theirs).ListSubscriptions(ctx, &sns.ListSubscriptionsInput{})
	if err != nil || len(list.Subscriptions) != 1 || *list.Subscriptions[0].Owner != other {
		t.Errorf("got %+v, %v", list, err)
	}
	arn := store.Subscriptions.List(w.store.View())[0].ARN
	must(sns.NewFromConfig(theirs).GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{
		SubscriptionArn: &arn,
	}))

	secrets := secretsmanager.NewFromConfig(w.root())
	secret, err := secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name: aws.String("key"), SecretString: aws.String("x"),
	})
	must(secret, err)
	describe := func() error {
		_, err := secretsmanager.NewFromConfig(theirs).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{
			SecretId: secret.ARN,
		})
		return err
	}
	if got := refusal(describe()); !strings.HasPrefix(got, "AccessDeniedException") {
		t.Errorf("a secret that is not shared: %s", got)
	}
	must(secrets.PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{
		SecretId: secret.ARN, ResourcePolicy: resourcePolicy("Allow", other, "secretsmanager:*", "*"),
	}))
	w.want("a shared secret", describe(), "")
	_, err = secretsmanager.NewFromConfig(theirs).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: secret.ARN,
	})
	w.want("its value", err, "InvalidRequestException: You can't access a secret from a different AWS account if you "+
		"encrypt the secret with the default KMS service key.")
}
