package ec2

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/wire"
)

// everyone is the group of all accounts.
const everyone = string(types.PermissionGroupAll)

// sharing holds who may use an image or a snapshot besides its owner.
type sharing struct {
	public bool
	users  []string // accounts, in order
}

// grantee is an account or a group of accounts. The other field is empty.
type grantee struct{ user, group string }

// sharingChange is a change of a sharing.
type sharingChange struct{ add, remove []grantee }

// launchGrantee returns whom a launch permission is for.
func launchGrantee(p types.LaunchPermission) grantee {
	return grantee{aws.ToString(p.UserId), string(p.Group)}
}

// volumeGrantee returns whom a permission to create volumes is for.
func volumeGrantee(p types.CreateVolumePermission) grantee {
	return grantee{aws.ToString(p.UserId), string(p.Group)}
}

func launchPermission(g grantee) types.LaunchPermission {
	return types.LaunchPermission{UserId: optionalString(g.user), Group: types.PermissionGroup(g.group)}
}

func volumePermission(g grantee) types.CreateVolumePermission {
	return types.CreateVolumePermission{UserId: optionalString(g.user), Group: types.PermissionGroup(g.group)}
}

// grantees returns whom the sharing names: everyone first.
func (s sharing) grantees() []grantee {
	var all []grantee
	if s.public {
		all = append(all, grantee{group: everyone})
	}
	for _, user := range s.users {
		all = append(all, grantee{user: user})
	}
	return all
}

// listedChange returns the change in the parameters that name accounts and groups in lists.
func listedChange(operation types.OperationType, users, groups []string) (sharingChange, error) {
	var all []grantee
	for _, user := range users {
		all = append(all, grantee{user: user})
	}
	for _, group := range groups {
		all = append(all, grantee{group: group})
	}
	switch {
	case operation == types.OperationTypeAdd:
		return sharingChange{add: all}, nil
	case operation == types.OperationTypeRemove:
		return sharingChange{remove: all}, nil
	case operation == "":
		return sharingChange{}, missingParameter("operationType")
	}
	return sharingChange{}, invalidValue("operationType", string(operation), "It is not add or remove.")
}

// check refuses what cannot be a grantee.
func (c sharingChange) check() error {
	for _, g := range slices.Concat(c.add, c.remove) {
		switch {
		case g.group != "" && g.group != everyone:
			return invalidGrantee(g.group, "group")
		case g.group == "" && !identity.IsAccount(g.user):
			return invalidGrantee(g.user, "userId")
		}
	}
	return nil
}

func invalidGrantee(value, kind string) error {
	return wire.Errorf(
		"InvalidAMIAttributeItemValue", "Invalid attribute item value \"%s\" for %s item type.", value, kind,
	)
}

// apply returns a sharing after the change. Whoever is added twice, or removed without having
// been added, changes nothing.
func (c sharingChange) apply(s sharing) sharing {
	s.users = slices.Clone(s.users)
	for _, g := range c.add {
		if g.group == everyone {
			s.public = true
		} else if !slices.Contains(s.users, g.user) {
			s.users = append(s.users, g.user)
		}
	}
	for _, g := range c.remove {
		if g.group == everyone {
			s.public = false
		}
		s.users = slices.DeleteFunc(s.users, func(user string) bool { return user == g.user })
	}
	slices.Sort(s.users)
	return s
}

// names reports whether the sharing of what an owner has names one of the users, as a request
// of a region's account names them: "all" stands for everyone, "self" for the account. Only the
// owner learns of others.
func (s sharing) names(users []string, region identity.Region, owner string) bool {
	return slices.ContainsFunc(users, func(user string) bool {
		switch user {
		case "all":
			return s.public
		case "self":
			user = region.Account()
		}
		return (user == region.Account() || owner == region.Account()) && slices.Contains(s.users, user)
	})
}
