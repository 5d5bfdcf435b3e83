package session_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/session"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func issuer(t *testing.T, key byte) *session.Issuer {
	t.Helper()
	i, err := session.NewIssuer(bytes.Repeat([]byte{key}, session.KeySize), nil)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestCredentialsOutliveTheirIssuer(t *testing.T) {
	want := session.Session{
		RoleID: "AROA1", RoleName: "web", Name: "i-1", Instance: "i-1", Policy: "{}",
		Issued: noon, Expires: noon.Add(time.Hour), PolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"},
		Tags: map[string]string{"team": "red"}, Transitive: []string{"team"}, SourceIdentity: "ada",
	}
	c, err := issuer(t, 1).Issue(want)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^ASIA[A-Z2-7]{16}$`).MatchString(c.AccessKeyID) || len(c.SecretAccessKey) != 40 {
		t.Errorf("got key %s and a secret of %d characters", c.AccessKeyID, len(c.SecretAccessKey))
	}
	if strings.Contains(c.Token, c.SecretAccessKey) {
		t.Error("the token shows the secret")
	}
	got, secret, err := issuer(t, 1).Open(c.AccessKeyID, c.Token)
	if err != nil || !reflect.DeepEqual(got, want) || secret != c.SecretAccessKey {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTokensBelongToOneKeyAndOneIssuer(t *testing.T) {
	i := issuer(t, 1)
	s := session.Session{RoleID: "AROA1", Name: "a", Issued: noon, Expires: noon.Add(time.Hour)}
	one, err := i.Issue(s)
	if err != nil {
		t.Fatal(err)
	}
	two, err := i.Issue(s)
	if err != nil {
		t.Fatal(err)
	}
	if one.AccessKeyID == two.AccessKeyID || one.SecretAccessKey == two.SecretAccessKey {
		t.Fatal("two credentials are the same")
	}
	raw, err := base64.StdEncoding.DecodeString(one.Token)
	if err != nil {
		t.Fatal(err)
	}
	for at := range raw {
		changed := bytes.Clone(raw)
		changed[at] ^= 1
		if _, _, err := i.Open(one.AccessKeyID, base64.StdEncoding.EncodeToString(changed)); err == nil {
			t.Fatalf("a token with a changed byte %d is valid", at)
		}
	}
	for name, test := range map[string]struct {
		issuer     *session.Issuer
		key, token string
	}{
		"no token":          {i, one.AccessKeyID, ""},
		"not base64":        {i, one.AccessKeyID, "%"},
		"short":             {i, one.AccessKeyID, "QUJD"},
		"another key's":     {i, one.AccessKeyID, two.Token},
		"a foreign key":     {i, "AKIAIOSFODNN7EXAMPLE", one.Token},
		"another issuer":    {issuer(t, 2), one.AccessKeyID, one.Token},
		"the end is missed": {i, one.AccessKeyID, one.Token[:len(one.Token)-4]},
	} {
		_, secret, err := test.issuer.Open(test.key, test.token)
		if !errors.Is(err, session.ErrInvalidToken) || secret != "" {
			t.Errorf("%s: got %q, %v", name, secret, err)
		}
	}
}

func TestIssuersKnowTheirAccessKeys(t *testing.T) {
	i := issuer(t, 1)
	c, err := i.Issue(session.Session{RoleID: "AROA1"})
	if err != nil {
		t.Fatal(err)
	}
	if !i.Issued(c.AccessKeyID) || issuer(t, 2).Issued(c.AccessKeyID) {
		t.Error("an access key id does not tell its issuer")
	}
	last := "A"
	if strings.HasSuffix(c.AccessKeyID, last) {
		last = "B"
	}
	for _, id := range []string{
		"", "ASIA", "ASIAIOSFODNN7EXAMPLE", "AKIA" + c.AccessKeyID[4:], c.AccessKeyID[:19] + last,
	} {
		if i.Issued(id) {
			t.Errorf("%q counts as issued", id)
		}
	}
}

func TestKeysHaveOneSize(t *testing.T) {
	if _, err := session.NewIssuer([]byte("short"), nil); err == nil {
		t.Error("a short key is accepted")
	}
}
