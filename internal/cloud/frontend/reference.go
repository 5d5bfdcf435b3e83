package frontend

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// reference is how an input refers to an existing resource: its id, ARN or name, or
// the store's key of a launch template's version.
type reference struct {
	field string
	id    string
	find  func(r store.Reader, region identity.Region, id string) bool
}

func (f reference) exists(r store.Reader, region identity.Region) bool {
	return f.find(r, region, f.id)
}

// byPrefix are the types of resources whose ids or ARNs start in a way of their own.
var byPrefix = []struct {
	prefix string
	find   func(r store.Reader, region identity.Region, id string) bool
}{
	{"vpc-", in(store.VPCs)},
	{"subnet-", in(store.Subnets)},
	{"igw-", in(store.InternetGateways)},
	{"eigw-", in(store.EgressOnlyGateways)},
	{"rtb-", in(store.RouteTables)},
	{"acl-", in(store.NetworkACLs)},
	{"sg-", in(store.SecurityGroups)},
	{"eni-", in(store.NetworkInterfaces)},
	{"eipalloc-", in(store.ElasticIPs)},
	{"nat-", in(store.NatGateways)},
	{"i-", in(store.Instances)},
	{"ami-", in(store.Images)},
	{"snap-", in(store.Snapshots)},
	{"vol-", in(store.Volumes)},
	{"lt-", in(store.LaunchTemplates)},
	{"pg-", in(store.PlacementGroups)},
	{"fleet-", in(store.Fleets)},
	{"scr-", in(store.SubnetReservations)},
	{"arn:aws:elasticloadbalancing:", func(r store.Reader, region identity.Region, arn string) bool {
		return in(store.LoadBalancers)(r, region, arn) || in(store.TargetGroups)(r, region, arn) ||
			in(store.Listeners)(r, region, arn) || in(store.Rules)(r, region, arn)
	}},
	{"arn:aws:acm:", in(store.Certificates)},
}

// byField are the fields that hold names.
var byField = map[string]struct {
	find   func(r store.Reader, region identity.Region, name string) bool
	except []string // operations that create the resource, or that ignore unknown names
}{
	"KeyName": {
		named(store.KeyPairsByName), []string{"CreateKeyPair", "ImportKeyPair", "DeleteKeyPair"},
	},
	"LaunchTemplateName":   {named(store.LaunchTemplatesByName), []string{"CreateLaunchTemplate"}},
	"AutoScalingGroupName": {regional(store.ScalingGroups), []string{"CreateAutoScalingGroup"}},
	"RoleName":             {global(store.Roles), []string{"CreateRole"}},
	"UserName":             {global(store.Users), []string{"CreateUser"}},
	"InstanceProfileName":  {global(store.InstanceProfiles), []string{"CreateInstanceProfile"}},
	"PolicyArn":            {in(store.Policies), nil},
	"ServerCertificateName": {
		global(store.ServerCertificates), []string{"UploadServerCertificate"},
	},
}

func in[T any](table store.Table[T]) func(store.Reader, identity.Region, string) bool {
	return func(r store.Reader, _ identity.Region, id string) bool {
		_, ok := table.Get(r, id)
		return ok
	}
}

func regional[T any](table store.Table[T]) func(store.Reader, identity.Region, string) bool {
	return func(r store.Reader, region identity.Region, name string) bool {
		_, ok := table.Get(r, region.Key(name))
		return ok
	}
}

// global finds the rows of IAM by their names.
func global[T any](table store.Table[T]) func(store.Reader, identity.Region, string) bool {
	return func(r store.Reader, region identity.Region, name string) bool {
		_, ok := table.Get(r, store.NameKey(region, name))
		return ok
	}
}

func named[T any](index store.Index[T]) func(store.Reader, identity.Region, string) bool {
	return func(r store.Reader, region identity.Region, name string) bool {
		return len(index.List(r, region.Key(name))) > 0
	}
}

// references returns what the input of a call refers to, in the order of its fields.
func references(call wire.Call) []reference {
	w := walker{operation: call.Operation}
	w.walk("", reflect.ValueOf(call.Input))
	return w.found
}

// walker collects the references of an input.
type walker struct {
	operation string
	found     []reference
}

// walk collects the references in a value of a field.
func (w *walker) walk(field string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			w.walk(field, v.Elem())
		}
	case reflect.Struct:
		w.addVersion(v)
		w.addProfile(v)
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				w.walk(f.Name, v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			w.walk(field, v.Index(i))
		}
	case reflect.String:
		// Auto Scaling separates the ids of subnets by commas.
		for text := range strings.SplitSeq(v.String(), ",") {
			w.add(field, strings.TrimSpace(text))
		}
	default: // numbers, booleans, times and documents refer to nothing
	}
}

// addVersion collects the reference of a structure that names a launch template by its
// id and one of its versions by its number.
func (w *walker) addVersion(v reflect.Value) {
	for _, field := range []string{"Version", "DefaultVersion"} {
		number, err := strconv.ParseInt(textOf(v.FieldByName(field)), 10, 64)
		if template := textOf(v.FieldByName("LaunchTemplateId")); err == nil && template != "" {
			key := store.TemplateVersionKey(template, number)
			w.found = append(w.found, reference{field, key, in(store.TemplateVersions)})
		}
	}
}

// profileField starts the fields that name the instance profile of an instance.
const profileField = "iamInstanceProfile."

// addProfile collects the reference of a structure that names the instance profile of an
// instance.
func (w *walker) addProfile(v reflect.Value) {
	if v.Type().Name() != "IamInstanceProfileSpecification" {
		return
	}
	if name := textOf(v.FieldByName("Name")); name != "" {
		w.found = append(w.found, reference{profileField + "name", name, global(store.InstanceProfiles)})
	}
	if arn := textOf(v.FieldByName("Arn")); arn != "" {
		find := func(r store.Reader, region identity.Region, arn string) bool {
			return global(store.InstanceProfiles)(r, region, arn[strings.LastIndex(arn, "/")+1:])
		}
		w.found = append(w.found, reference{profileField + "arn", arn, find})
	}
}

// textOf returns the text of a field that points to a string, or "".
func textOf(field reflect.Value) string {
	if !field.IsValid() {
		return ""
	}
	text, _ := field.Interface().(*string)
	return aws.ToString(text)
}

func (w *walker) add(field, text string) {
	if named, ok := byField[field]; ok {
		if slices.Contains(named.except, w.operation) {
			return
		}
		w.found = append(w.found, reference{field, text, named.find})
		return
	}
	for _, kind := range byPrefix {
		if strings.HasPrefix(text, kind.prefix) {
			w.found = append(w.found, reference{field, text, kind.find})
		}
	}
}
