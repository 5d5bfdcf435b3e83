package identity_test

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/identity"
)

func TestARegionKnowsItsAccountAndItsName(t *testing.T) {
	for _, test := range []struct {
		region        identity.Region
		account, name string
		global, own   identity.Region
	}{
		{"us-east-1", "000000000000", "us-east-1", "", "us-east-1"},
		{"", "000000000000", "", "", ""},
		{"ap-northeast-1", "000000000000", "ap-northeast-1", "", "ap-northeast-1"},
		{"111122223333/us-east-1", "111122223333", "us-east-1", "111122223333/", "us-east-1"},
		{"111122223333/", "111122223333", "", "111122223333/", ""},
	} {
		r := test.region
		if r.Account() != test.account || r.Name() != test.name || r.Global() != test.global || r.Own() != test.own {
			t.Errorf("%q is %q of %q, globally %q, in the own account %q",
				r, r.Name(), r.Account(), r.Global(), r.Own())
		}
		if again := identity.RegionOf(r.Account(), r.Name()); again != r {
			t.Errorf("%q becomes %q", r, again)
		}
		arn := identity.ARN("ec2", r, "instance/i-1")
		if got := identity.RegionOfARN(arn); got != r {
			t.Errorf("the region of %s is %q, want %q", arn, got, r)
		}
	}
}

func TestAnARNWithoutAnAccountIsOfTheOwnOne(t *testing.T) {
	for _, arn := range []string{"", "arn:aws:s3:::bucket", "arn:aws:iam::aws:policy/ReadOnlyAccess", "web"} {
		if got := identity.RegionOfARN(arn); got != "" {
			t.Errorf("the region of %q is %q", arn, got)
		}
	}
}

func TestAnAccountHasTwelveDigits(t *testing.T) {
	for text, want := range map[string]bool{
		"111122223333": true, "000000000000": true, "": false, "11112222333": false, "1111222233334": false,
		"11112222333x": false, "AKIAIOSFODNN": false,
	} {
		if identity.IsAccount(text) != want {
			t.Errorf("IsAccount(%q) is %v", text, !want)
		}
	}
}
