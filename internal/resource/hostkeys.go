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
	"aloft.dev/aloft/internal/stack"
)

// maxTagValue is the longest value of a tag (Amazon EC2 User Guide, "Tag restrictions").
const maxTagValue = 256

// HostKeys returns an instance's SSH host keys: the key in its tag, or those on its
// console. It stores one of the latter in the tag: cloud-init prints the keys on the console
// once per instance, EC2 keeps 64 KB of the console, and a stop loses it. It waits for them to appear, because
// the instance may be starting. Nobody between here and the instance can change the tag
// or the console.
// waiting, which may be nil, is called after each attempt that finds none.
func (c *Cloud) HostKeys(
	ctx context.Context,
	id, kept string,
	limit time.Duration,
	waiting func(),
) ([]ssh.PublicKey, error) {
	if key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(kept)); err == nil {
		return []ssh.PublicKey{key}, nil
	}
	var keys []ssh.PublicKey
	err := awsapi.Wait(ctx, limit, "host keys of "+id, func(ctx context.Context) (bool, error) {
		var err error
		keys, err = c.consoleKeys(ctx, id)
		if err == nil && len(keys) == 0 && waiting != nil {
			waiting()
		}
		return len(keys) > 0, err
	})
	if err != nil {
		return nil, err
	}
	if err := c.keepHostKey(ctx, id, keys); err != nil && !awsapi.IsForbidden(err) {
		return nil, err
	}
	return keys, nil
}

// KeepHostKey keeps an instance's SSH host key in its tag if the console shows it now.
func (c *Cloud) KeepHostKey(ctx context.Context, id string) error {
	keys, err := c.consoleKeys(ctx, id)
	if err != nil {
		return err
	}
	return c.keepHostKey(ctx, id, keys)
}

// keepHostKey sets the tag to the ed25519 key, or to another one that fits.
func (c *Cloud) keepHostKey(ctx context.Context, id string, keys []ssh.PublicKey) error {
	best := ""
	for _, key := range keys {
		line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
		if len(line) <= maxTagValue && (best == "" || key.Type() == ssh.KeyAlgoED25519) {
			best = line
		}
	}
	if best == "" {
		return nil
	}
	return awsapi.Wrap("keep the host key of instance "+id, c.tagInstance(ctx, id, tag{stack.TagHostKey, best}))
}

// consoleKeys returns the host keys that an instance's console shows now. Only types of
// the Nitro system have a live console. The console of others, and the buffer of all,
// are posted some minutes after a start (Amazon EC2 API Reference, GetConsoleOutput).
func (c *Cloud) consoleKeys(ctx context.Context, id string) ([]ssh.PublicKey, error) {
	for _, live := range []bool{true, false} {
		in := &ec2.GetConsoleOutputInput{InstanceId: &id}
		if live {
			in.Latest = &live
		}
		console, err := c.EC2.GetConsoleOutput(ctx, in)
		if awsapi.IsNotFound(err) || live && awsapi.Code(err) == "UnsupportedOperation" {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the console of %s: %w", id, err)
		}
		if keys := HostKeys(aws.ToString(console.Output)); len(keys) > 0 {
			return keys, nil
		}
	}
	return nil, nil
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
