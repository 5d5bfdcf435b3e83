package store

// Regions contains the regions that have been used, by name.
var Regions = newTable("regions", (*Region).region, (*Region).region)

// Tags are the tags of a resource by key.
type Tags map[string]string

// Region is a region that has been used. From its first use on it has a default
// VPC and the public images.
type Region struct{ Name string }

func (r *Region) region() string { return r.Name }
