package apply

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/resource"
)

// HostKeys reads a server's SSH host keys off its console.
func (d *Deployment) HostKeys(ctx context.Context, m Machine) ([]ssh.PublicKey, error) {
	var keys []ssh.PublicKey
	latest := aws.Bool(true)
	err := awsapi.Wait(ctx, 30*time.Second, "host keys of "+m.Name, func(ctx context.Context) (bool, error) {
		console, err := d.cfg.Client.EC2.GetConsoleOutput(
			ctx,
			&ec2.GetConsoleOutputInput{InstanceId: &m.InstanceID, Latest: latest},
		)
		if awsapi.Code(err) == "UnsupportedOperation" && latest != nil {
			latest = nil // machine types before Nitro show no live console
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read the console of %s: %w", m.Name, err)
		}
		keys = resource.HostKeys(aws.ToString(console.Output))
		return len(keys) > 0, nil
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return nil, diag.List{
			{
				Where:   m.Name,
				Summary: "its SSH host keys are not on its console, so it cannot be told from another machine",
				Hint:    "a server that has just started needs a moment; else look at: aws ec2 get-console-output --instance-id " + m.InstanceID,
				Cause:   err,
			},
		}
	}
	return keys, err
}

// LetIn adds a rule that lets this machine in over SSH where the spec does not.
// The rule is marked as temporary: should it stay behind, the next up takes it
// away. shut takes it back, and is never nil.
func (d *Deployment) LetIn(ctx context.Context, m Machine) (shut func() error, err error) {
	nothing := func() error { return nil }
	public, err := netip.ParseAddr(m.PublicIP)
	if err != nil {
		return nothing, fmt.Errorf("public address of %s: %w", m.Name, err)
	}
	from, err := d.cfg.Egress(ctx, public)
	if err != nil {
		return nothing, diag.List{
			{
				Where:   m.Name,
				Summary: "the address from which this machine reaches the cloud is not known",
				Detail:  err.Error(),
				Hint:    "check the connection to the internet",
				Cause:   err,
			},
		}
	}
	if slices.ContainsFunc(d.cfg.Spec.Security.SSH.From, func(p netip.Prefix) bool { return p.Contains(from.Addr()) }) {
		return nothing, nil
	}
	found, err := d.cfg.Client.EC2.DescribeInstances(
		ctx,
		&ec2.DescribeInstancesInput{InstanceIds: []string{m.InstanceID}},
	)
	if err != nil {
		return nothing, fmt.Errorf("look at %s: %w", m.Name, err)
	}
	if len(found.Reservations) == 0 || len(found.Reservations[0].Instances) == 0 ||
		len(found.Reservations[0].Instances[0].SecurityGroups) == 0 {
		return nothing, fmt.Errorf("look at %s: it has no security group", m.Name)
	}
	group := found.Reservations[0].Instances[0].SecurityGroups[0].GroupId
	rule := []types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22),
		IpRanges: []types.IpRange{{CidrIp: aws.String(from.String()), Description: aws.String(resource.Temporary)}},
	}}
	// From here on Ctrl-C must not end a call half way: the rule is to be taken back.
	whole := context.WithoutCancel(ctx)
	added, err := awsapi.Added(whole, func(ctx context.Context) error {
		_, err := d.cfg.Client.EC2.AuthorizeSecurityGroupIngress(
			ctx,
			&ec2.AuthorizeSecurityGroupIngressInput{GroupId: group, IpPermissions: rule},
			awsapi.Once,
		)
		return err
	})
	if err != nil {
		return nothing, fmt.Errorf("let %s in to %s over SSH: %w", from, m.Name, err)
	}
	if !added {
		return nothing, nil
	}
	return func() error {
		within, cancel := context.WithTimeout(whole, 30*time.Second)
		defer cancel()
		_, err := d.cfg.Client.EC2.RevokeSecurityGroupIngress(
			within,
			&ec2.RevokeSecurityGroupIngressInput{GroupId: group, IpPermissions: rule},
		)
		if err != nil && !awsapi.IsNotFound(err) {
			return diag.List{
				{
					Where:   aws.ToString(group),
					Summary: "the temporary rule for SSH from " + from.String() + " could not be taken back",
					Detail:  err.Error(),
					Hint:    "aloft up takes it away",
					Cause:   err,
				},
			}
		}
		return nil
	}, nil
}
