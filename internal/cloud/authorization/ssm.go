package authorization

import (
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// parameterOperations are those of Parameter Store.
var parameterOperations = operations{
	"GetParameter":            readingParameters("Name"),
	"GetParameters":           readingParameters("Names"),
	"GetParameterHistory":     onParameters("Name"),
	"GetParametersByPath":     {resources: []resource{{fields: []string{"Path"}, find: parameterPath}}},
	"PutParameter":            {resources: []resource{{fields: []string{"Name"}, find: writtenParameters}}},
	"LabelParameterVersion":   onParameters("Name"),
	"UnlabelParameterVersion": onParameters("Name"),
	"DeleteParameter":         onParameters("Name"),
	"DeleteParameters":        onParameters("Names"),
	"DescribeParameters":      {resources: []resource{{find: everyParameter}}},
	"AddTagsToResource":       onParameters("ResourceId"),
	"RemoveTagsFromResource":  onParameters("ResourceId"),
	"ListTagsForResource":     onParameters("ResourceId"),
}

func onParameters(field string) operation {
	return operation{resources: []resource{{fields: []string{field}, find: parameters}}}
}

// readingParameters is about parameters, some of which may stand for secrets.
func readingParameters(field string) operation {
	op := onParameters(field)
	op.also = func(s *subject) (needs []need) {
		for _, text := range s.values(field) {
			if name, ok := strings.CutPrefix(text, "/aws/reference/secretsmanager/"); ok {
				name, version, _ := strings.Cut(name, ":")
				for _, t := range secrets(s, name) {
					needs = append(needs, s.needOf("secretsmanager:GetSecretValue", t.atVersion(version)))
				}
			}
		}
		return needs
	}
	return op
}

// parameters returns the parameters that a text may name: by name or by ARN, and with or
// without a version or a label. If it can be read in several ways, all that exist count.
func parameters(s *subject, text string) []target {
	readings := []string{parameterName(s.region, text)}
	if i := strings.LastIndex(text, ":"); i >= 0 {
		readings = append(readings, parameterName(s.region, text[:i]))
	}
	var found []target
	for _, name := range readings {
		for _, key := range []string{name, "/" + name, strings.TrimPrefix(name, "/")} {
			row, ok := store.Parameters.Get(s, store.ParameterKey(s.region, key))
			arn := parameterARN(s.region, name)
			known := slices.ContainsFunc(found, func(t target) bool { return t.arn == arn })
			if ok && !known {
				found = append(found, target{arn: arn, tags: row.Tags})
			}
		}
	}
	if found == nil {
		found = []target{{arn: parameterARN(s.region, readings[len(readings)-1])}}
	}
	return found
}

// parameterName returns the name of a parameter that is given by name or by ARN.
func parameterName(region identity.Region, text string) string {
	if arn, ok := strings.CutPrefix(text, "arn:aws:ssm:"+region.Name()+":"); ok {
		_, text, _ = strings.Cut(arn, ":parameter")
	}
	return text
}

// everyParameter returns what AWS asks policies about for all parameters.
func everyParameter(s *subject, _ string) []target {
	return []target{{arn: identity.ARN("ssm", s.region, "*")}}
}

func parameterPath(s *subject, path string) []target {
	keys := map[string][]string{"ssm:Recursive": {s.flag("Recursive")}}
	return []target{{arn: parameterARN(s.region, path), keys: keys}}
}

// writtenParameters returns the parameters that a call writes.
func writtenParameters(s *subject, text string) []target {
	found := parameters(s, text)
	for i := range found {
		found[i].keys = map[string][]string{"ssm:Overwrite": {s.flag("Overwrite")}}
	}
	return found
}

func parameterARN(region identity.Region, name string) string {
	resource := "parameter/" + strings.TrimPrefix(name, "/")
	if strings.HasPrefix(name, "/aws/service/") {
		return "arn:aws:ssm:" + region.Name() + "::" + resource
	}
	return identity.ARN("ssm", region, resource)
}
