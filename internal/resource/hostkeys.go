package resource

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
)

// WaitHostKeys waits until an instance's console shows its SSH host keys, and
// returns them. Nobody between here and the instance can change the console.
// waiting, which may be nil, is called after each attempt that finds none.
func (c *Cloud) WaitHostKeys(
	ctx context.Context,
	id string,
	limit time.Duration,
	waiting func(),
) ([]ssh.PublicKey, error) {
	var keys []ssh.PublicKey
	latest := aws.Bool(true)
	err := awsapi.Wait(ctx, limit, "host keys of "+id, func(ctx context.Context) (bool, error) {
		console, err := c.EC2.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: &id, Latest: latest})
		if awsapi.Code(err) == "UnsupportedOperation" && latest != nil {
			latest = nil // instance types before Nitro have no live console
			return false, nil
		}
		if err != nil && !awsapi.IsNotFound(err) {
			return false, fmt.Errorf("read the console of %s: %w", id, err)
		}
		if err == nil {
			keys = HostKeys(aws.ToString(console.Output))
		}
		if len(keys) == 0 && waiting != nil {
			waiting()
		}
		return len(keys) > 0, nil
	})
	return keys, err
}

// The lines by which cloud-init encloses the host keys.
const (
	keysBegin = "-----BEGIN SSH HOST KEY KEYS-----"
	keysEnd   = "-----END SSH HOST KEY KEYS-----"
)

// HostKeys returns the host keys in the output of GetConsoleOutput, which is encoded
// in base64: those of the last complete block that cloud-init wrote. Lines may begin
// with a prefix of the console.
func HostKeys(output string) []ssh.PublicKey {
	text, err := base64.StdEncoding.DecodeString(output)
	if err != nil {
		return nil
	}
	var keys, block []ssh.PublicKey
	inside := false
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.Contains(line, keysBegin):
			inside, block = true, nil
		case strings.Contains(line, keysEnd):
			if inside && len(block) > 0 {
				keys = block
			}
			inside = false
		case inside:
			start := max(strings.Index(line, "ssh-"), strings.Index(line, "ecdsa-"))
			if start < 0 {
				continue
			}
			if key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(strings.TrimSpace(line[start:]))); err == nil {
				block = append(block, key)
			}
		}
	}
	return keys
}
