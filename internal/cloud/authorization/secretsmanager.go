package authorization

import (
	"maps"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

var secretOperations = operations{
	"CreateSecret":                 {resources: []resource{{fields: []string{"Name"}, find: newSecret}}},
	"GetSecretValue":               onSecret(),
	"DescribeSecret":               onSecret(),
	"PutSecretValue":               onSecret(),
	"UpdateSecret":                 onSecret(),
	"UpdateSecretVersionStage":     onSecret(),
	"DeleteSecret":                 onSecret(),
	"RestoreSecret":                onSecret(),
	"RotateSecret":                 onSecret(),
	"CancelRotateSecret":           onSecret(),
	"ListSecretVersionIds":         onSecret(),
	"GetResourcePolicy":            onSecret(),
	"PutResourcePolicy":            onSecret(),
	"DeleteResourcePolicy":         onSecret(),
	"ValidateResourcePolicy":       onSecret(),
	"ReplicateSecretToRegions":     onSecret(),
	"RemoveRegionsFromReplication": onSecret(),
	"StopReplicationToReplica":     onSecret(),
	"TagResource":                  onSecret(),
	"UntagResource":                onSecret(),
	"ListSecrets":                  {},
	"GetRandomPassword":            {},
	"BatchGetSecretValue":          {also: batchNeeds},
}

func onSecret() operation {
	return operation{resources: []resource{{fields: []string{"SecretId"}, find: secrets}}}
}

// secrets returns the secrets that a text may name: by name, by ARN, or by an ARN
// without the hyphen and the characters that Secrets Manager adds to a name. If it can be
// read in several ways, all that exist count.
func secrets(s *subject, text string) []target {
	region := s.region
	if strings.HasPrefix(text, "arn:") {
		region = identity.RegionOfARN(text)
	}
	var found []target
	for _, row := range store.Secrets.InRegion(s, region) {
		partial := ""
		if i := strings.LastIndex(row.ARN, "-"); i >= 0 {
			partial = row.ARN[:i]
		}
		if text == row.Name || text == row.ARN || text == partial {
			keys := map[string][]string{
				"secretsmanager:Name": {row.Name}, "secretsmanager:SecretId": {row.ARN},
				"secretsmanager:VersionId":    s.values("VersionId"),
				"secretsmanager:VersionStage": s.values("VersionStage"),
			}
			found = append(found, target{arn: row.ARN, tags: row.Tags, keys: keys})
		}
	}
	switch {
	case found != nil:
		return found
	case strings.HasPrefix(text, "arn:"):
		return []target{{arn: text}}
	}
	return newSecret(s, text)
}

// atVersion returns a secret of which a call reads a version. The text is a version's id or one of its staging labels;
// "": the call names neither.
func (t target) atVersion(text string) target {
	if text == "" {
		return t
	}
	keys := map[string][]string{}
	maps.Copy(keys, t.keys)
	keys["secretsmanager:VersionId"], keys["secretsmanager:VersionStage"] = []string{text}, []string{text}
	t.keys = keys
	return t
}

// newSecret returns a secret that does not exist. The characters that Secrets Manager
// will add to its name are not known.
func newSecret(s *subject, name string) []target {
	return []target{{
		arn:  identity.ARN("secretsmanager", s.region, "secret:"+name+"-??????"),
		keys: map[string][]string{"secretsmanager:Name": {name}},
	}}
}

// batchNeeds returns the permission to read each secret of a batch. Filters may select
// any secret.
func batchNeeds(s *subject) []need {
	const action = "secretsmanager:GetSecretValue"
	ids := s.values("SecretIdList")
	if len(ids) == 0 {
		return []need{{action: action, unknown: true}}
	}
	var needs []need
	for _, id := range ids {
		for _, t := range secrets(s, id) {
			needs = append(needs, s.needOf(action, t))
		}
	}
	return needs
}
