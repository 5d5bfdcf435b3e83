package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/seal"
)

// Users and groups have keys as other rows of IAM do. The key of an access key is its id.
var (
	Users      = newTable("users", (*User).Key, (*User).Region)
	Groups     = newTable("groups", (*Group).Key, (*Group).Region)
	AccessKeys = newTable("access_keys", func(r *AccessKey) string { return r.ID }, func(r *AccessKey) identity.Region {
		return r.Account
	})

	// AccountIdentities holds IAM's settings of accounts, by their ids.
	AccountIdentities = newTable("account_identities", func(r *AccountIdentity) string {
		return r.Account.Account()
	}, func(r *AccountIdentity) identity.Region { return r.Account })

	// AccessKeysByUser finds access keys by the key of their user.
	AccessKeysByUser = AccessKeys.indexBy("user", func(r *AccessKey) string { return NameKey(r.Account, r.User) })
	// UsersByID finds users by their unique ids.
	UsersByID = Users.indexBy("unique_id", func(r *User) string { return r.ID })
	// UsersByGroup finds users by the keys of their groups.
	UsersByGroup = Users.indexByAll("group", (*User).groupKeys)
)

// User is a user of IAM.
type User struct {
	Name, Path, ID, ARN string
	Permissions
	Groups  []string // their names
	Login   *Login   // nil: the user has no login profile
	Created time.Time
	Tags    Tags
}

// Login is a user's login profile.
type Login struct {
	Created       time.Time
	Changed       time.Time // when the password was changed; zero: never
	ResetRequired bool
	Password      []byte   // salt and hash; nil: it was set before hashes were kept, and is not known
	Former        [][]byte // earlier passwords, the newest first, as the account's rules remember them
}

// LastChanged returns when the password was set.
func (l *Login) LastChanged() time.Time {
	if l.Changed.IsZero() {
		return l.Created
	}
	return l.Changed
}

// Key returns the user's key.
func (r *User) Key() string { return NameKey(r.Region(), r.Name) }

// Region returns the region of what belongs to the user's account.
func (r *User) Region() identity.Region { return identity.RegionOfARN(r.ARN) }

func (r *User) groupKeys() []string {
	keys := make([]string, 0, len(r.Groups))
	for _, name := range r.Groups {
		keys = append(keys, NameKey(r.Region(), name))
	}
	return keys
}

// Group is a group of users.
type Group struct {
	Name, Path, ID, ARN string
	Permissions
	Created time.Time
}

// Key returns the group's key.
func (r *Group) Key() string { return NameKey(r.Region(), r.Name) }

// Region returns the region of what belongs to the group's account.
func (r *Group) Region() identity.Region { return identity.RegionOfARN(r.ARN) }

// AccessKey is an access key of a user.
type AccessKey struct {
	ID       string
	User     string          // its name
	Account  identity.Region // the region of what belongs to the user's account
	Secret   []byte          // sealed for SealRow
	Inactive bool
	Created  time.Time

	LastUsed                        time.Time // zero: never
	LastUsedService, LastUsedRegion string
}

// SealRow returns what the key's secret is sealed for.
func (r *AccessKey) SealRow() seal.Row {
	return seal.Row{Table: "access_keys", Region: string(r.Account), Name: r.ID}
}

// AccountIdentity holds IAM's settings of an account.
type AccountIdentity struct {
	Account   identity.Region   // the region of what belongs to the account
	Alias     string            // "": none
	Passwords *PasswordPolicy   // nil: the default
	Report    *CredentialReport // the latest; nil: none
}

// CredentialReport lists the credentials of an account's users, in CSV.
type CredentialReport struct {
	Created time.Time
	Content []byte
}

// PasswordPolicy is the rules for the passwords of an account's users. Numbers are 0 for none.
type PasswordPolicy struct {
	MinLength, MaxAge, ReusePrevention     int32 // characters, days, passwords
	Lowercase, Uppercase, Numbers, Symbols bool  // whether one is required
	UsersMayChange                         bool
	HardExpiry                             *bool
}
