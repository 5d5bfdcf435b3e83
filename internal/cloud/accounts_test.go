//go:build linux

package cloud

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Two accounts, the name of all that the first has, and a text that is in its tags.
const (
	theirAccount = "111122223333"
	otherAccount = "444455556666"
	theirName    = "theirs"
	secretText   = "planted"
)

var theirBlock = netip.MustParsePrefix("10.7.0.0/16")

// planting puts a row of an account into each table.
type planting struct {
	tx     *store.Tx
	keys   []string                    // what requests can name the rows by
	tables []func(store.Reader) string // each returns the rows of a table as JSON
}

// plant puts a row into a table, whose ID or ARN is key. All other texts of the row are their
// name, and it is in a region of their account.
func plant[T any](p *planting, table store.Table[T], key string) {
	row := new(T)
	fillRow(reflect.ValueOf(row).Elem(), key)
	table.Put(p.tx, row)
	p.keys = append(p.keys, key)
	p.tables = append(p.tables, func(r store.Reader) string {
		var theirs []*T
		for _, row := range table.List(r) {
			text := fmt.Sprintf("%+v", *row)
			if strings.Contains(text, theirName) && !strings.Contains(text, otherAccount) {
				theirs = append(theirs, row)
			}
		}
		text, _ := json.Marshal(theirs)
		return string(text)
	})
}

// fillRow sets the fields of a row.
func fillRow(v reflect.Value, key string) {
	for i := range v.NumField() {
		field, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case field.Type() == reflect.TypeFor[identity.Region]():
			field.SetString(string(identity.RegionOf(theirAccount, homeRegion)))
		case field.Kind() == reflect.String && (name == "ID" || name == "ARN"):
			field.SetString(key)
		case field.Kind() == reflect.String && name == "Path":
			field.SetString("/")
		case field.Kind() == reflect.String && (name == "Account" || name == "Owner"):
			field.SetString(theirAccount)
		case field.Kind() == reflect.String:
			field.SetString(theirName)
		case field.Type() == reflect.TypeFor[netip.Prefix]():
			field.Set(reflect.ValueOf(theirBlock))
		case field.Type() == reflect.TypeFor[[]netip.Prefix]():
			field.Set(reflect.ValueOf([]netip.Prefix{theirBlock}))
		case field.Type() == reflect.TypeFor[store.Tags]():
			field.Set(reflect.ValueOf(store.Tags{secretText: secretText}))
		case field.Kind() == reflect.Struct && field.Type().PkgPath() == reflect.TypeFor[store.VPC]().PkgPath():
			fillRow(field, key)
		}
	}
}

// plantEverywhere plants a row in each table that requests can name rows of.
func plantEverywhere(p *planting) {
	id := func(prefix string) string { return fmt.Sprintf("%s0123456789abcde%02x", prefix, len(p.keys)) }
	arn := func(service, resource string) string {
		return identity.ARN(service, identity.RegionOf(theirAccount, homeRegion), resource)
	}
	global := func(resource string) string {
		return identity.ARN("iam", identity.RegionOf(theirAccount, ""), resource+theirName)
	}
	plant(p, store.VPCs, id("vpc-"))
	plant(p, store.DHCPOptionSets, id("dopt-"))
	plant(p, store.Subnets, id("subnet-"))
	plant(p, store.InternetGateways, id("igw-"))
	plant(p, store.RouteTables, id("rtb-"))
	plant(p, store.NetworkACLs, id("acl-"))
	plant(p, store.SecurityGroups, id("sg-"))
	plant(p, store.NetworkInterfaces, id("eni-"))
	plant(p, store.ElasticIPs, id("eipalloc-"))
	plant(p, store.NatGateways, id("nat-"))
	plant(p, store.KeyPairs, id("key-"))
	plant(p, store.Instances, id("i-"))
	plant(p, store.Images, id("ami-"))
	plant(p, store.Snapshots, id("snap-"))
	plant(p, store.Volumes, id("vol-"))
	plant(p, store.LaunchTemplates, id("lt-"))
	plant(p, store.InstanceConnectEndpoints, id("eice-"))
	plant(p, store.PrefixLists, id("pl-"))
	plant(p, store.PeeringConnections, id("pcx-"))
	plant(p, store.VPCEndpoints, id("vpce-"))
	plant(p, store.LoadBalancers, arn("elasticloadbalancing", "loadbalancer/app/"+theirName+"/0123456789abcdef"))
	plant(p, store.TargetGroups, arn("elasticloadbalancing", "targetgroup/"+theirName+"/0123456789abcdef"))
	plant(p, store.Listeners, arn("elasticloadbalancing",
		"listener/app/"+theirName+"/0123456789abcdef/0123456789abcdef"))
	plant(p, store.Rules, arn("elasticloadbalancing",
		"listener-rule/app/"+theirName+"/0123456789abcdef/0123456789abcdef/0123456789abcdef"))
	plant(p, store.Certificates, arn("acm", "certificate/01234567-89ab-4def-8123-456789abcdef"))
	plant(p, store.Parameters, theirName)
	plant(p, store.ScalingGroups, arn("autoscaling", "autoScalingGroup:0:autoScalingGroupName/"+theirName))
	plant(p, store.ScalingPolicies, arn("autoscaling", "scalingPolicy:0:autoScalingGroupName/"+theirName))
	plant(p, store.ScheduledActions, arn("autoscaling", "scheduledUpdateGroupAction:0:autoScalingGroupName/"+theirName))
	plant(p, store.LifecycleHooks, theirName)
	plant(p, store.ScalingActivities, "01234567-89ab-4def-8123-456789abcdea")
	plant(p, store.InstanceRefreshes, "01234567-89ab-4def-8123-456789abcdeb")
	plant(p, store.EgressOnlyGateways, id("eigw-"))
	plant(p, store.ScalingNotifications, theirName)
	plant(p, store.WarmPools, theirName)
	plant(p, store.PlacementGroups, id("pg-"))
	plant(p, store.Fleets, "fleet-01234567-89ab-4def-8123-456789abcdef")
	plant(p, store.AccountSettings, theirName)
	plant(p, store.LaunchConfigurations, arn("autoscaling", "launchConfiguration:0:launchConfigurationName/"+theirName))
	plant(p, store.Alarms, arn("cloudwatch", "alarm:"+theirName))
	plant(p, store.AlarmHistories, theirName)
	plant(p, store.Roles, global("role/"))
	plant(p, store.InstanceProfiles, global("instance-profile/"))
	plant(p, store.Policies, global("policy/"))
	plant(p, store.Users, global("user/"))
	plant(p, store.Groups, global("group/"))
	plant(p, store.AccessKeys, "AKIAALOFTPLANTED2345")
	plant(p, store.AccountIdentities, theirName)
	plant(p, store.Secrets, arn("secretsmanager", "secret:"+theirName+"-abcdef"))
	plant(p, store.HostedZones, "Z0123456789ABCDEFGHIJ")
	plant(p, store.RecordChanges, "C0123456789ABCDEFGHIJ")
	plant(p, store.Topics, arn("sns", theirName))
	plant(p, store.Subscriptions, arn("sns", theirName+":01234567-89ab-4def-8123-456789abcdef"))
	plant(p, store.LogGroups, arn("logs", "log-group:"+theirName))
	plant(p, store.LogStreams, arn("logs", "log-group:"+theirName+":log-stream:"+theirName))
	plant(p, store.Commands, "01234567-89ab-4def-8123-456789abcdec")
	plant(p, store.CommandInvocations, "01234567-89ab-4def-8123-456789abcded")
	plant(p, store.ManagedInstances, id("mi-"))
	plant(p, store.Buckets, theirName)
	plant(p, store.Objects, theirName)
	plant(p, store.Uploads, theirName)
}

// naming are the ends of the names of parameters that name resources.
var naming = []string{"Id", "Ids", "Arn", "Arns", "Name", "Names", "ResourceName", "Resources", "Bucket", "Key"}

// nameAll sets all parameters of an input that name resources; "" leaves them out.
func nameAll(input reflect.Value, name string) {
	for i := range input.NumField() {
		field := input.Field(i)
		title := input.Type().Field(i).Name
		if name == "" || !slices.ContainsFunc(naming, func(end string) bool { return strings.HasSuffix(title, end) }) {
			continue
		}
		switch field.Type() {
		case reflect.TypeFor[*string]():
			field.Set(reflect.ValueOf(&name))
		case reflect.TypeFor[[]string]():
			field.Set(reflect.ValueOf([]string{name}))
		}
	}
}

// everyAnswer calls every operation of the APIs for an account, with each of the names, and
// passes what it answers as JSON.
func everyAnswer(
	t *testing.T, services []wire.Service, account string, names []string, see func(operation, answer string),
) {
	ctx := wire.WithCaller(t.Context(), wire.Caller{Region: identity.RegionOf(account, homeRegion)})
	for _, service := range services {
		api := reflect.ValueOf(service.API)
		for i := range api.NumMethod() {
			call, operation := api.Method(i), api.Type().Method(i).Name
			if operation == "CreateKeyPair" || // it takes time
				operation == "GetAccessKeyInfo" || // it says whose a key is, to everybody, as on AWS
				call.Type().NumIn() != 2 ||
				!strings.HasSuffix(call.Type().In(1).String(), operation+"Input") {
				continue
			}
			lists := strings.HasPrefix(operation, "Describe") || strings.HasPrefix(operation, "List")
			for _, name := range names {
				if name == "" && !lists {
					continue // others need a name
				}
				in := reflect.New(call.Type().In(1).Elem())
				nameAll(in.Elem(), name)
				out := call.Call([]reflect.Value{reflect.ValueOf(ctx), in})
				if out[1].IsNil() {
					answer, err := json.Marshal(out[0].Interface())
					if err != nil {
						t.Fatalf("%s: %v", operation, err)
					}
					see(service.Name+":"+operation, string(answer))
				}
			}
		}
	}
}

func TestAnAccountNeitherSeesNorChangesWhatAnotherHas(t *testing.T) {
	d := openAPIs(t)
	config, err := d.apis()
	if err != nil {
		t.Fatal(err)
	}
	p := &planting{}
	if err := d.store.Update(func(tx *store.Tx) error {
		p.tx = tx
		plantEverywhere(p)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	theirs := func() (all []string) {
		for _, rows := range p.tables {
			all = append(all, rows(d.store.View()))
		}
		return all
	}
	names := append([]string{""}, p.keys...)
	known := strings.NewReplacer(strings.Split(strings.Join(p.keys, "  ")+" ", " ")...) // what the requests tell
	shows := map[string]bool{}
	everyAnswer(t, config.Services, theirAccount, []string{""}, func(operation, answer string) {
		if strings.Contains(answer, secretText) || strings.Contains(answer, theirAccount) {
			shows[operation] = true
		}
	})
	if len(shows) < 36 {
		t.Errorf("only %d operations show an account what it has: %v", len(shows), slices.Sorted(maps.Keys(shows)))
	}
	before := theirs()
	everyAnswer(t, config.Services, otherAccount, names, func(operation, answer string) {
		answer = known.Replace(answer)
		if strings.Contains(answer, secretText) || strings.Contains(answer, theirAccount) {
			t.Errorf("%s shows what another account has: %.300s", operation, answer)
		}
	})
	for i, rows := range theirs() {
		if rows != before[i] {
			t.Errorf("another account changed %.300s into %.300s", before[i], rows)
		}
	}
}
