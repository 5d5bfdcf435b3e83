package authorization

import (
	"errors"
	"slices"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// holder is the user or the role whose policies apply to a principal.
type holder struct {
	arn, id     string
	user        string // its name, "" for a role
	owner       bool   // the account's own user, which may do everything
	role        *store.Role
	permissions []store.Permissions // its own, and those of a user's groups
	tags        store.Tags
}

// Why a principal cannot do anything.
var (
	errRoleGone = errors.New("the role of the session does not exist")
	errUserGone = errors.New("the user does not exist")
)

// holderOf returns the holder of the policies of a caller.
func holderOf(r store.Reader, caller wire.Caller) (*holder, error) {
	s := caller.Principal.Session
	switch {
	case caller.Principal.Owner():
		return holderOfOwner(caller.Region.Account()), nil
	case s == nil:
		return userHolder(r, caller.Region.Account(), caller.Principal.UserID)
	case s.UserID != "":
		return userHolder(r, caller.Region.Account(), s.UserID)
	}
	role, ok := roleOf(r, s)
	if !ok {
		return nil, errRoleGone
	}
	return holderOfRole(role), nil
}

func holderOfRole(role *store.Role) *holder {
	return &holder{
		arn: role.ARN, id: role.ID, role: role, tags: role.Tags, permissions: []store.Permissions{role.Permissions},
	}
}

func holderOfOwner(account string) *holder {
	return &holder{
		arn: identity.UserARN(account), id: identity.UserID(account), user: identity.UserName, owner: true,
	}
}

// userHolder returns the user of an account with a unique id.
func userHolder(r store.Reader, account, id string) (*holder, error) {
	if id == identity.UserID(account) {
		return holderOfOwner(account), nil
	}
	for _, row := range store.UsersByID.List(r, id) {
		return holderOfUser(r, row), nil
	}
	return nil, errUserGone
}

func holderOfUser(r store.Reader, row *store.User) *holder {
	h := &holder{
		arn: row.ARN, id: row.ID, user: row.Name, tags: row.Tags, permissions: []store.Permissions{row.Permissions},
	}
	for _, name := range row.Groups {
		if group, ok := store.Groups.Get(r, store.NameKey(row.Region(), name)); ok {
			h.permissions = append(h.permissions, group.Permissions)
		}
	}
	return h
}

// keys returns the condition keys of a holder.
func (h *holder) keys() map[string][]string {
	keys := map[string][]string{"aws:PrincipalArn": {h.arn}, "aws:PrincipalType": {"AssumedRole"}}
	if h.user != "" {
		keys["aws:PrincipalType"], keys["aws:username"] = []string{"User"}, []string{h.user}
		keys["aws:userid"] = []string{h.id}
	}
	for key, value := range h.tags {
		keys[principalTag+key] = []string{value}
	}
	return keys
}

// Key returns an access key, for wire.Config. A session is valid as long as its role or its
// user exists; another one with its name does not count. A user's key is valid while it is
// active.
func (a *Authorizer) Key(accessKeyID, token string) (wire.Key, error) {
	if a.Sessions.MadeKey(accessKeyID) {
		return a.userKey(accessKeyID, token)
	}
	if !a.Sessions.Issued(accessKeyID) {
		return wire.Key{}, wire.ErrUnknownKey
	}
	s, secret, err := a.Sessions.Open(accessKeyID, token)
	if err != nil {
		return wire.Key{}, wire.ErrInvalidKey
	}
	p := principalOf(&s)
	h, err := holderOf(a.Store.View(), wire.Caller{Region: identity.RegionOf(s.Account, ""), Principal: p})
	if err != nil {
		return wire.Key{}, wire.ErrInvalidKey
	}
	if p.User != "" { // it may have a new name
		p.ARN, p.User = h.arn, h.user
	}
	return wire.Key{Secret: secret, Account: s.Account, Principal: p, Expires: s.Expires}, nil
}

// userKey returns the access key of a user.
func (a *Authorizer) userKey(accessKeyID, token string) (wire.Key, error) {
	view := a.Store.View()
	row, ok := store.AccessKeys.Get(view, accessKeyID)
	if !ok || row.Inactive || token != "" {
		return wire.Key{}, wire.ErrInvalidKey
	}
	user, ok := store.Users.Get(view, store.NameKey(row.Account, row.User))
	if !ok {
		return wire.Key{}, wire.ErrInvalidKey
	}
	secret, err := a.Config.Seal.Open(row.Secret, row.SealRow())
	if err != nil {
		return wire.Key{}, wire.ErrInvalidKey
	}
	return wire.Key{
		Secret: string(secret), Account: row.Account.Account(),
		Principal: wire.Principal{ARN: user.ARN, UserID: user.ID, User: user.Name},
	}, nil
}

// principalOf returns the principal that a session is.
func principalOf(s *session.Session) wire.Principal {
	region := identity.RegionOf(s.Account, "")
	switch {
	case s.Federated():
		return wire.Principal{
			ARN:    identity.ARN("sts", region, "federated-user/"+s.Name),
			UserID: region.Account() + ":" + s.Name, Session: s,
		}
	case s.UserID != "":
		return wire.Principal{
			ARN: identity.ARN("iam", region, "user/"+s.UserName), UserID: s.UserID, User: s.UserName, Session: s,
		}
	}
	return wire.Principal{
		ARN:     identity.ARN("sts", region, "assumed-role/"+s.RoleName+"/"+s.Name),
		UserID:  s.RoleID + ":" + s.Name,
		Session: s,
	}
}

func roleOf(r store.Reader, s *session.Session) (*store.Role, bool) {
	role, ok := store.Roles.Get(r, store.NameKey(identity.RegionOf(s.Account, ""), s.RoleName))
	return role, ok && role.ID == s.RoleID
}

// trusteeNames returns the names by which a trust policy may mean a principal.
func (p *principal) trusteeNames() []string {
	names := []string{p.caller.Principal.ARN, p.holder.arn, p.holder.id}
	if s := p.caller.Principal.Session; s != nil && s.Federated() {
		names = names[:1]
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}
