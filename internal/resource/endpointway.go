package resource

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/remote"
)

// sshPort is the port of SSH servers.
const sshPort = 22

// EndpointWay is the way to an instance through an EC2 Instance Connect Endpoint. It needs no
// open port and no key on the instance: each login pushes a key, which is valid for a minute.
type EndpointWay struct {
	Client     *awsapi.Client
	InstanceID string
	PrivateIP  netip.Addr
	EndpointID string
	DNSName    string // of the endpoint
}

var _ remote.Way = EndpointWay{}

// Admit implements remote.Way.
func (w EndpointWay) Admit(ctx context.Context, user string, key ssh.PublicKey) error {
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	_, err := w.Client.Connect.SendSSHPublicKey(ctx, &ec2instanceconnect.SendSSHPublicKeyInput{
		InstanceId: &w.InstanceID, InstanceOSUser: &user, SSHPublicKey: &line,
	})
	if err != nil {
		return w.problem(fmt.Errorf("push a key to %s: %w", w.InstanceID, err), "ec2-instance-connect:SendSSHPublicKey")
	}
	return nil
}

// Connect implements remote.Way.
func (w EndpointWay) Connect(ctx context.Context) (net.Conn, error) {
	conn, err := w.Client.OpenTunnel(ctx, awsapi.Tunnel{
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
