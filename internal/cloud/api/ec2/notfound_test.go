package ec2_test

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/api/ec2"
)

func TestUnknownInstanceProfilesAreNotFound(t *testing.T) {
	for field, want := range map[string]string{
		"iamInstanceProfile.name": "InvalidParameterValue: Value (web) for parameter iamInstanceProfile.name is " +
			"invalid. Invalid IAM Instance Profile name",
		"iamInstanceProfile.arn": "InvalidParameterValue: Value (web) for parameter iamInstanceProfile.arn is " +
			"invalid. Invalid IAM Instance Profile ARN",
	} {
		if err := ec2.NotFound(field, "web"); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
