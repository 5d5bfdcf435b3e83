//go:build linux

package metadata_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/metadata"
)

const credentialsPath = "/latest/meta-data/iam/security-credentials/"

// profile is the profile of a test's instance, with a role that err keeps from it.
func profile(err error) *metadata.Profile {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	return &metadata.Profile{
		ARN: "arn:aws:iam::000000000000:instance-profile/web", ID: "AIPAWEB", Role: "web-role",
		Credentials: func() (metadata.Credentials, error) {
			return metadata.Credentials{
				AccessKeyID: "ASIA1", SecretAccessKey: "secret", Token: "token",
				Issued: at, Expires: at.Add(6 * time.Hour),
			}, err
		},
	}
}

func withProfile(p *metadata.Profile) func(*metadata.Instance) {
	return func(i *metadata.Instance) { i.Profile = p }
}

// document reads a JSON document.
func (c client) document(path string) map[string]string {
	c.Helper()
	code, body := c.do(me, "GET", path, c.token(me, "60"))
	var out map[string]string
	if err := json.Unmarshal([]byte(body), &out); err != nil || code != 200 {
		c.Fatalf("%s: %d %s, %v", path, code, body, err)
	}
	return out
}

func wantFields(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: got %q, want %q", name, got[name], value)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("unexpected %s", name)
		}
	}
}

func TestAMachineReadsTheCredentialsOfItsRole(t *testing.T) {
	c := newClient(t, withProfile(profile(nil)))
	token := c.token(me, "60")
	for path, want := range map[string]string{
		"/latest/meta-data/iam/":                     "info\nsecurity-credentials/",
		"/latest/meta-data/iam/security-credentials": "web-role",
		credentialsPath:                              "web-role",
	} {
		if code, body := c.do(me, "GET", path, token); code != 200 || body != want {
			t.Errorf("%s: got %d %q, want %q", path, code, body, want)
		}
	}
	wantFields(t, c.document(credentialsPath+"web-role"), map[string]string{
		"Code": "Success", "LastUpdated": "2026-11-23T12:00:00Z", "Type": "AWS-HMAC", "AccessKeyId": "ASIA1",
		"SecretAccessKey": "secret", "Token": "token", "Expiration": "2026-11-23T18:00:00Z",
	})
	wantFields(t, c.document("/latest/meta-data/iam/info"), map[string]string{
		"Code": "Success", "LastUpdated": "2026-11-23T12:00:00Z", "InstanceProfileId": "AIPAWEB",
		"InstanceProfileArn": "arn:aws:iam::000000000000:instance-profile/web",
	})
	for _, path := range []string{credentialsPath + "other", "/latest/info", "/latest/security-credentials/web-role"} {
		if code, _ := c.do(me, "GET", path, token); code != 404 {
			t.Errorf("%s: got %d, want 404", path, code)
		}
	}
	if code, _ := c.do(me, "GET", credentialsPath+"web-role"); code != 401 {
		t.Errorf("without a token: got %d, want 401", code)
	}
	if code, _ := c.do("10.0.1.6", "GET", credentialsPath+"web-role", c.token("10.0.1.6", "60")); code != 404 {
		t.Errorf("another machine: got %d, want 404", code)
	}
}

func TestWithoutAProfileThereAreNoCredentials(t *testing.T) {
	c := newClient(t, nil)
	token := c.token(me, "60")
	for _, path := range []string{"/latest/meta-data/iam/", "/latest/meta-data/iam/info", credentialsPath} {
		if code, _ := c.do(me, "GET", path, token); code != 404 {
			t.Errorf("%s: got %d, want 404", path, code)
		}
	}
}

func TestProfilesWithoutCredentials(t *testing.T) {
	c := newClient(t, withProfile(profile(metadata.ErrNotTrusted)))
	got := c.document(credentialsPath + "web-role")
	if got["Code"] != "AssumeRoleUnauthorizedAccess" || got["SecretAccessKey"] != "" {
		t.Errorf("an untrusting role: got %v", got)
	}
	c = newClient(t, withProfile(&metadata.Profile{ARN: "arn:aws:iam::000000000000:instance-profile/web"}))
	if got := c.document("/latest/meta-data/iam/info"); got["Code"] != "InstanceProfileNotFound" {
		t.Errorf("a deleted profile: got %v", got)
	}
	if code, _ := c.do(me, "GET", credentialsPath, c.token(me, "60")); code != 404 {
		t.Errorf("a profile without a role: got %d, want 404", code)
	}
	c = newClient(t, withProfile(profile(errors.New("no randomness"))))
	if code, body := c.do(me, "GET", credentialsPath+"web-role", c.token(me, "60")); code != 500 {
		t.Errorf("a failure: got %d %s, want 500", code, body)
	}
}
