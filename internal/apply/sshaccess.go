package apply

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/stack"
)

const (
	// hostKeysLimit is how long the host keys of a running server without a tag may
	// take to appear on its console.
	hostKeysLimit = 30 * time.Second
	// revokeLimit is how long revoking a temporary rule may take.
	revokeLimit = 30 * time.Second
)

// HostKeys returns a server's SSH host keys, from its tag or its console.
func (d *Deployment) HostKeys(ctx context.Context, m Machine) ([]ssh.PublicKey, error) {
	keys, err := d.cloud.HostKeys(ctx, m.InstanceID, m.HostKey, hostKeysLimit, nil)
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return nil, explain(m.Name, resource.NoHostKeys(m.Name, m.InstanceID, err))
	}
	if err != nil {
		return nil, explain(m.Name, err)
	}
	return keys, nil
}

// keepHostKeys keeps the SSH host keys of servers in tags, so that they can be verified
// from other computers and after their consoles have lost them. What a console does not
// show yet is kept by the next aloft up, or by the next command that needs it.
func (d *Deployment) keepHostKeys(ctx context.Context, found []plan.Found) {
	var servers sync.WaitGroup
	for _, f := range found {
		if isServer(f) && f.Status.HostKey == "" && f.Value(stack.AttrState) == stack.StateRunning {
			servers.Go(func() { _ = d.cloud.KeepHostKey(ctx, f.ID) })
		}
	}
	servers.Wait()
}

// WaysTo returns the ways to servers without a key pair, in their order, through the endpoint.
func (d *Deployment) WaysTo(ctx context.Context, servers []Machine) ([]resource.EndpointWay, error) {
	vpc := ""
	if d.cfg.Spec != nil {
		vpc = d.cfg.Spec.Network.VPC
	}
	endpoint, err := d.cloud.ConnectEndpoint(ctx, vpc)
	if err != nil {
		return nil, explain("", err)
	}
	ways := make([]resource.EndpointWay, len(servers))
	for i, m := range servers {
		if ways[i], err = d.cloud.WayTo(m.InstanceID, m.PrivateIP, endpoint); err != nil {
			return nil, explain(m.Name, err)
		}
	}
	return ways, nil
}

// AllowSSH adds a rule that allows SSH to a server from this computer, unless the
// spec allows it. The rule is marked as temporary: if it stays, the next aloft up
// revokes it. revoke removes it, and is never nil.
func (d *Deployment) AllowSSH(ctx context.Context, m Machine) (revoke func() error, err error) {
	nothing := func() error { return nil }
	public, err := netip.ParseAddr(m.PublicIP)
	if err != nil {
		return nothing, explain(m.Name, fmt.Errorf("public address of %s: %w", m.Name, err))
	}
	sources, err := d.cfg.SourceAddress.NotAdmitted(ctx, public, d.cfg.Spec.Security.SSH.From)
	if err != nil {
		return nothing, explain(m.Name, resource.UnknownSource(m.Name, err))
	}
	if len(sources) == 0 {
		return nothing, nil
	}
	group, err := d.securityGroupOf(ctx, m)
	if err != nil {
		return nothing, explain(m.Name, err)
	}
	// From here on an interrupt must not abort a call: the rules have to be revoked.
	whole := context.WithoutCancel(ctx)
	var rules []stack.Rule
	revoke = func() error { return d.revoke(whole, group, rules) }
	for _, source := range sources {
		rule := stack.TCPFrom(22, source)
		added, err := d.cloud.AllowTemporarily(whole, group, rule)
		if err != nil {
			err = explain(m.Name, fmt.Errorf("allow SSH to %s from %s: %w", m.Name, source, err))
			return nothing, errors.Join(err, revoke())
		}
		if added {
			rules = append(rules, rule)
		}
	}
	return revoke, nil
}

// revoke removes the rules that AllowSSH added to a security group.
func (d *Deployment) revoke(ctx context.Context, group string, rules []stack.Rule) error {
	within, cancel := context.WithTimeout(ctx, revokeLimit)
	defer cancel()
	if err := d.cloud.Revoke(within, group, rules...); err != nil {
		return diag.List{{
			Where:   group,
			Summary: fmt.Sprintf("the temporary rules %v could not be revoked", rules),
			Detail:  err.Error(),
			Hint:    "aloft up revokes them",
			Cause:   err,
		}}
	}
	return nil
}

// securityGroupOf returns the id of a server's security group.
func (d *Deployment) securityGroupOf(ctx context.Context, m Machine) (string, error) {
	in := &ec2.DescribeInstancesInput{InstanceIds: []string{m.InstanceID}}
	list, err := d.cfg.Client.EC2.DescribeInstances(ctx, in)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", m.Name, err)
	}
	for _, r := range list.Reservations {
		for _, i := range r.Instances {
			for _, g := range i.SecurityGroups {
				return aws.ToString(g.GroupId), nil
			}
		}
	}
	return "", fmt.Errorf("read %s: it has no security group", m.Name)
}
