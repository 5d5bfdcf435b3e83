package ec2

import (
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// imageAlias is the prefix of an image id that names a parameter of Systems Manager
// (Amazon EC2 User Guide, Use a Systems Manager parameter instead of an AMI ID).
const imageAlias = "resolve:ssm:"

// resolveImageAlias returns the image id that an alias refers to at present, or name
// itself if it is not an alias. An alias may name the current version of its parameter
// only: the local cloud keeps no older ones.
func resolveImageAlias(r store.Reader, region identity.Region, name string) (string, error) {
	alias, ok := strings.CutPrefix(name, imageAlias)
	if !ok {
		return name, nil
	}
	path, version, _ := strings.Cut(alias, ":")
	row, ok := store.Parameters.Get(r, store.ParameterKey(region, path))
	if !ok || version != "" && version != strconv.FormatInt(row.Version, 10) {
		return "", wire.Errorf(
			"InvalidParameterValue", "The parameter %s does not exist, or has no version or label of that name.", alias,
		)
	}
	return row.Value, nil
}
