//go:build linux

package release

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// tagged lists what carries a tag in all services: "instance instance subnet …".
func tagged(t *testing.T, s *simulation.Application, key, value string) string {
	t.Helper()
	client := s.Client(t, nil)
	list := simulation.Must(client.EC2.DescribeTags(t.Context(), &ec2.DescribeTagsInput{
		Filters: []types.Filter{awsapi.Filter("key", key), awsapi.Filter("value", value)},
	}))(t)
	var all []string
	for _, tag := range list.Tags {
		if i, ok := store.Instances.Get(s.Store.View(), *tag.ResourceId); !ok || i.State != store.Terminated {
			all = append(all, string(tag.ResourceType))
		}
	}
	has := func(what string, tags map[string]string) {
		if v, ok := tags[key]; ok && v == value {
			all = append(all, what)
		}
	}
	view := s.Store.View()
	for _, g := range store.TargetGroups.List(view) {
		has("target-group", g.Tags)
	}
	for _, l := range store.LoadBalancers.List(view) {
		has("load-balancer", l.Tags)
		listeners := simulation.Must(client.ELB.DescribeListeners(t.Context(), &elb.DescribeListenersInput{
			LoadBalancerArn: aws.String(l.ARN),
		}))(t)
		for _, listener := range listeners.Listeners {
			tags := simulation.Must(client.ELB.DescribeTags(t.Context(), &elb.DescribeTagsInput{
				ResourceArns: []string{*listener.ListenerArn},
			}))(t)
			of := map[string]string{}
			for _, tag := range tags.TagDescriptions[0].Tags {
				of[*tag.Key] = *tag.Value
			}
			has("listener", of)
		}
	}
	name := aws.String("aloft-tutorial-" + simulation.Region)
	role := simulation.Must(client.IAM.GetRole(t.Context(), &iam.GetRoleInput{RoleName: name}))(t)
	profile := simulation.Must(client.IAM.GetInstanceProfile(t.Context(), &iam.GetInstanceProfileInput{
		InstanceProfileName: name,
	}))(t)
	of := map[string]string{}
	for _, tag := range role.Role.Tags {
		of[*tag.Key] = *tag.Value
	}
	has("role", of)
	of = map[string]string{}
	for _, tag := range profile.InstanceProfile.Tags {
		of[*tag.Key] = *tag.Value
	}
	has("instance-profile", of)
	parameter := simulation.Must(client.SSM.ListTagsForResource(t.Context(), &ssm.ListTagsForResourceInput{
		ResourceType: ssmtypes.ResourceTypeForTaggingParameter,
		ResourceId:   aws.String("/aloft/tutorial/env/variables"),
	}))(t)
	of = map[string]string{}
	for _, tag := range parameter.TagList {
		of[*tag.Key] = *tag.Value
	}
	has("parameter", of)
	slices.Sort(all)
	return strings.Join(all, " ")
}

// What carries the tags of a deployment of three servers, and of an Auto Scaling group of
// three.
const (
	everythingOfServers = "image instance instance instance instance-profile internet-gateway key-pair listener " +
		"load-balancer network-interface network-interface network-interface parameter role route-table " +
		"security-group security-group security-group snapshot subnet subnet subnet target-group " +
		"volume volume volume vpc"
	everythingOfAGroup = "image instance instance instance instance-profile internet-gateway key-pair " +
		"launch-template listener load-balancer network-interface network-interface network-interface parameter " +
		"role route-table security-group security-group security-group snapshot subnet subnet subnet target-group " +
		"volume volume volume vpc"
)

func TestTagsOfTheSpecAreOnEverythingAndChangeInPlace(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(*spec.Spec)
		all  string
	}{
		"servers": {func(*spec.Spec) {}, everythingOfServers},
		"a group": {func(s *spec.Spec) { s.Scaling = simulation.ScalingTutorial(t).Scaling }, everythingOfAGroup},
	} {
		t.Run(name, func(t *testing.T) {
			app := environedApplication(t, test.edit, func(s *spec.Spec) {
				s.Tags = map[string]string{"team": "a", "cost centre": "4711"}
			})
			expect(t, "with the tag", tagged(t, app, "team", "a"), test.all)
			servers := serverIDs(app)

			// Somebody else tags a server and changes one of the spec's tags.
			client := app.Client(t, nil)
			simulation.Must(client.EC2.CreateTags(t.Context(), &ec2.CreateTagsInput{
				Resources: servers[:1], Tags: []types.Tag{
					{Key: aws.String("owner"), Value: aws.String("somebody")},
					{Key: aws.String("team"), Value: aws.String("z")},
				},
			}))(t)
			app.Spec.Tags = map[string]string{"team": "b"}
			d := app.Deployment(t, &simulation.Builder{ReleaseName: "r1"})
			p := simulation.Must(d.Plan(t.Context()))(t)
			simulation.Contains(t, p.String(), "tags: cost centre=4711, team=a → team=b")
			app.Release(t, "r1")
			simulation.PlanIsEmpty(t, d)
			expect(t, "with the changed tag", tagged(t, app, "team", "b"), test.all)
			expect(t, "with the removed tag", tagged(t, app, "cost centre", "4711"), "")
			expect(t, "with the tag of others", tagged(t, app, "owner", "somebody"), "instance")
			expect(t, "servers", strings.Join(serverIDs(app), " "), strings.Join(servers, " "))
			if got := releases(t, app); strings.Contains(got, ";") {
				t.Errorf("tags alone made a release: %s", got)
			}

			app.Spec.Tags = nil
			app.Release(t, "r1")
			simulation.PlanIsEmpty(t, d)
			for key, value := range map[string]string{"team": "b", "aloft:tags": ""} {
				expect(t, "without tags", tagged(t, app, key, value), "")
			}
			expect(t, "with the tag of others", tagged(t, app, "owner", "somebody"), "instance")
		})
	}
}

// serverIDs returns the ids of the instances, sorted.
func serverIDs(s *simulation.Application) []string {
	ids := map[string]bool{}
	for _, i := range store.Instances.List(s.Store.View()) {
		if i.State != store.Terminated {
			ids[i.ID] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}
