package authorization

import (
	"maps"
	"reflect"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// subject identifies the resource that a call is about.
type subject struct {
	store.Reader
	region identity.Region
	user   string // name of the caller; "": it is not a user
	call   wire.Call
	input  reflect.Value
}

func newSubject(r store.Reader, caller wire.Caller, call wire.Call) *subject {
	return &subject{r, caller.Region, caller.Principal.User, call, reflect.ValueOf(call.Input)}
}

// prefixes are the prefixes of actions that differ from the service's name in signatures.
var prefixes = map[string]string{"monitoring": "cloudwatch"}

func prefixOf(service string) string {
	if prefix, ok := prefixes[service]; ok {
		return prefix
	}
	return service
}

// actionOf returns the action of an operation, which has its name.
func actionOf(call wire.Call) string { return prefixOf(call.Service) + ":" + call.Operation }

// operations describes the operations of a service by name.
type operations map[string]operation

// operation describes what an operation needs.
type operation struct {
	// resources are all needed. Without any, the action is about "*".
	resources []resource
	// unknown reports that the resources cannot be found out.
	unknown bool
	// free operations need no permission, or authorize themselves.
	free bool
	// also returns further permissions.
	also func(s *subject) []need
	// instead returns all permissions, in place of those for resources.
	instead func(s *subject) []need
}

// resource describes resources of one kind in an input.
type resource struct {
	fields   []string // whose values name them; none: find is called once, with ""
	find     func(s *subject, name string) []target
	optional bool // the input need not name one
}

// target is one resource.
type target struct {
	arn  string
	tags store.Tags
	keys map[string][]string // condition keys of the resource besides its tags
}

// tables holds the operations by service.
var tables = map[string]operations{
	"ec2": ec2Operations, "elasticloadbalancing": elbOperations, "autoscaling": scalingOperations,
	"monitoring": alarmOperations, "ssm": systemsManagerOperations, "secretsmanager": secretOperations,
	"iam": iamOperations, "sts": stsOperations, "acm": certificateOperations, "servicequotas": quotaOperations,
	"route53": zoneOperations, "ec2-instance-connect": connectOperations, "sns": topicOperations,
	"logs": logOperations, "ec2messages": messageOperations, "s3": bucketOperations,
}

// stsOperations: GetCallerIdentity and GetSessionToken need no permission (AWS STS API
// Reference), and methods of the Authorizer authorize those that assume roles.
var stsOperations = operations{
	"GetCallerIdentity":         {free: true},
	"GetSessionToken":           {free: true},
	"AssumeRole":                {free: true},
	"AssumeRoleWithWebIdentity": {free: true},
	"GetAccessKeyInfo":          {},
	"GetFederationToken":        {resources: []resource{byFederatedName}, also: sessionTagNeeds},
}

var byFederatedName = resource{fields: []string{"Name"}, find: federatedUser}

func federatedUser(s *subject, name string) []target {
	return []target{{arn: identity.ARN("sts", s.region.Global(), "federated-user/"+name)}}
}

// sessionTagNeeds returns the permission to pass tags to the session of a federated user.
func sessionTagNeeds(s *subject) []need {
	if len(tagsIn(s.input)) == 0 {
		return nil
	}
	return s.needsFor("sts:TagSession", byFederatedName)
}

var quotaOperations = operations{
	"GetServiceQuota":             {unknown: true},
	"GetAWSDefaultServiceQuota":   {},
	"ListServiceQuotas":           {},
	"ListAWSDefaultServiceQuotas": {},
	"ListServices":                {},
}

// needs returns the permissions that the call needs.
func (s *subject) needs() []need {
	op, known := tables[s.call.Service][s.call.Operation]
	if !known && describesAll[s.call.Service] && strings.HasPrefix(s.call.Operation, "Describe") {
		op, known = operation{}, true
	}
	action, keys := actionOf(s.call), s.tagKeys(tagsIn(s.input))
	switch {
	case op.free:
		return nil
	case !known:
		return []need{{action: action, unknown: true, keys: keys}, {action: "*", resource: "*", keys: keys}}
	case op.instead != nil:
		needs := op.instead(s)
		if len(needs) == 0 {
			needs = []need{{action: action, unknown: true}}
		}
		return s.withKeys(needs, keys)
	}
	needs := s.resourceNeeds(action, op)
	if op.also != nil {
		needs = append(needs, op.also(s)...)
	}
	return append(s.withKeys(needs, keys), s.taggingNeeds(action, keys)...)
}

// describesAll are the services whose operations Describe* have no resources, unless
// their table says otherwise.
var describesAll = map[string]bool{"ec2": true, "elasticloadbalancing": true, "autoscaling": true}

// withKeys adds condition keys of the request to permissions.
func (s *subject) withKeys(needs []need, keys map[string][]string) []need {
	for i := range needs {
		all := maps.Clone(keys)
		maps.Copy(all, needs[i].keys)
		needs[i].keys = all
	}
	return needs
}

// resourceNeeds returns the permission for each resource of the call.
func (s *subject) resourceNeeds(action string, op operation) []need {
	if op.unknown {
		return []need{{action: action, unknown: true}}
	}
	var needs []need
	for _, r := range op.resources {
		needs = append(needs, s.needsFor(action, r)...)
	}
	switch {
	case len(needs) == 0 && len(op.resources) > 0:
		return []need{{action: action, unknown: true}}
	case len(needs) == 0:
		return []need{{action: action, resource: "*"}}
	}
	return needs
}

// needOf returns the permission for an action on a resource, which belongs to the service of the action.
func (s *subject) needOf(action string, t target) need {
	prefix, _, _ := strings.Cut(action, ":")
	if prefix == "ec2-instance-connect" {
		prefix = "ec2" // its resources are EC2's
	}
	return need{action: action, resource: t.arn, keys: withTags(t.keys, prefix, t.tags)}
}

// needsFor returns the permission for each resource of a kind that the input names. It is
// one for every resource if the input names none, or one that cannot be found.
func (s *subject) needsFor(action string, r resource) []need {
	names := s.values(r.fields...)
	if len(r.fields) == 0 {
		names = []string{""}
	}
	if len(names) == 0 && !r.optional {
		return []need{{action: action, unknown: true}}
	}
	var needs []need
	for _, name := range names {
		targets := r.find(s, name)
		if len(targets) == 0 {
			needs = append(needs, need{action: action, unknown: true})
		}
		for _, t := range targets {
			needs = append(needs, s.needOf(action, t))
		}
	}
	return needs
}

// withTags returns condition keys with those of a resource's tags, under the global name
// and under the service's own.
func withTags(keys map[string][]string, service string, tags store.Tags) map[string][]string {
	all := map[string][]string{}
	maps.Copy(all, keys)
	for key, value := range tags {
		all["aws:ResourceTag/"+key] = []string{value}
		all[service+":ResourceTag/"+key] = []string{value}
	}
	return all
}

// tagActions are the actions that a creation with tags needs besides its own.
var tagActions = map[string]string{
	"elasticloadbalancing": "elasticloadbalancing:AddTags", "autoscaling": "autoscaling:CreateOrUpdateTags",
	"ssm": "ssm:AddTagsToResource", "secretsmanager": "secretsmanager:TagResource",
	"monitoring": "cloudwatch:TagResource", "sns": "sns:TagResource", "logs": "logs:TagResource",
}

// iamTagActions are those of IAM, where each kind of resource has its own.
var iamTagActions = map[string]string{
	"CreateRole": "iam:TagRole", "CreatePolicy": "iam:TagPolicy", "CreateInstanceProfile": "iam:TagInstanceProfile",
	"CreateUser": "iam:TagUser", "CreateOpenIDConnectProvider": "iam:TagOpenIDConnectProvider",
	"CreateVirtualMFADevice": "iam:TagMFADevice",
}

// creations are the starts of the names of operations that may create tagged resources.
var creations = []string{"Create", "Put", "Import", "Run"}

// taggingNeeds returns the permission to tag what an operation creates (for Amazon EC2,
// see ec2TagNeeds).
func (s *subject) taggingNeeds(action string, keys map[string][]string) []need {
	if s.call.Service == "ec2" {
		return s.withKeys(ec2TagNeeds(s), keys)
	}
	tag := tagActions[s.call.Service]
	if s.call.Service == "iam" {
		tag = iamTagActions[s.call.Operation]
	}
	creates := false
	for _, start := range creations {
		creates = creates || strings.HasPrefix(s.call.Operation, start)
	}
	if tag == "" || !creates || tag == action || len(tagsIn(s.input)) == 0 {
		return nil
	}
	needs := s.resourceNeeds(tag, tables[s.call.Service][s.call.Operation])
	keys = maps.Clone(keys)
	keys[prefixOf(s.call.Service)+":CreateAction"] = []string{s.call.Operation}
	return s.withKeys(needs, keys)
}
