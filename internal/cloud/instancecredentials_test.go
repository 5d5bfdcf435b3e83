//go:build linux

package cloud

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/activekey"
	"aloft.dev/aloft/internal/cloud/plane/metadata"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
)

const trustsMachines = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
	`"Principal":{"Service":"ec2.amazonaws.com"}}]}`

func testSessions(t *testing.T) *session.Issuer {
	t.Helper()
	sessions, err := session.NewIssuer(bytes.Repeat([]byte{3}, session.KeySize), nil)
	if err != nil {
		t.Fatal(err)
	}
	return sessions
}

func TestInstanceCredentialsAreRenewedWellBeforeTheyExpire(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	c := newInstanceCredentials(testSessions(t))
	c.now = func() time.Time { return now }
	role := &store.Role{Name: "web", ID: "AROA1", Trust: trustsMachines}
	of := func(id string, role *store.Role) metadata.Credentials {
		t.Helper()
		got, err := c.of(id, role)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := of("i-1", role)
	if first.Expires.Sub(first.Issued) != 6*time.Hour || !first.Issued.Equal(now) {
		t.Errorf("valid from %s to %s", first.Issued, first.Expires)
	}
	if of("i-2", role).AccessKeyID == first.AccessKeyID {
		t.Error("two instances share credentials")
	}
	now = now.Add(59 * time.Minute)
	if of("i-1", role) != first {
		t.Error("new credentials before it is time")
	}
	other := of("i-1", &store.Role{Name: "web", ID: "AROA2", Trust: trustsMachines})
	if other == first {
		t.Error("the credentials of another role")
	}
	now = now.Add(time.Hour)
	renewed := of("i-2", role)
	if !renewed.Issued.Equal(now) {
		t.Error("no new credentials when it is time")
	}
	s, secret, err := testSessions(t).Open(renewed.AccessKeyID, renewed.Token)
	if err != nil || secret != renewed.SecretAccessKey ||
		s.Name != "i-2" || s.Instance != "i-2" || s.RoleID != "AROA1" {
		t.Errorf("got %+v, %v", s, err)
	}
	now = now.Add(7 * time.Hour)
	of("i-3", role)
	if len(c.issued) != 1 {
		t.Errorf("remembers the credentials of %d instances, want 1", len(c.issued))
	}
}

func TestOnlyRolesThatTrustMachinesHaveInstanceCredentials(t *testing.T) {
	c := newInstanceCredentials(testSessions(t))
	account := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
		`"Principal":{"AWS":"000000000000"}}]}`
	if _, err := c.of("i-1", &store.Role{ID: "AROA1", Trust: account}); !errors.Is(err, metadata.ErrNotTrusted) {
		t.Errorf("got %v", err)
	}
	if _, err := c.of("i-1", &store.Role{ID: "AROA1", Trust: "{"}); err == nil {
		t.Error("a damaged trust policy counts as trust")
	}
}

func TestInstancesHaveTheProfilesOfTheirRows(t *testing.T) {
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	const arns = "arn:aws:iam::000000000000:instance-profile/"
	ip := netip.MustParseAddr("10.0.1.5")
	source := instanceMetadata{s, newInstanceCredentials(testSessions(t)), &activekey.Set{}}
	for name, test := range map[string]struct {
		arn     string
		id, has string // id of the profile and its role
		none    bool
	}{
		"none":                        {none: true},
		"a profile":                   {arn: arns + "web", id: "AIPAweb", has: "web"},
		"a profile without a role":    {arn: arns + "empty", id: "AIPAempty"},
		"a profile of a deleted role": {arn: arns + "orphan", id: "AIPAorphan"},
		"a deleted profile":           {arn: arns + "gone"},
		"another profile of its name": {arn: arns + "old/web"},
	} {
		if err := s.Update(func(tx *store.Tx) error {
			store.Instances.Put(tx, &store.Instance{
				ID: "i-1", Region: "us-east-1", VPCID: "vpc-1", ProfileARN: test.arn,
			})
			store.Subnets.Put(tx, &store.Subnet{
				ID: "subnet-1", Region: "us-east-1", VPCID: "vpc-1", CIDR: netip.PrefixFrom(ip, 24),
			})
			store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
				ID: "eni-1", Region: "us-east-1", VPCID: "vpc-1", SubnetID: "subnet-1",
				InstanceID: "i-1", PrivateIP: ip,
			})
			store.Roles.Put(tx, &store.Role{Name: "web", ID: "AROA1", Trust: trustsMachines})
			for name, role := range map[string]string{"web": "web", "empty": "", "orphan": "no"} {
				store.InstanceProfiles.Put(tx, &store.InstanceProfile{
					Name: name, ID: "AIPA" + name, ARN: arns + name, Role: role,
				})
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		i, ok := source.Instance("vpc-1", ip)
		if !ok {
			t.Fatal("the instance was not found")
		}
		if test.none {
			if i.Profile != nil {
				t.Errorf("%s: got %+v", name, i.Profile)
			}
			continue
		}
		p := i.Profile
		if p == nil || p.ARN != test.arn || p.ID != test.id || p.Role != test.has {
			t.Errorf("%s: got %+v", name, p)
			continue
		}
		if p.Role == "" {
			continue
		}
		if c, err := p.Credentials(); err != nil || c.AccessKeyID == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
