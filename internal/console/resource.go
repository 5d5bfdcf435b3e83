package console

import (
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/inventory"
)

// Property is a value of a resource, by its path as AWS names it.
type Property struct {
	Path, Value string
	Link        bool // the value is the id of another resource
}

// resourceData is the data of the page of a resource.
type resourceData struct {
	ID, Name, Kind string
	Properties     []Property
	Tags           []Property
	Console        string
	NoConsole      string      // why it cannot be read
	Allowed        []Allowance // by a security group or a network ACL
}

// tag returns the value of a tag, or "".
func (d *resourceData) tag(key string) string {
	for _, tag := range d.Tags {
		if tag.Path == key {
			return tag.Value
		}
	}
	return ""
}

// resourceKinds are the resources that pages exist for.
var resourceKinds = []struct {
	kind string
	all  func(*inventory.Inventory) any // a slice of structs
	id   string                         // the field with the id
}{
	{"VPC", func(i *inventory.Inventory) any { return i.VPCs }, "VpcId"},
	{"Subnet", func(i *inventory.Inventory) any { return i.Subnets }, "SubnetId"},
	{"Route table", func(i *inventory.Inventory) any { return i.RouteTables }, "RouteTableId"},
	{"Internet gateway", func(i *inventory.Inventory) any { return i.InternetGateways }, "InternetGatewayId"},
	{"NAT gateway", func(i *inventory.Inventory) any { return i.NATGateways }, "NatGatewayId"},
	{"Security group", func(i *inventory.Inventory) any { return i.SecurityGroups }, "GroupId"},
	{"Security group rule", func(i *inventory.Inventory) any { return i.Rules }, "SecurityGroupRuleId"},
	{"Network ACL", func(i *inventory.Inventory) any { return i.NetworkACLs }, "NetworkAclId"},
	{"Network interface", func(i *inventory.Inventory) any { return i.Interfaces }, "NetworkInterfaceId"},
	{"Machine", func(i *inventory.Inventory) any { return i.Instances }, "InstanceId"},
	{"Connect endpoint", func(i *inventory.Inventory) any { return i.Endpoints }, "InstanceConnectEndpointId"},
	{"Load balancer", func(i *inventory.Inventory) any { return i.LoadBalancers }, "LoadBalancerArn"},
	{"Target group", func(i *inventory.Inventory) any { return i.TargetGroups }, "TargetGroupArn"},
}

// ids returns the ids of all resources with their kinds.
func ids(i *inventory.Inventory) (kinds map[string]string, values map[string]reflect.Value) {
	kinds, values = map[string]string{}, map[string]reflect.Value{}
	for _, k := range resourceKinds {
		all := reflect.ValueOf(k.all(i))
		for n := range all.Len() {
			id, _ := all.Index(n).FieldByName(k.id).Interface().(*string)
			kinds[aws.ToString(id)], values[aws.ToString(id)] = k.kind, all.Index(n)
		}
	}
	return kinds, values
}

// properties lists what a value holds, without what is empty, in the order of its fields.
func properties(v reflect.Value, path string) (all []Property) {
	leaf := func(text string) []Property { return []Property{{Path: path, Value: text}} }
	switch at, isTime := v.Interface().(time.Time); {
	case isTime:
		return leaf(at.UTC().Format(time.RFC3339))
	case v.Kind() == reflect.Pointer && v.IsNil():
		return nil
	case v.Kind() == reflect.Pointer:
		return properties(v.Elem(), path)
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			all = append(all, properties(v.Index(i), path+"["+strconv.Itoa(i)+"]")...)
		}
		return all
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			switch {
			case !field.IsExported() || field.Name == "Tags":
			case field.Anonymous:
				all = append(all, properties(v.Field(i), path)...)
			default:
				all = append(all, properties(v.Field(i), strings.TrimPrefix(path+"."+field.Name, "."))...)
			}
		}
		return all
	case v.Kind() == reflect.String && v.String() == "":
		return nil
	}
	return leaf(fmt.Sprint(v.Interface()))
}

// tags lists the tags of a value, sorted.
func tags(v reflect.Value) (all []Property) {
	field := v.FieldByName("Tags")
	if !field.IsValid() || field.Kind() != reflect.Slice {
		return nil
	}
	for i := range field.Len() {
		key, _ := field.Index(i).FieldByName("Key").Interface().(*string)
		value, _ := field.Index(i).FieldByName("Value").Interface().(*string)
		all = append(all, Property{Path: aws.ToString(key), Value: aws.ToString(value)})
	}
	slices.SortFunc(all, func(a, b Property) int { return strings.Compare(a.Path, b.Path) })
	return all
}

func (c *Console) resourcePage(r *http.Request) (View, error) {
	all, err := c.inventory(r)
	if err != nil {
		return View{}, err
	}
	id := r.FormValue("id")
	kinds, values := ids(all)
	value, ok := values[id]
	if !ok || id == "" {
		return View{}, ErrNotFound
	}
	data := resourceData{ID: id, Kind: kinds[id], Properties: properties(value, ""), Tags: tags(value)}
	for i := range data.Properties {
		p := &data.Properties[i]
		_, known := kinds[p.Value]
		p.Link = known && p.Value != id
	}
	data.Name = cmp.Or(data.tag("Name"), id)
	data.Allowed = newFirewall(all).allowedBy(id)
	var sections []Section
	if data.Kind == "Machine" {
		if sections, err = c.machineSections(r, &data); err != nil {
			return View{}, err
		}
	}
	return View{
		Title:    data.Kind + " " + data.Name,
		Sections: append(sections, Section{ID: "resource", Template: "resource.html", Data: data}),
	}, nil
}
