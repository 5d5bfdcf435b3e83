//go:build linux

package metadata

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// profileCategories returns the documents below /latest/meta-data/iam by path. Without a
// profile there are none. Credentials are made when their document is read.
func (i Instance) profileCategories() map[string]func() (string, error) {
	p := i.Profile
	if p == nil {
		return nil
	}
	all := map[string]func() (string, error){"info": func() (string, error) { return p.info(i.LaunchTime) }}
	if p.Role != "" {
		all["security-credentials/"+p.Role] = p.credentials
	}
	return all
}

// troubleshooting ends the messages of errors.
const troubleshooting = "Please see documentation at " +
	"https://docs.aws.amazon.com/IAM/latest/UserGuide/RolesTroubleshooting.html."

// success is the code of a document that is no error.
const success = "Success"

// iamDocument is a document about an instance profile (Amazon EC2 User Guide, Retrieve
// security credentials from instance metadata). Errors have a message instead of
// contents.
type iamDocument struct {
	Code               string `json:"Code"`
	Message            string `json:"Message,omitempty"`
	LastUpdated        string `json:"LastUpdated"`
	InstanceProfileARN string `json:"InstanceProfileArn,omitempty"`
	InstanceProfileID  string `json:"InstanceProfileId,omitempty"`
	Type               string `json:"Type,omitempty"`
	AccessKeyID        string `json:"AccessKeyId,omitempty"`
	SecretAccessKey    string `json:"SecretAccessKey,omitempty"`
	Token              string `json:"Token,omitempty"`
	Expiration         string `json:"Expiration,omitempty"`
}

func (d iamDocument) text() (string, error) {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode a document about an instance profile: %w", err)
	}
	return string(text), nil
}

// info returns iam/info. It changes when the credentials do, or else was last updated at
// the launch.
func (p *Profile) info(launched time.Time) (string, error) {
	updated := launched
	if p.ID == "" {
		return iamDocument{
			Code:        "InstanceProfileNotFound",
			Message:     "Instance Profile " + p.ARN + " cannot be found. " + troubleshooting,
			LastUpdated: timeText(updated),
		}.text()
	}
	if p.Role != "" {
		if c, err := p.Credentials(); err == nil {
			updated = c.Issued
		}
	}
	return iamDocument{
		Code: success, LastUpdated: timeText(updated), InstanceProfileARN: p.ARN, InstanceProfileID: p.ID,
	}.text()
}

// credentials returns iam/security-credentials/ROLE.
func (p *Profile) credentials() (string, error) {
	c, err := p.Credentials()
	switch {
	case errors.Is(err, ErrNotTrusted):
		return iamDocument{
			Code:        "AssumeRoleUnauthorizedAccess",
			Message:     "EC2 cannot assume the role " + p.Role + ". " + troubleshooting,
			LastUpdated: timeText(time.Now()),
		}.text()
	case err != nil:
		return "", err
	}
	return iamDocument{
		Code: success, LastUpdated: timeText(c.Issued), Type: "AWS-HMAC", AccessKeyID: c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey, Token: c.Token, Expiration: timeText(c.Expires),
	}.text()
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339) }
