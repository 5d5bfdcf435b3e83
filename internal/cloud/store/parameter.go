package store

import (
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Parameters has the region followed by the name as key. AWS's own parameters are in the
// regions of the local cloud's own account and visible in all others.
var Parameters = newTable("parameters", (*Parameter).Key, (*Parameter).region)

// Parameter is an SSM parameter. The fields of a version are those of the latest one.
type Parameter struct {
	Name           string // Name has a leading slash if it is hierarchical
	Region         identity.Region
	Type, Value    string // the value of a SecureString is sealed, in base64
	KeyID          string // of a SecureString: "alias/aws/ssm"
	DataType       string
	Description    string
	Tier           string
	AllowedPattern string
	Version        int64
	Modified       time.Time
	ModifiedBy     string             // ARN of who wrote the version
	Labels         []string           // of the latest version, in the order in which they were attached
	Older          []ParameterVersion // earlier versions, oldest first
	Tags           Tags
}

// ParameterVersion is an earlier version of a parameter.
type ParameterVersion struct {
	Version        int64
	Type, Value    string
	KeyID          string
	DataType       string
	Description    string
	Tier           string
	AllowedPattern string
	Modified       time.Time
	ModifiedBy     string
	Labels         []string
}

func (r *Parameter) region() identity.Region { return r.Region }

// PublicPath is the prefix of the names of AWS's own parameters.
const PublicPath = "/aws/service/"

// IsPublicParameter reports whether a name is that of one of AWS's own parameters.
func IsPublicParameter(name string) bool { return strings.HasPrefix(name, PublicPath) }

// ParameterKey returns the key of the parameter with a name that is visible in a region.
func ParameterKey(region identity.Region, name string) string {
	if IsPublicParameter(name) {
		region = region.Own()
	}
	return string(region) + name
}

// Key returns the parameter's key.
func (r *Parameter) Key() string { return ParameterKey(r.Region, r.Name) }
