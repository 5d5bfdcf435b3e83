package bucketpolicy_test

import (
	"errors"
	"testing"

	"aloft.dev/aloft/internal/cloud/bucketpolicy"
)

const balancer = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/web/0123456789abcdef"

func statement(principal, rest string) string {
	return `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": ` + principal +
		`, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/AWSLogs/000000000000/*"` + rest + `}}`
}

func TestAPolicyAdmitsWhatItsConditionsAllow(t *testing.T) {
	const service = `{"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}`
	for _, c := range []struct {
		policy string
		want   bool
	}{
		{statement(service, ``), true},
		{statement(service, `, "Condition": {"ArnLike": {"aws:SourceArn": "`+balancer[:60]+`*"},
			"StringEquals": {"aws:SourceAccount": "000000000000"}}`), true},
		{statement(service, `, "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}}`), false},
		{statement(`{"AWS": "arn:aws:iam::156460612806:root"}`, ``), true},
		{statement(`{"AWS": "156460612806"}`, ``), true},
		{statement(`{"AWS": "arn:aws:iam::127311923021:root"}`, ``), false}, // of another region
		{statement(`{"Service": "delivery.logs.amazonaws.com"}`, ``), false},
	} {
		p, err := bucketpolicy.Parse("logs", c.policy)
		if err != nil {
			t.Fatalf("%s: %v", c.policy, err)
		}
		d := bucketpolicy.Delivery{
			Bucket: "logs", Key: "AWSLogs/000000000000/x", Region: "eu-west-1",
			Service: bucketpolicy.LoadBalancers, Source: balancer,
		}
		if got := p.Admits(d); got != c.want {
			t.Errorf("%s: admits: %v", c.policy, got)
		}
		if d.Key = "other/x"; p.Admits(d) {
			t.Errorf("%s admits a key outside of its resource", c.policy)
		}
	}
}

func TestOnlyFixedValuesLimitEverybody(t *testing.T) {
	for condition, public := range map[string]bool{
		`"StringEquals": {"aws:PrincipalAccount": "111111111111"}`:                           false,
		`"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:111111111111:t"}`:               false,
		`"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8::/32"]}`:                false,
		`"StringLike": {"aws:PrincipalArn": "*"}`:                                            true,
		`"StringEquals": {"aws:PrincipalAccount": ["111111111111", "${aws:SourceAccount}"]}`: true,
		`"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}`:                                         true,
		`"IpAddress": {"aws:SourceIp": "2001::/16"}`:                                         true,
		`"StringNotEquals": {"aws:PrincipalAccount": "111111111111"}`:                        true,
		`"StringEqualsIfExists": {"aws:PrincipalAccount": "111111111111"}`:                   true,
		`"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o"}`:                        true,
		`"Null": {"aws:SourceArn": "true"}`:                                                  true,
		`"StringEquals": {"s3:prefix": "a"}`:                                                 true,
	} {
		_, err := bucketpolicy.Parse("logs", statement(`"*"`, `, "Condition": {`+condition+`}`))
		if _, got := errors.AsType[*bucketpolicy.PublicError](err); got != public || err != nil && !got {
			t.Errorf("%s: %v, want public: %t", condition, err, public)
		}
	}
}

func TestPoliciesWithAnotherMeaningAreRefused(t *testing.T) {
	for policy, want := range map[string]error{
		`{`:                                  &bucketpolicy.MalformedError{},
		`{"Statement": {"Effect": "Allow"}}`: &bucketpolicy.MalformedError{},
		statement(`"*"`, ``):                 &bucketpolicy.PublicError{},
		statement(`{"AWS": "*"}`, ``):        &bucketpolicy.PublicError{},
		statement(`{"Service": "ec2.example"}`, ``): &bucketpolicy.MalformedError{},
		`{"Statement": {"Effect": "Allow", "Principal": {"Service": "a.amazonaws.com"}, "Action": "s3:PutObject",
			"Resource": "arn:aws:s3:::others/*"}}`: &bucketpolicy.MalformedError{},
		`{"Statement": {"Effect": "Allow", "Principal": {"Service": "a.amazonaws.com"}, "Action": "sns:Publish",
			"Resource": "arn:aws:s3:::logs/*"}}`: &bucketpolicy.MalformedError{},
	} {
		_, err := bucketpolicy.Parse("logs", policy)
		var same bool
		switch want.(type) {
		case *bucketpolicy.MalformedError:
			_, same = errors.AsType[*bucketpolicy.MalformedError](err)
		case *bucketpolicy.PublicError:
			_, same = errors.AsType[*bucketpolicy.PublicError](err)
		}
		if !same {
			t.Errorf("%s: got %T %v, want %T", policy, err, err, want)
		}
	}
}
