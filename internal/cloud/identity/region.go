package identity

import "strings"

// Account is the id of the local cloud's own account. A real local cloud has no other; in a
// simulated one, each access key that is a number of 12 digits is that account's.
const Account = "000000000000"

// accountDigits is the number of digits of an account's id.
const accountDigits = len(Account)

// Region is a region as one account sees it, in which all regional resources are. It is the
// region's name for the local cloud's own account, and begins with the account's id for
// another one: "us-east-1", "111122223333/us-east-1". The name is empty for what belongs to
// an account but to no region.
type Region string

// RegionOf returns the region with the name of an account; "" is the local cloud's own.
func RegionOf(account, name string) Region {
	if account == Account || account == "" {
		return Region(name)
	}
	return Region(account + "/" + name)
}

// Account returns the id of the account.
func (r Region) Account() string {
	if len(r) > accountDigits && r[accountDigits] == '/' {
		return string(r[:accountDigits])
	}
	return Account
}

// Name returns the region's name, as the account's users see it: "us-east-1".
func (r Region) Name() string {
	if len(r) > accountDigits && r[accountDigits] == '/' {
		return string(r[accountDigits+1:])
	}
	return string(r)
}

// Global returns the region of what belongs to the account but to no region.
func (r Region) Global() Region { return RegionOf(r.Account(), "") }

// Own returns the region with the name of the local cloud's own account.
func (r Region) Own() Region { return Region(r.Name()) }

// Key returns the key of what has a name that is unique in the region.
func (r Region) Key(name string) string { return string(r) + "/" + name }

// RegionOfARN returns the region of the resource with an ARN, or that of the local cloud's own
// account without a name if the ARN names no account.
func RegionOfARN(arn string) Region {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || !IsAccount(parts[4]) {
		return ""
	}
	return RegionOf(parts[4], parts[3])
}

// IsAccount reports whether a text is an account's id: 12 digits.
func IsAccount(text string) bool {
	return len(text) == accountDigits && strings.Trim(text, "0123456789") == ""
}
