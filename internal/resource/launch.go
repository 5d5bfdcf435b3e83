package resource

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/event"
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

// launchOption is one way to launch an instance.
type launchOption struct {
	instanceType string
	place        stack.Place
}

func (o launchOption) pool() pool { return pool{o.place.Zone, o.instanceType} }

// String returns the option as people read it: "t3.micro in us-east-1a".
func (o launchOption) String() string { return o.instanceType + " in " + o.place.Zone }

// options returns the ways to launch an instance, in order of preference: all types in
// its own zone come before another zone.
func (l launch) options() []launchOption {
	var all []launchOption
	for _, place := range l.body.Places {
		for _, t := range l.body.Types {
			all = append(all, launchOption{t, place})
		}
	}
	return all
}

// clientToken identifies the launch by everything that matters about the instance,
// so that a launch whose response was lost is not repeated. AWS refuses a token that
// was used with other parameters, so each option has its own. generation
// distinguishes launches that are otherwise equal.
func (p *Provisioner) clientToken(l launch, o launchOption, generation int) *string {
	text := strings.Join([]string{
		p.App,
		l.resource.Address,
		l.image,
		o.instanceType,
		*p.id(o.place.Subnet),
		strings.Join(p.ids(l.body.Groups), ","),
		l.release.key,
		l.release.value,
		fmt.Sprint(generation),
	}, "\n")
	if l.body.KeyName == "" {
		text += "\n" + stack.NoKeyPair
	}
	if profile, env := p.profile(l.body.Identity), p.environment(l.body.Identity); profile != "" || env != "" {
		text += "\n" + profile + "\n" + env
	}
	if own := stack.TagTexts(l.resource.Tags); len(own) > 0 {
		text += "\n" + strings.Join(own, "\n")
	}
	sum := sha256.Sum256([]byte(text))
	return aws.String(hex.EncodeToString(sum[:]))
}

// userData returns the user data of an instance, a shell script, or nil. It names the
// deployment of a stage. A builder without a key pair accepts keys that are pushed, and so do
// all machines of the image that is made of it.
func (l launch) userData() *string {
	script := l.body.UserData
	if l.body.Builder && l.body.KeyName == "" {
		script += stack.PushedKeysScript
	}
	if script == "" {
		return nil
	}
	return encodedUserData(script)
}

// optional returns nil for an empty text.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// launch launches one instance and returns its id. It takes the first option for which
// AWS has capacity, and reports if that is not the preferred one.
func (p *Provisioner) launch(ctx context.Context, l launch, old []plan.Found) (string, error) {
	options := l.options()
	var refused refusals
	room := cmp.Or(p.Room, &Room{})
	for _, o := range room.order(options, time.Now()) {
		if refused.subnetFull(o) {
			continue
		}
		id, err := p.launchAs(ctx, l, o, old)
		switch {
		case err == nil:
			if o != options[0] {
				p.Events(event.Event{
					Time: time.Now(), Kind: event.Note, Address: l.resource.Address,
					Message: fmt.Sprintf("is launched as %s, because there is no room for %s", o, options[0]),
				})
			}
			return id, nil
		case !lacksRoom(err):
			return "", launchProblem(l, err)
		}
		refused = append(refused, refusal{o, err})
		p.progress(l.resource.Address, "%s", refused[len(refused)-1])
		if !awsapi.IsSubnetFull(err) {
			room.refuse(o.pool(), time.Now())
		}
	}
	return "", refused.problem(l)
}

// launchAs launches one instance as an option and returns its id. If a client token
// stands for an instance that is terminated or among old, the next generation is
// launched.
func (p *Provisioner) launchAs(ctx context.Context, l launch, o launchOption, old []plan.Found) (string, error) {
	replaced := map[string]bool{}
	for _, f := range old {
		replaced[f.ID] = true
	}
	for generation := 0; ; generation++ {
		instance, err := p.runInstance(ctx, l, o, p.clientToken(l, o, generation))
		if err != nil {
			return "", err
		}
		id := aws.ToString(instance.InstanceId)
		dead := instance.State != nil && (instance.State.Name == types.InstanceStateNameTerminated ||
			instance.State.Name == types.InstanceStateNameShuttingDown)
		if !replaced[id] && !dead && !p.isTerminated(ctx, id) {
			return id, nil
		}
	}
}

func (p *Provisioner) runInstance(
	ctx context.Context,
	l launch,
	o launchOption,
	token *string,
) (types.Instance, error) {
	var instance types.Instance
	err := retryEventual(ctx, "launch "+l.resource.Address, func(ctx context.Context) error {
		in := &ec2.RunInstancesInput{
			ImageId:      &l.image,
			InstanceType: types.InstanceType(o.instanceType),
			KeyName:      optional(l.body.KeyName),
			UserData:     l.userData(),
			// The launch says itself whether it wants a public address: the subnet's attribute may not be
			// known everywhere yet, and somebody may have changed it.
			NetworkInterfaces: []types.InstanceNetworkInterfaceSpecification{{
				DeviceIndex: aws.Int32(0), SubnetId: p.id(o.place.Subnet), Groups: p.ids(l.body.Groups),
				AssociatePublicIpAddress: aws.Bool(!l.body.Private), DeleteOnTermination: aws.Bool(true),
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
		}
		if own := userTags(l.resource.Tags); len(own) > 0 {
			in.TagSpecifications = append(
				in.TagSpecifications, tagSpecifications(own, types.ResourceTypeNetworkInterface)...)
		}
		if profile := p.profile(l.body.Identity); profile != "" {
			in.IamInstanceProfile = &types.IamInstanceProfileSpecification{Name: &profile}
		}
		out, err := p.EC2.RunInstances(ctx, in)
		if err == nil {
			instance = out.Instances[0]
		}
		return err
	})
	return instance, err
}

// encodedUserData returns user data as EC2 wants it (Amazon EC2 API Reference,
// RunInstances).
func encodedUserData(text string) *string {
	return aws.String(base64.StdEncoding.EncodeToString([]byte(text)))
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
