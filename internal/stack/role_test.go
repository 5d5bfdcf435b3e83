package stack

import "testing"

func TestARNsAreOfTheRegionsPartition(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{
			parameterARN("aws-cn", "cn-north-1", "/shop/db"), "arn:aws-cn:ssm:cn-north-1:*:parameter/shop/db",
		},
		{
			secretARNs("aws-cn", "cn-north-1", "stripe")[0],
			"arn:aws-cn:secretsmanager:cn-north-1:*:secret:stripe-??????",
		},
	} {
		if test.got != test.want {
			t.Errorf("%s, want %s", test.got, test.want)
		}
	}
}
