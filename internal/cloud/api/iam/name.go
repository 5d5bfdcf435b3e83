package iam

import (
	"regexp"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Lengths in characters (IAM User Guide, "IAM and AWS STS quotas").
const (
	maxRoleName    = 64
	maxUserName    = 64  // of a new user
	maxName        = 128 // of instance profiles, policies and groups, and where requests name users
	maxPath        = 512
	maxDescription = 1000
)

var (
	nameForm       = regexp.MustCompile(`^[\w+=,.@-]+$`)
	pathForm       = regexp.MustCompile(`^/([\x21-\x7e]*/)?$`)
	pathPrefixForm = regexp.MustCompile(`^/[\x21-\x7e]*$`)
	// descriptionForm is the pattern of the descriptions of roles. Those of policies may
	// contain anything.
	descriptionForm = regexp.MustCompile(`^[\t\n\r\x20-\x7e\x{a1}-\x{ff}]*$`)
)

// checkName refuses the name in a member of a request that is missing or malformed.
func checkName(member string, name *string, most int) error {
	switch {
	case name == nil:
		return model.Null(member)
	case *name == "":
		return model.TooShort(member, 1)
	case utf8.RuneCountInString(*name) > most:
		return model.TooLong(member, most)
	case !nameForm.MatchString(*name):
		return model.Errorf("The specified value for %s is invalid. It must contain only alphanumeric characters "+
			"and/or the following: +=,.@_-", member)
	}
	return nil
}

// identifierForm describes the ids, serial numbers and codes of a kind in requests, as the model of IAM does.
type identifierForm struct {
	member      string // that has it
	least, most int    // characters
	pattern     string
	form        *regexp.Regexp // for the pattern
}

// check refuses an identifier that has another form.
func (f identifierForm) check(text *string) error {
	switch {
	case text == nil:
		return model.Null(f.member)
	case len(*text) < f.least:
		return model.TooShort(f.member, f.least)
	case len(*text) > f.most:
		return model.TooLong(f.member, f.most)
	case !f.form.MatchString(*text):
		return model.Pattern(f.member, f.pattern)
	}
	return nil
}

// pathOf returns the path of a new resource.
func pathOf(path *string) (string, error) {
	given := aws.ToString(path)
	switch {
	case path == nil:
		return "/", nil
	case given == "":
		return "", model.TooShort("path", 1)
	case len(given) > maxPath:
		return "", model.TooLong("path", maxPath)
	case !pathForm.MatchString(given):
		return "", model.Errorf("The specified value for path is invalid. It must begin and end with / and contain " +
			"only alphanumeric characters and/or / characters.")
	}
	return given, nil
}

// prefixOf returns the start of the paths of the resources that a request lists.
func prefixOf(prefix *string) (string, error) {
	given := aws.ToString(prefix)
	switch {
	case prefix == nil:
		return "/", nil
	case given == "":
		return "", model.TooShort("pathPrefix", 1)
	case len(given) > maxPath:
		return "", model.TooLong("pathPrefix", maxPath)
	case !pathPrefixForm.MatchString(given):
		return "", model.Errorf("The specified value for pathPrefix is invalid. It must begin with the / character " +
			"and contain only alphanumeric characters and/or / characters.")
	}
	return given, nil
}

func checkDescription(description *string, form *regexp.Regexp) error {
	given := aws.ToString(description)
	switch {
	case utf8.RuneCountInString(given) > maxDescription:
		return model.TooLong("description", maxDescription)
	case form != nil && !form.MatchString(given):
		return model.Pattern("description", `[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`)
	}
	return nil
}
