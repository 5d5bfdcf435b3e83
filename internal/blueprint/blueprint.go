// Package blueprint reads a deployment that stands from AWS, with everything that code of
// another tool needs to describe it. It reads neither secrets nor values of variables.
package blueprint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Source is a deployment to read.
type Source struct {
	App, Region string
	Client      *awsapi.Client
	Found       []plan.Found // its resources
}

// Item is a resource of the deployment. Items of a kind are sorted by their addresses.
type Item[T any] struct {
	plan.Found
	AWS  T                 // as AWS describes it
	Tags map[string]string // all, AWS's own as well
}

// Blueprint is a deployment that stands. What is broken and what only serves a release that is
// being rolled out is not in it.
type Blueprint struct {
	App, Region, Account string // Account is "" if nothing that stands tells it

	Inputs      []Input           // what existed before the application
	SubnetNames map[string]string // by their ids

	VPCs             []Item[ec2types.Vpc]
	Subnets          []Item[ec2types.Subnet]
	InternetGateways []Item[ec2types.InternetGateway]
	ElasticIPs       []Item[ec2types.Address]
	NATGateways      []Item[ec2types.NatGateway]
	RouteTables      []Item[ec2types.RouteTable]

	SecurityGroups   []Item[ec2types.SecurityGroup]
	KeyPairs         []Item[ec2types.KeyPairInfo]
	ConnectEndpoints []Item[ec2types.Ec2InstanceConnectEndpoint]

	Roles        []Role
	Profiles     []Item[iamtypes.InstanceProfile]
	Environments []Item[struct{}]
	LogGroups    []Item[logstypes.LogGroup]
	Images       []plan.Found

	TargetGroups  []Item[elbtypes.TargetGroup]
	Buckets       []Bucket
	LoadBalancers []Item[elbtypes.LoadBalancer]
	Certificates  []Item[acmtypes.CertificateDetail]
	Listeners     []Listener
	Records       []plan.Found

	Servers []Item[ec2types.Instance]
	Targets []Target

	LaunchTemplates []LaunchTemplate
	ScalingGroups   []ScalingGroup

	Topics []Topic
	Alarms []Item[cwtypes.MetricAlarm]
}

// Input is something that the deployment uses and that is not the application's.
type Input struct {
	Name string // "vpc", "public_subnet_1"
	What string
	ID   string
}

// kinds are the kinds of resources that Read reads, or that belong to one of them.
var kinds = []stack.Kind{
	stack.KindVPC, stack.KindSubnet, stack.KindInternetGateway, stack.KindElasticIP, stack.KindNatGateway,
	stack.KindRouteTable, stack.KindSecurityGroup, stack.KindKeyPair, stack.KindConnectEndpoint,
	stack.KindEnvironment, stack.KindLogGroup, stack.KindRole, stack.KindInstanceProfile, stack.KindServer,
	stack.KindImage, stack.KindTargetGroup, stack.KindBucket, stack.KindLoadBalancer, stack.KindCertificate,
	stack.KindListener, stack.KindRecord, stack.KindTarget, stack.KindLaunchTemplate, stack.KindScalingGroup,
	stack.KindScalingPolicy, stack.KindSchedule, stack.KindMember, stack.KindTopic, stack.KindAlarm,
}

// Unsupported returns the addresses of the found resources that Read cannot read: code without
// them would not be the application. It is empty unless a kind is new.
func Unsupported(found []plan.Found) []string {
	var all []string
	for _, f := range found {
		if !slices.Contains(kinds, f.Kind) {
			all = append(all, f.Address)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Read reads a deployment. Its errors name the call that failed.
func Read(ctx context.Context, s Source) (*Blueprint, error) {
	r := &reader{source: s, Blueprint: Blueprint{
		App: s.App, Region: s.Region, Account: account(s.Found), SubnetNames: map[string]string{},
	}}
	if len(s.kind(stack.KindVPC)) == 0 {
		r.existingNetwork()
	}
	for _, step := range []func(context.Context) error{
		r.vpcs, r.subnets, r.gateways, r.natGateways, r.routeTables, r.securityGroups, r.keyPairs, r.connectEndpoints,
		r.identity, r.environments, r.logGroups, r.balancing, r.buckets, r.certificates, r.listeners, r.servers,
		r.scaling, r.topics, r.alarms,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	r.Images, r.Records = s.kind(stack.KindImage), s.kind(stack.KindRecord)
	return &r.Blueprint, nil
}

// reader is a blueprint that is being read.
type reader struct {
	source Source
	Blueprint
}

// account returns the account of found resources.
func account(found []plan.Found) string {
	for _, f := range found {
		if parts := strings.Split(f.ID, ":"); len(parts) > 5 && parts[0] == "arn" && parts[4] != "" {
			return parts[4]
		}
	}
	return ""
}

// kind returns the found resources of a kind, by their addresses.
func (s Source) kind(k stack.Kind) []plan.Found {
	var all []plan.Found
	for _, f := range s.Found {
		if f.Kind == k && f.Broken == "" {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b plan.Found) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// each reads all found resources of a kind.
func each[T any](
	r *reader, kind stack.Kind, read func(f plan.Found) (T, map[string]string, error),
) ([]Item[T], error) {
	var all []Item[T]
	for _, f := range r.source.kind(kind) {
		described, tags, err := read(f)
		if err != nil {
			return nil, reading(f.Label(), err)
		}
		all = append(all, Item[T]{f, described, tags})
	}
	return all, nil
}

// errGone says that what was found was deleted meanwhile.
var errGone = errors.New("it was deleted meanwhile")

// only returns a function that takes what a call returned, and returns the only resource in it.
func only[O, T any](list func(*O) []T) func(*O, error) (T, error) {
	return func(out *O, err error) (T, error) {
		var none T
		if err != nil {
			return none, err
		}
		if all := list(out); len(all) > 0 {
			return all[0], nil
		}
		return none, errGone
	}
}

// tagsOf returns tags as a map.
func tagsOf[T any](tags []T, pair func(T) (key, value *string)) map[string]string {
	all := map[string]string{}
	for _, t := range tags {
		if key, value := pair(t); key != nil && value != nil {
			all[*key] = *value
		}
	}
	return all
}

func reading(what string, err error) error {
	return fmt.Errorf("read %s to export it: %w", what, err)
}

// KeyTags returns the keys of the tags in which Aloft keeps what identifies the machines and
// the key pair of an application. Elsewhere they have other values, and every release changes
// them.
func KeyTags() []string { return []string{stack.TagFingerprint, stack.TagHostKey} }
