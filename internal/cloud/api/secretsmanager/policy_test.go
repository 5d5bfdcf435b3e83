package secretsmanager_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func TestSecretsHavePolicies(t *testing.T) {
	w := newWorld(t)
	arn := w.create("s", "value")
	get := func() string {
		out, err := w.GetResourcePolicy(w.ctx, &client.GetResourcePolicyInput{SecretId: aws.String("s")})
		if err != nil || *out.ARN != arn {
			t.Fatalf("got %+v, %v", out, err)
		}
		return aws.ToString(out.ResourcePolicy)
	}
	statement := func(principal, action string) *string {
		return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal +
			`,"Action":"` + action + `","Resource":"*"}]}`)
	}
	put := func(policy *string, block bool) error {
		_, err := w.PutResourcePolicy(w.ctx, &client.PutResourcePolicyInput{
			SecretId: aws.String("s"), ResourcePolicy: policy, BlockPublicPolicy: &block,
		})
		return err
	}
	mine, public := statement(`{"AWS":"arn:aws:iam::000000000000:root"}`, "secretsmanager:GetSecretValue"),
		statement(`"*"`, "secretsmanager:*")
	if err := put(mine, true); err != nil || get() != *mine {
		t.Errorf("got %v, %s", err, get())
	}
	for want, err := range map[string]error{
		"PublicPolicyException":            put(public, true),
		"MalformedPolicyDocumentException": put(aws.String("{"), false),
		"NotImplemented":                   put(statement(`{"CanonicalUser":"0"}`, "secretsmanager:*"), false),
		"ValidationException":              put(aws.String(""), false),
	} {
		if code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := put(statement(`"*"`, "sns:Publish"), false); code(err) != "MalformedPolicyDocumentException" {
		t.Errorf("an action of another service: %v", err)
	}
	for policy, check := range map[*string]string{
		mine: "", public: "PUBLIC_ACCESS_CHECK", aws.String("{"): "SYNTAX_CHECK",
	} {
		out, err := w.ValidateResourcePolicy(w.ctx, &client.ValidateResourcePolicyInput{ResourcePolicy: policy})
		if err != nil || out.PolicyValidationPassed != (check == "") ||
			check != "" && *out.ValidationErrors[0].CheckName != check {
			t.Errorf("%s: got %+v, %v", *policy, out, err)
		}
	}
	_, err := w.DeleteResourcePolicy(w.ctx, &client.DeleteResourcePolicyInput{SecretId: &arn})
	if err != nil || get() != "" {
		t.Errorf("got %v, %s", err, get())
	}
}

func TestSecretsDoNotRotate(t *testing.T) {
	w := newWorld(t)
	w.create("s", "value")
	rotate := func(id, function string) error {
		in := &client.RotateSecretInput{SecretId: &id}
		if function != "" {
			in.RotationLambdaARN = &function
		}
		_, err := w.RotateSecret(w.ctx, in)
		return err
	}
	for want, err := range map[string]error{
		"InvalidRequestException":   rotate("s", ""),
		"ResourceNotFoundException": rotate("none", ""),
		"NotImplemented":            rotate("s", "arn:aws:lambda:us-east-1:000000000000:function:f"),
	} {
		if code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := w.CancelRotateSecret(w.ctx, &client.CancelRotateSecretInput{SecretId: aws.String("s")}); err != nil {
		t.Error(err)
	}
}
