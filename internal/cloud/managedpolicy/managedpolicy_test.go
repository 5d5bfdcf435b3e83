package managedpolicy_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/managedpolicy"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestAWSsPoliciesAreWhole(t *testing.T) {
	list := managedpolicy.All()
	if !slices.IsSortedFunc(list, func(a, b managedpolicy.Policy) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the policies are not in the order of their names")
	}
	for _, p := range list {
		if _, err := policydocument.Parse(policydocument.Identity, p.Document()); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		if p.Created.IsZero() || p.Updated.Before(p.Created) || p.Description == "" ||
			!regexp.MustCompile(`^ANPA[A-Z2-7]{17}$`).MatchString(p.ID) {
			t.Errorf("%+v lacks something", p)
		}
	}
}

func TestDocumentIsThatOfTheDefaultVersion(t *testing.T) {
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Update(func(tx *store.Tx) error {
		store.Policies.Put(tx, &store.Policy{
			ARN: "arn:aws:iam::000000000000:policy/p", DefaultVersion: "v2",
			Versions: []store.PolicyVersion{{ID: "v1", Document: "one"}, {ID: "v2", Document: "two"}},
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for arn, want := range map[string]string{
		"arn:aws:iam::000000000000:policy/p":            "two",
		"arn:aws:iam::000000000000:policy/q":            "",
		"arn:aws:iam::aws:policy/Nothing":               "",
		managedpolicy.Prefix + "AdministratorAccess":    `"Action": "*"`,
		managedpolicy.Prefix + "AmazonS3ReadOnlyAccess": "s3:Get*",
	} {
		got, ok := managedpolicy.Document(s.View(), arn)
		if !strings.Contains(got, want) || ok != (want != "") {
			t.Errorf("%s: got %q, %v", arn, got, ok)
		}
	}
}
