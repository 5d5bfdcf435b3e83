package resource

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// launch describes an instance that is launched.
type launch struct {
	resource stack.Resource
	body     stack.Server
	image    string
	release  tag // that it runs or builds
	tags     []tag
}

// clientToken identifies the launch by everything that matters about the instance,
// so that a launch whose response was lost is not repeated. generation
// distinguishes launches that are otherwise equal.
func (p *Provisioner) clientToken(l launch, generation int) *string {
	text := strings.Join([]string{
		p.App,
		l.resource.Address,
		l.image,
		l.body.Type,
		*p.id(l.body.Subnet),
		strings.Join(p.ids(l.body.Groups), ","),
		l.release.key,
		l.release.value,
		fmt.Sprint(generation),
	}, "\n")
	sum := sha256.Sum256([]byte(text))
	return aws.String(hex.EncodeToString(sum[:]))
}

// launch launches one instance and returns its id. If a client token stands for an
// instance that is terminated or among old, the next generation is launched.
func (p *Provisioner) launch(ctx context.Context, l launch, old []plan.Found) (string, error) {
	replaced := map[string]bool{}
	for _, f := range old {
		replaced[f.ID] = true
	}
	for generation := 0; ; generation++ {
		instance, err := p.runInstance(ctx, l, p.clientToken(l, generation))
		if err != nil {
			return "", launchProblem(l, err)
		}
		id := aws.ToString(instance.InstanceId)
		dead := instance.State != nil && (instance.State.Name == types.InstanceStateNameTerminated ||
			instance.State.Name == types.InstanceStateNameShuttingDown)
		if !replaced[id] && !dead && !p.isTerminated(ctx, id) {
			return id, nil
		}
	}
}

func (p *Provisioner) runInstance(ctx context.Context, l launch, token *string) (types.Instance, error) {
	var instance types.Instance
	err := retryEventual(ctx, "launch "+l.resource.Address, func(ctx context.Context) error {
		out, err := p.EC2.RunInstances(ctx, &ec2.RunInstancesInput{
			ImageId:      &l.image,
			InstanceType: types.InstanceType(l.body.Type),
			KeyName:      &l.body.KeyName,
			// The launch asks for a public address itself: the subnet's attribute may not be
			// known everywhere yet, and somebody may have changed it.
			NetworkInterfaces: []types.InstanceNetworkInterfaceSpecification{{
				DeviceIndex: aws.Int32(0), SubnetId: p.id(l.body.Subnet), Groups: p.ids(l.body.Groups),
				AssociatePublicIpAddress: aws.Bool(true), DeleteOnTermination: aws.Bool(true),
			}},
			MinCount:    aws.Int32(1),
			MaxCount:    aws.Int32(1),
			ClientToken: token,
			MetadataOptions: &types.InstanceMetadataOptionsRequest{
				HttpTokens:   types.HttpTokensStateRequired,
				HttpEndpoint: types.InstanceMetadataEndpointStateEnabled,
			},
			TagSpecifications: tagSpecifications(
				p.tags(l.resource, l.tags...), types.ResourceTypeInstance, types.ResourceTypeVolume,
			),
		})
		if err == nil {
			instance = out.Instances[0]
		}
		return err
	})
	return instance, err
}

// isTerminated reports whether an instance is certainly terminated.
func (p *Provisioner) isTerminated(ctx context.Context, id string) bool {
	list, err := p.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{
		Filters: []types.Filter{
			awsapi.Filter("instance-id", id),
			awsapi.Filter("instance-state-name", "shutting-down", "terminated"),
		},
	})
	return err == nil && len(list.Reservations) > 0
}

// launchProblem explains a launch that failed for lack of capacity or quota.
func launchProblem(l launch, err error) error {
	d := &diag.Diagnostic{Where: l.resource.Address, Cause: err, Detail: awsapi.Message(err)}
	switch {
	case awsapi.IsCapacity(err):
		d.Summary = fmt.Sprintf("zone %s has no capacity for %s now", l.body.Zone, l.body.Type)
		d.Hint = "run aloft up again later, choose another machines.type, or other zones in network.subnets"
	case awsapi.IsQuota(err):
		d.Summary = "the account's quota of instances is exhausted"
		d.Hint = "request more under Service Quotas, EC2, or use fewer servers"
	default:
		return err
	}
	return d
}
