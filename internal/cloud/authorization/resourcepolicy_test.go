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
		err := c.attach(resourcePolicy("Allow", "arn:aws:iam::999999999999:root", c.action, c.resource))
		if err == nil || !strings.Contains(err.Error(), "NotImplemented") {
			t.Errorf("%s, another account: %v", name, err)
		}
	}
}
