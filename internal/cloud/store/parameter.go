package store

import "time"

// Parameters has the region followed by the name as key.
var Parameters = newTable("parameters", func(r *Parameter) string { return r.Region + r.Name }, (*Parameter).region)

// Parameter is an SSM parameter. The fields of a version are those of the latest one.
type Parameter struct {
	Region, Name   string // Name has a leading slash if it is hierarchical
	Type, Value    string // the value of a SecureString is sealed, in base64
	KeyID          string // of a SecureString: "alias/aws/ssm"
	DataType       string
	Description    string
	Tier           string
	AllowedPattern string
	Version        int64
	Modified       time.Time
	ModifiedBy     string             // ARN of who wrote the version
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
}

func (r *Parameter) region() string { return r.Region }
