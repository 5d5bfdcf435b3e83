package resource

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/remote"
)

// sshPort is the port of SSH servers.
const sshPort = 22

// ConnectKeys is the part of EC2 Instance Connect that pushes keys.
type ConnectKeys interface {
	SendSSHPublicKey(
		context.Context, *ec2instanceconnect.SendSSHPublicKeyInput, ...func(*ec2instanceconnect.Options),
	) (*ec2instanceconnect.SendSSHPublicKeyOutput, error)
}

// Tunnels opens tunnels through EC2 Instance Connect Endpoints.
type Tunnels interface {
	OpenTunnel(context.Context, awsapi.Tunnel) (net.Conn, error)
}

// EndpointWay is the way to an instance through an EC2 Instance Connect Endpoint. It needs no
// open port and no key on the instance: each login pushes a key, which is valid for a minute.
type EndpointWay struct {
	Keys       ConnectKeys
	Tunnels    Tunnels
	InstanceID string
	PrivateIP  netip.Addr
	EndpointID string
	DNSName    string // of the endpoint
}

var _ remote.Way = EndpointWay{}

// Admit implements remote.Way.
func (w EndpointWay) Admit(ctx context.Context, user string, key ssh.PublicKey) error {
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	_, err := w.Keys.SendSSHPublicKey(ctx, &ec2instanceconnect.SendSSHPublicKeyInput{
		InstanceId: &w.InstanceID, InstanceOSUser: &user, SSHPublicKey: &line,
	})
	if err != nil {
		return w.problem(fmt.Errorf("push a key to %s: %w", w.InstanceID, err), "ec2-instance-connect:SendSSHPublicKey")
	}
	return nil
}

// Connect implements remote.Way.
func (w EndpointWay) Connect(ctx context.Context) (net.Conn, error) {
	conn, err := w.Tunnels.OpenTunnel(ctx, awsapi.Tunnel{
		EndpointID: w.EndpointID, DNSName: w.DNSName, To: w.PrivateIP, Port: sshPort,
	})
	if err != nil {
		return nil, w.problem(err, "ec2-instance-connect:OpenTunnel")
	}
	return conn, nil
}

// problem returns an error as one that is final, if it is. action is the permission of the
// call.
func (w EndpointWay) problem(err error, action string) error {
	switch {
	case awsapi.IsForbidden(err):
		return &remote.FinalError{
			Err: err, Hint: "ask for the permission " + action + "; aloft policy prints all that Aloft needs",
		}
	case awsapi.IsNotFound(err):
		return &remote.FinalError{
			Err:  err,
			Hint: "run aloft up: it creates what is missing",
		}
	}
	return err
}

// errNoEndpoint means that the endpoint is missing through which instances are reached.
var errNoEndpoint = errors.New("there is no EC2 Instance Connect Endpoint")

// LacksEndpoint reports whether an error says that the endpoint is missing through which
// instances are reached.
func LacksEndpoint(err error) bool {
	return slices.ContainsFunc(diag.From(err), func(d *diag.Diagnostic) bool { return errors.Is(d, errNoEndpoint) })
}

// WayTo returns the way to an instance that was launched without a key pair, through the
// application's endpoint.
func (c *Cloud) WayTo(instance, privateIP string, endpoint plan.Found) (EndpointWay, error) {
	address, err := netip.ParseAddr(privateIP)
	if err != nil {
		return EndpointWay{}, fmt.Errorf("private address of %s: %w", instance, err)
	}
	if endpoint.ID == "" {
		return EndpointWay{}, &diag.Diagnostic{
			Where: instance, Summary: "there is no EC2 Instance Connect Endpoint, which is the only way to it",
			Hint: "run aloft up: it creates one", Cause: errNoEndpoint,
		}
	}
	return EndpointWay{
		Keys: c.Connect, Tunnels: c.Tunnels, InstanceID: instance, PrivateIP: address,
		EndpointID: endpoint.ID, DNSName: endpoint.Status.DNSName,
	}, nil
}

// NewSigner returns a new key, which exists only in memory.
func NewSigner() (ssh.Signer, ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("generate a key: %w", err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("generate a key: %w", err)
	}
	return signer, key, nil
}
