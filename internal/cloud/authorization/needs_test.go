package authorization

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// needsOf returns the actions and resources that a call with an input needs, a line each.
func needsOf(s *store.Store, service string, input any) string {
	name := strings.TrimSuffix(reflect.TypeOf(input).Elem().Name(), "Input")
	call := wire.Call{Service: service, Operation: name, Input: input}
	var lines []string
	for _, n := range newSubject(s.View(), wire.Caller{Region: "us-east-1"}, call).needs() {
		resource := n.resource
		if n.unknown {
			resource = "unknown"
		}
		lines = append(lines, n.action+" "+resource)
	}
	return strings.Join(lines, "\n")
}

func TestNeedsOfBucketsAndObjects(t *testing.T) {
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	copied := func(source string) *s3.CopyObjectInput {
		return &s3.CopyObjectInput{Bucket: aws.String("to"), Key: aws.String("k"), CopySource: &source}
	}
	bucket, key, version, yes := aws.String("b"), aws.String("k"), aws.String("null"), aws.Bool(true)
	for _, test := range []struct {
		input any
		want  string
	}{
		{copied("from/a%20b"), "s3:PutObject arn:aws:s3:::to/k\ns3:GetObject arn:aws:s3:::from/a b"},
		{copied("%2Ffrom/a"), "s3:PutObject arn:aws:s3:::to/k\ns3:GetObject arn:aws:s3:::from/a"},
		{copied("from/a?versionId=null"), "s3:PutObject arn:aws:s3:::to/k\ns3:GetObjectVersion arn:aws:s3:::from/a"},
		{copied("from"), "s3:CopyObject unknown"},
		{&s3.CreateBucketInput{Bucket: bucket}, "s3:CreateBucket arn:aws:s3:::b"},
		{
			&s3.CreateBucketInput{Bucket: bucket, ObjectLockEnabledForBucket: yes},
			"s3:CreateBucket arn:aws:s3:::b\ns3:PutBucketObjectLockConfiguration arn:aws:s3:::b\n" +
				"s3:PutBucketVersioning arn:aws:s3:::b",
		},
		{
			&s3.DeleteObjectInput{Bucket: bucket, Key: key, VersionId: version, BypassGovernanceRetention: yes},
			"s3:DeleteObjectVersion arn:aws:s3:::b/k\ns3:BypassGovernanceRetention arn:aws:s3:::b/k",
		},
	} {
		if got := needsOf(s, "s3", test.input); got != test.want {
			t.Errorf("%T: got\n%s\nwant\n%s", test.input, got, test.want)
		}
	}
}
