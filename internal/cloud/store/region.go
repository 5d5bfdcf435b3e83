package store

// Tables of this file.
var (
	Regions = newTable("regions", func(r *Region) string { return r.Name }, (*Region).region)
)

// Tags are the keys and values that a user gave a resource.
type Tags map[string]string

// Region is a region that has been used: it holds the default VPC and the
// public images from then on.
type Region struct{ Name string }

func (r *Region) region() string { return r.Name }
