package identity_test

import (
	"bytes"
	"net"
	"regexp"
	"testing"

	"aloft.dev/aloft/internal/cloud/identity"
)

func TestIDsHaveEC2sFormatAndAreUnique(t *testing.T) {
	s := identity.New(nil)
	seen := map[string]bool{}
	for range 1000 {
		id := s.ID("i-")
		if !regexp.MustCompile(`^i-[0-9a-f]{17}$`).MatchString(id) || !identity.WellFormed("i-", id) {
			t.Fatalf("id %q is malformed", id)
		}
		seen[id] = true
	}
	if len(seen) != 1000 {
		t.Errorf("got %d different ids, want 1000", len(seen))
	}
}

func TestUniqueIDsHaveIAMsFormat(t *testing.T) {
	s := identity.New(nil)
	a, b := s.UniqueID("AROA"), s.UniqueID("AROA")
	if a == b || !regexp.MustCompile(`^AROA[A-Z2-7]{17}$`).MatchString(a) {
		t.Errorf("got %q and %q", a, b)
	}
}

func TestWellFormedAcceptsOnlyThePrefixAndHexDigits(t *testing.T) {
	for id, want := range map[string]bool{
		"vpc-0123456789abcdef0": true, "vpc-01234567": true,
		"": false, "vpc-": false, "subnet-01234567": false,
		"vpc-0123456": false, "vpc-0123456789ABCDEF0": false, "vpc-0123456g": false,
	} {
		if identity.WellFormed("vpc-", id) != want {
			t.Errorf("WellFormed(%q) is %v, want %v", id, !want, want)
		}
	}
}

func TestMACAddressesAreLocallyAdministeredAndUnicast(t *testing.T) {
	mac, err := net.ParseMAC(identity.New(nil).MAC())
	if err != nil || mac[0]&3 != 2 {
		t.Errorf("got %v, %v", mac, err)
	}
}

func TestASeededSourceIsDeterministicUntilItsReaderEnds(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, 9)
	a, b := identity.New(bytes.NewReader(seed)), identity.New(bytes.NewReader(seed))
	if first, again := a.ID("x-"), b.ID("x-"); first != again {
		t.Errorf("the same seed generates %s and %s", first, again)
	}
	if first, second := a.ID("x-"), a.ID("x-"); first == second {
		t.Error("a reader at its end repeats ids")
	}
}

func TestARNsContainTheAccount(t *testing.T) {
	got, want := identity.ARN("ec2", "us-east-1", "instance/i-1"), "arn:aws:ec2:us-east-1:000000000000:instance/i-1"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
