package resource

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const (
	startLimit = 10 * time.Minute
	// tagServed marks a machine that has been healthy behind the load balancer:
	// when it is unhealthy later, it is broken and not still starting.
	tagServed = "aloft:served"
	// tagProven marks a candidate on which the application was proven.
	tagProven = "aloft:proven"
	// youth is how long a machine that has never been healthy may take.
	youth = 5 * time.Minute
)

// alive are the states of machines that are, or can be made, of use.
var alive = []string{"pending", "running", "stopping", "stopped"}

func (c *Cloud) servers(ctx context.Context) ([]plan.Found, error) {
	all, err := collect(
		ctx,
		ec2.NewDescribeInstancesPaginator(
			c.EC2,
			&ec2.DescribeInstancesInput{Filters: append(c.ours(), filter("instance-state-name", alive...))},
		),
		func(page *ec2.DescribeInstancesOutput) []types.Instance {
			var instances []types.Instance
			for _, r := range page.Reservations {
				instances = append(instances, r.Instances...)
			}
			return instances
		},
		describeServer,
	)
	if err != nil {
		return nil, fmt.Errorf("list instances: %w", err)
	}
	return all, nil
}

func describeServer(i types.Instance) plan.Found {
	f := found(stack.KindServer, i.InstanceId, i.Tags)
	f.Name = f.Address
	f.Created = aws.ToTime(i.LaunchTime).UTC().Format(time.RFC3339)
	f.Set("subnet", aws.ToString(i.SubnetId))
	f.Set("type", string(i.InstanceType))
	f.Set("key pair", aws.ToString(i.KeyName))
	var groups []string
	for _, g := range i.SecurityGroups {
		groups = append(groups, aws.ToString(g.GroupId))
	}
	f.Set("security groups", groups...)
	release, built := tag(i.Tags, stack.TagRelease), "yes"
	if release == "" {
		release, built = tag(i.Tags, stack.TagBuilds), "no"
	}
	f.Set("release", release)
	f.Set("built", built)
	f.Set("proven", cmp.Or(tag(i.Tags, tagProven), "no"))
	state := ""
	if i.State != nil {
		state = string(i.State.Name)
	}
	f.Set("state", state)
	f.Status["private ip"], f.Status["public ip"] = aws.ToString(i.PrivateIpAddress), aws.ToString(i.PublicIpAddress)
	f.Status["image"], f.Status["served"] = aws.ToString(i.ImageId), tag(i.Tags, tagServed)
	f.Status["group"] = tag(i.Tags, tagGroup)
	if i.Placement != nil {
		f.Status["zone"] = aws.ToString(i.Placement.AvailabilityZone)
	}
	return f
}

// createServer launches a machine from the release's image; the builder, when
// there is no such image, from the base image.
func (s *Site) createServer(
	ctx context.Context,
	r stack.Resource,
	body stack.Server,
	old []plan.Found,
) (plan.Found, error) {
	mark := pair{stack.TagRelease, body.Release}
	var from string
	if image, ok := s.At(stack.AddressImage); ok {
		from = image.ID
		if err := s.imageAvailable(ctx, r.Address, from); err != nil {
			return plan.Found{}, err
		}
	} else {
		from, mark = s.BaseImage.ID, pair{stack.TagBuilds, body.Release}
		if err := s.imageAvailable(ctx, r.Address, from); err != nil {
			return plan.Found{}, err
		}
	}
	id, err := s.launch(ctx, r, body, from, mark, old)
	if err != nil {
		return plan.Found{}, err
	}
	f, err := s.running(ctx, r.Address, id)
	if err == nil && body.Proof {
		err = s.prove(ctx, f)
	}
	return f, err
}

// launch runs one instance. Its client token is made of all that matters about
// it, so that a launch whose answer was lost is not done twice; when the token
// stands for a machine that is dead or to be retired, the next one is tried.
func (s *Site) launch(
	ctx context.Context,
	r stack.Resource,
	body stack.Server,
	image string,
	mark pair,
	old []plan.Found,
) (string, error) {
	spent := map[string]bool{}
	for _, f := range old {
		spent[f.ID] = true
	}
	groups := s.ids(body.Groups)
	for generation := 0; ; generation++ {
		sum := sha256.Sum256(
			[]byte(
				strings.Join(
					[]string{
						s.App,
						r.Address,
						image,
						body.Type,
						*s.id(body.Subnet),
						strings.Join(groups, ","),
						mark.key,
						mark.value,
						fmt.Sprint(generation),
					},
					"\n",
				),
			),
		)
		var made *ec2.RunInstancesOutput
		err := s.soon(ctx, "launch "+r.Address, func(ctx context.Context) error {
			var err error
			made, err = s.EC2.RunInstances(ctx, &ec2.RunInstancesInput{
				ImageId: &image, InstanceType: types.InstanceType(body.Type), KeyName: &body.KeyName, SubnetId: s.id(body.Subnet), SecurityGroupIds: groups,
				MinCount: aws.Int32(1), MaxCount: aws.Int32(1), ClientToken: aws.String(hex.EncodeToString(sum[:])),
				MetadataOptions: &types.InstanceMetadataOptionsRequest{
					HttpTokens:   types.HttpTokensStateRequired,
					HttpEndpoint: types.InstanceMetadataEndpointStateEnabled,
				},
				TagSpecifications: tagged(s.tags(r, mark), types.ResourceTypeInstance, types.ResourceTypeVolume),
			})
			return err
		})
		if err != nil {
			return "", s.launchProblem(r, body, err)
		}
		instance := made.Instances[0]
		id := aws.ToString(instance.InstanceId)
		dead := instance.State != nil &&
			(instance.State.Name == types.InstanceStateNameTerminated || instance.State.Name == types.InstanceStateNameShuttingDown)
		if !spent[id] && !dead && !s.terminated(ctx, id) {
			return id, nil
		}
	}
}

// terminated tells that an instance is dead for certain.
func (s *Site) terminated(ctx context.Context, id string) bool {
	list, err := s.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{
		Filters: []types.Filter{
			filter("instance-id", id),
			filter("instance-state-name", "shutting-down", "terminated"),
		},
	})
	return err == nil && len(list.Reservations) > 0
}

func (s *Site) launchProblem(r stack.Resource, body stack.Server, err error) error {
	d := &diag.Diagnostic{Where: r.Address, Cause: err, Detail: awsapi.Message(err)}
	switch {
	case awsapi.IsCapacity(err):
		d.Summary = fmt.Sprintf("zone %s has no room for a %s now", body.Where, body.Type)
		d.Hint = "run aloft up again later, choose another machines.type, or other zones in network.subnets"
	case awsapi.IsQuota(err):
		d.Summary = "the account's quota of machines is used up"
		d.Hint = "ask AWS for more under Service Quotas, EC2, or ask for fewer machines"
	default:
		return err
	}
	return d
}

// running waits until an instance runs and has its addresses.
func (s *Site) running(ctx context.Context, address, id string) (plan.Found, error) {
	var f plan.Found
	err := awsapi.Wait(ctx, startLimit, "instance "+id+" to run", func(ctx context.Context) (bool, error) {
		list, err := s.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		if awsapi.IsNotFound(err) || err == nil && len(list.Reservations) == 0 {
			return false, nil // just made
		}
		if err != nil {
			return false, fmt.Errorf("look at instance %s: %w", id, err)
		}
		i := list.Reservations[0].Instances[0]
		f = describeServer(i)
		if i.State.Name == types.InstanceStateNameRunning {
			return f.Status["public ip"] != "", nil
		}
		if err := startProblem(address, i); err != nil {
			return false, err
		}
		s.progress(address, "machine %s is %s", id, i.State.Name)
		return false, nil
	})
	return f, err
}

// startProblem tells of a machine that it will not run: it ended, or the cloud
// itself stopped it (Amazon EC2 API Reference, StateReason).
func startProblem(address string, i types.Instance) error {
	why, code := "it gave no reason", ""
	if i.StateReason != nil {
		why, code = aws.ToString(i.StateReason.Message), aws.ToString(i.StateReason.Code)
	}
	d := &diag.Diagnostic{
		Where:   address,
		Summary: fmt.Sprintf("machine %s ended instead of starting", aws.ToString(i.InstanceId)),
		Detail:  why,
	}
	switch i.State.Name {
	case types.InstanceStateNameTerminated, types.InstanceStateNameShuttingDown:
		d.Hint = "run aloft up again: it launches another"
		return d
	case types.InstanceStateNameStopped:
		if strings.HasPrefix(code, "Server.") {
			d.Hint = "set right what the reason names, then run aloft up again: it starts the machine"
			return d
		}
	}
	return nil
}

// updateServer starts a machine that was stopped, puts it into its groups, and
// marks it as built when the image made of it can be used. A candidate is proven.
func (s *Site) updateServer(ctx context.Context, r stack.Resource, body stack.Server, now plan.Found) error {
	if state := now.Get("state"); state != "running" {
		if err := s.start(ctx, now.ID, state); err != nil {
			return err
		}
		f, err := s.running(ctx, r.Address, now.ID)
		if err != nil {
			return err
		}
		s.Know(r.Address, f)
		now = f
	}
	groups := s.ids(body.Groups)
	if _, err := s.EC2.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{InstanceId: &now.ID, Groups: groups}); err != nil {
		return fmt.Errorf("put instance %s into its security groups: %w", now.ID, err)
	}
	if body.Proof && now.Get("proven") != "yes" {
		return s.prove(ctx, now)
	}
	image, ok := s.At(stack.AddressImage)
	if now.Get("built") == "yes" || !ok {
		return nil
	}
	if err := s.imageAvailable(ctx, r.Address, image.ID); err != nil {
		return err
	}
	return s.markBuilt(ctx, now.ID, body.Release)
}

func (s *Site) start(ctx context.Context, id, state string) error {
	if state == "pending" {
		return nil
	}
	// An instance that is stopping can be started only when it has stopped.
	err := awsapi.Retry(ctx, startLimit, "instance "+id+" to start", awsapi.IsInUse, func(ctx context.Context) error {
		_, err := s.EC2.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}})
		return err
	})
	if err != nil {
		return fmt.Errorf("start instance %s: %w", id, err)
	}
	return nil
}

func (s *Site) markBuilt(ctx context.Context, id, release string) error {
	if err := s.label(ctx, id, pair{stack.TagRelease, release}); err != nil {
		return fmt.Errorf("mark instance %s as built: %w", id, err)
	}
	return nil
}

func (s *Site) label(ctx context.Context, id string, tag pair) error {
	_, err := s.EC2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: ec2Tags([]pair{tag})})
	return err
}

func (s *Site) deleteServer(ctx context.Context, f plan.Found) error {
	_, err := s.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{f.ID}})
	if awsapi.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("terminate %s (%s): %w", f.Address, f.ID, err)
	}
	return awsapi.Wait(ctx, startLimit, "instance "+f.ID+" to be terminated", func(ctx context.Context) (bool, error) {
		list, err := s.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{f.ID}})
		if awsapi.IsNotFound(err) || err == nil && len(list.Reservations) == 0 {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("look at instance %s: %w", f.ID, err)
		}
		state := list.Reservations[0].Instances[0].State.Name
		s.progress(f.Address, "machine %s is %s", f.ID, state)
		return state == types.InstanceStateNameTerminated, nil
	})
}
