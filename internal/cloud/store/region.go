package store

import "aloft.dev/aloft/internal/cloud/identity"

// Regions contains the regions that have been used, by name.
var Regions = newTable("regions", (*Region).key, (*Region).region)

// Tags are the tags of a resource by key.
type Tags map[string]string

// Region is a region that has been used by an account. From its first use on it has a
// default VPC, and the local cloud's own account has the public images in it.
type Region struct{ Name identity.Region }

func (r *Region) key() string { return string(r.Name) }

func (r *Region) region() identity.Region { return r.Name }
