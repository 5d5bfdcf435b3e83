// Package ec2instanceconnect serves EC2 Instance Connect for the local cloud: it pushes SSH
// keys into instances' metadata. Limits, errors and messages are those of the EC2 Instance
// Connect API Reference. Package tunnel serves the tunnels of its endpoints.
//
// Machines have no serial console: SendSerialConsoleSSHPublicKey is missing.
package ec2instanceconnect

import (
	"context"
	"crypto/rsa"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/cloud/activekey"
	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures an API.
type Config struct {
	Store *store.Store
	Keys  *activekey.Set // where keys are pushed
}

// API implements the operations of EC2 Instance Connect.
type API struct{ Config }

// New returns an API.
func New(c Config) *API { return &API{c} }

// model returns the errors of requests that violate the API's model.
const model = constraint.Model("InvalidArgsException")

var (
	instanceForm = regexp.MustCompile(`^i-[a-f0-9]+$`)
	userForm     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9@._-]{0,30}[A-Za-z0-9$_-]?$`)
	zoneForm     = regexp.MustCompile(`^(\w+-){2,3}\d+\w+$`)
)

// SendSSHPublicKey makes a key active for a user of an instance for a minute.
func (a *API) SendSSHPublicKey(
	ctx context.Context, in *ec2instanceconnect.SendSSHPublicKeyInput,
) (*ec2instanceconnect.SendSSHPublicKeyOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	key, err := parseKey(*in.SSHPublicKey)
	if err != nil {
		return nil, err
	}
	caller := wire.CallerFrom(ctx)
	row, ok := store.Instances.Get(a.Store.View(), *in.InstanceId)
	switch {
	case !ok || row.Region != caller.Region || row.State == store.Terminated:
		return nil, wire.Errorf("EC2InstanceNotFoundException", "Instance not found")
	case in.AvailabilityZone != nil && *in.AvailabilityZone != row.Zone:
		return nil, model.Errorf("The instance is not in the Availability Zone %s.", *in.AvailabilityZone)
	case row.State != store.Running:
		return nil, wire.Errorf("EC2InstanceStateInvalidException", "Unable to connect because the instance is not in "+
			"a valid state. Connecting to an instance requires the instance to be in a running state.")
	}
	a.Keys.Push(row.ID, *in.InstanceOSUser, key)
	return &ec2instanceconnect.SendSSHPublicKeyOutput{RequestId: aws.String(caller.RequestID), Success: true}, nil
}

// check refuses a request that violates the API's model.
func check(in *ec2instanceconnect.SendSSHPublicKeyInput) error {
	for _, member := range []struct {
		name        string
		value       *string
		least, most int
		form        *regexp.Regexp
		optional    bool
	}{
		{name: "instanceId", value: in.InstanceId, least: 10, most: 32, form: instanceForm},
		{name: "instanceOSUser", value: in.InstanceOSUser, least: 1, most: 32, form: userForm},
		{name: "sSHPublicKey", value: in.SSHPublicKey, least: 80, most: 4096},
		{name: "availabilityZone", value: in.AvailabilityZone, least: 6, most: 32, form: zoneForm, optional: true},
	} {
		switch {
		case member.value == nil && member.optional:
		case member.value == nil:
			return model.Null(member.name)
		case len(*member.value) < member.least:
			return model.RefuseWithoutValue(member.name, "have length greater than or equal to %d", member.least)
		case len(*member.value) > member.most:
			return model.TooLong(member.name, member.most)
		case member.form != nil && !member.form.MatchString(*member.value):
			return model.RefuseWithoutValue(member.name, "satisfy regular expression pattern: %s", member.form)
		}
	}
	return nil
}

// parseKey returns a public key as a line of authorized_keys without options and comment.
// EC2 Instance Connect accepts RSA keys of 2048 and 4096 bits and ED25519 keys (Amazon EC2
// User Guide, Connect to a Linux instance using EC2 Instance Connect).
func parseKey(text string) (string, error) {
	key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil || len(options) > 0 || strings.TrimSpace(string(rest)) != "" {
		return "", model.Errorf("Invalid SSH public key.")
	}
	switch key.Type() {
	case ssh.KeyAlgoED25519:
	case ssh.KeyAlgoRSA:
		public, ok := key.(ssh.CryptoPublicKey).CryptoPublicKey().(*rsa.PublicKey)
		if !ok || !slices.Contains([]int{2048, 4096}, public.N.BitLen()) {
			return "", model.Errorf("RSA keys must have 2048 or 4096 bits.")
		}
	default:
		return "", model.Errorf("The key type %s is not supported.", key.Type())
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))), nil
}
