// Command names prints the names of properties of the CloudFormation resource types that
// templates of Aloft have, for a test that they have no others:
//
//	go run ./internal/cloudformation/names SCHEMAS >internal/cloudformation/testdata/names.txt
//
// SCHEMAS is a folder with the schemas of the resource types, which AWS publishes for each
// region as CloudformationSchema.zip (AWS CloudFormation User Guide, "Resource type schemas"). If
// it has several schemas of a type, their names are joined. A line has a type, whether the name
// is that of a property ("has"), of one that must be given ("needs") or of one that identifies a
// resource ("id"), and the path of the name.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: names SCHEMAS")
		os.Exit(2)
	}
	lines, err := names(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "names:", err)
		os.Exit(1)
	}
	for _, line := range lines {
		fmt.Println(line)
	}
}

// types are the resource types of templates, without "AWS::".
var types = strings.Fields(`
	AutoScaling::AutoScalingGroup AutoScaling::ScalingPolicy AutoScaling::ScheduledAction
	CertificateManager::Certificate CloudWatch::Alarm EC2::EIP EC2::Instance EC2::InstanceConnectEndpoint
	EC2::InternetGateway EC2::KeyPair EC2::LaunchTemplate EC2::NatGateway EC2::Route EC2::RouteTable
	EC2::SecurityGroup EC2::Subnet EC2::SubnetRouteTableAssociation EC2::VPC EC2::VPCGatewayAttachment
	ElasticLoadBalancingV2::Listener ElasticLoadBalancingV2::ListenerCertificate
	ElasticLoadBalancingV2::LoadBalancer ElasticLoadBalancingV2::TargetGroup IAM::InstanceProfile IAM::Role
	Logs::LogGroup Route53::RecordSet S3::Bucket S3::BucketPolicy SNS::Subscription SNS::Topic
`)

// schema is the part of a JSON Schema that names properties.
type schema struct {
	TypeName          string             `json:"typeName"`
	PrimaryIdentifier []string           `json:"primaryIdentifier"`
	Definitions       map[string]*schema `json:"definitions"`

	Ref        string             `json:"$ref"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
	OneOf      []*schema          `json:"oneOf"`
	AnyOf      []*schema          `json:"anyOf"`
	AllOf      []*schema          `json:"allOf"`
}

// names returns the sorted lines about all types.
func names(folder string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	all, found := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var s schema
		if !bytes.Contains(text, []byte("typeName")) || json.Unmarshal(text, &s) != nil {
			continue // something else
		}
		name, ours := strings.CutPrefix(s.TypeName, "AWS::")
		if !ours || !slices.Contains(types, name) {
			continue
		}
		found[name] = true
		for _, pointer := range s.PrimaryIdentifier {
			all[line(s.TypeName, "id", strings.TrimPrefix(pointer, "/properties/"))] = true
		}
		w := walk{&s, all, nil}
		w.names(&s, "")
	}
	for _, name := range types {
		if !found[name] {
			return nil, fmt.Errorf("%s has no schema of AWS::%s", folder, name)
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}

func line(kind, mark, path string) string { return kind + " " + mark + " " + path }

// walk is a walk over the schema of a type.
type walk struct {
	root *schema
	all  map[string]bool
	open []string // the references that are being followed
}

// names adds the names of the properties at and below a path. What one of several forms needs,
// not all need.
func (w walk) names(s *schema, path string) {
	if s == nil {
		return
	}
	if s.Ref != "" {
		if slices.Contains(w.open, s.Ref) {
			return
		}
		w.open = append(slices.Clone(w.open), s.Ref)
		w.names(w.root.Definitions[strings.TrimPrefix(s.Ref, "#/definitions/")], path)
	}
	for name, property := range s.Properties {
		w.all[line(w.root.TypeName, "has", path+name)] = true
		w.names(property, path+name+".")
	}
	for _, name := range s.Required {
		w.all[line(w.root.TypeName, "needs", path+name)] = true
	}
	w.names(s.Items, path)
	for _, form := range slices.Concat(s.OneOf, s.AnyOf, s.AllOf) {
		if form != nil {
			w.names(&schema{Ref: form.Ref, Properties: form.Properties, Items: form.Items}, path)
		}
	}
}
