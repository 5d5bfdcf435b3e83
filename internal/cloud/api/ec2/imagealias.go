package ec2

import (
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// imageAlias begins an image id that stands for a parameter of Systems Manager
// (Amazon EC2 User Guide, Use a Systems Manager parameter instead of an AMI ID).
const imageAlias = "resolve:ssm:"

// resolveImageAlias is the id that a launch names its image by, or the one that the
// parameter named has at present. A version of the parameter may be named if it
// is the present one: the local cloud keeps no older ones.
func resolveImageAlias(r store.Reader, region, name string) (string, error) {
	alias, ok := strings.CutPrefix(name, imageAlias)
	if !ok {
		return name, nil
	}
	path, word, _ := strings.Cut(alias, ":")
	row, ok := store.Parameters.Get(r, region+path)
	if !ok || word != "" && word != strconv.FormatInt(row.Version, 10) {
		return "", wire.Errorf(
			"InvalidParameterValue", "The parameter %s does not exist, or has no version or label of that name.", alias,
		)
	}
	return row.Value, nil
}
