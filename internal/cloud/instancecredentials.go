//go:build linux

package cloud

import (
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/authorization"
	"aloft.dev/aloft/internal/cloud/plane/metadata"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
)

// Credentials of instances are valid for six hours, as on AWS. New ones replace them
// after one hour, so that programs always find some that are valid for long.
const (
	instanceSession = 6 * time.Hour
	instanceRenewal = time.Hour
)

// instanceCredentials makes the credentials that instances read from the metadata
// service. It remembers them until it is time for new ones. Those of an earlier daemon
// stay valid.
type instanceCredentials struct {
	sessions *session.Issuer
	now      func() time.Time

	mu     sync.Mutex
	issued map[string]instanceKey // by instance id
}

// instanceKey are the credentials of an instance for a role.
type instanceKey struct {
	roleID      string
	credentials session.Credentials
}

func newInstanceCredentials(sessions *session.Issuer) *instanceCredentials {
	return &instanceCredentials{sessions: sessions, now: time.Now, issued: map[string]instanceKey{}}
}

// of returns an instance's credentials for a role. The error is metadata.ErrNotTrusted if
// the role does not trust Amazon EC2.
func (c *instanceCredentials) of(instanceID string, role *store.Role) (metadata.Credentials, error) {
	trusted, err := authorization.ServiceMayAssume(role, "ec2.amazonaws.com")
	if err != nil {
		return metadata.Credentials{}, err
	}
	if !trusted {
		return metadata.Credentials{}, metadata.ErrNotTrusted
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now().UTC().Truncate(time.Second)
	key, ok := c.issued[instanceID]
	if !ok || key.roleID != role.ID || now.Sub(key.credentials.Issued) >= instanceRenewal {
		c.forgetExpired(now)
		issued, err := c.sessions.Issue(session.Session{
			RoleID: role.ID, RoleName: role.Name, Account: role.Region().Account(),
			Name: instanceID, Instance: instanceID,
			Issued: now, Expires: now.Add(instanceSession),
		})
		if err != nil {
			return metadata.Credentials{}, err
		}
		key = instanceKey{role.ID, issued}
		c.issued[instanceID] = key
	}
	return metadata.Credentials(key.credentials), nil
}

// forgetExpired removes what instances do not read any more.
func (c *instanceCredentials) forgetExpired(now time.Time) {
	for id, key := range c.issued {
		if !now.Before(key.credentials.Expires) {
			delete(c.issued, id)
		}
	}
}
