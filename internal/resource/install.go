package resource

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Machine is how a builder machine is reached.
type Machine struct {
	Name     string // "server-1"
	Address  netip.Addr
	User     string
	KeyFile  string          // private key, OpenSSH
	HostKeys []ssh.PublicKey // what the machine itself said on its console; no other is to be trusted
}

// Builder makes releases on machines, telling the story of each of its steps.
// Doing it again on the same machine is harmless. The machine's SSH server may
// still be starting.
type Builder interface {
	// Build installs the application on a machine that runs the base image, and
	// proves that it serves there.
	Build(context.Context, Machine, event.Sink) error
	// Prove proves that the application serves on a machine of a release's image,
	// and goes on doing so.
	Prove(context.Context, Machine, event.Sink) error
	// Examine tells, in a few lines, how the application's service is on a
	// machine and what it said last.
	Examine(context.Context, Machine) ([]string, error)
}

// Egress gives the address from which the cloud sees the user's machine when it
// connects to target.
type Egress func(ctx context.Context, target netip.Addr) (netip.Prefix, error)

// Temporary marks a firewall rule that is there only while an application is
// being installed. No stack has it, so the next run takes it away after a crash.
const Temporary = "aloft:temporary"

// consoleLimit is how long a machine may take to write its host keys; EC2 shows
// the console of older machine types with minutes of delay.
const consoleLimit = 10 * time.Minute

// Install puts the application on the builder.
func (s *Site) Install(ctx context.Context, address string) error {
	f, _ := s.At(address)
	if f.Get("built") == "yes" {
		return nil
	}
	return s.enter(ctx, f, func(m Machine) error { return s.Builder.Build(ctx, m, s.Events) })
}

// prove lets the application answer on a machine of the image, and marks the
// machine when it does.
func (s *Site) prove(ctx context.Context, f plan.Found) error {
	if err := s.enter(ctx, f, func(m Machine) error { return s.Builder.Prove(ctx, m, s.Events) }); err != nil {
		return err
	}
	if err := s.label(ctx, f.ID, pair{tagProven, "yes"}); err != nil {
		return fmt.Errorf("mark instance %s as proven: %w", f.ID, err)
	}
	return nil
}

// enter does work on a machine over SSH, through a rule of its own in the
// firewall that lets in this user's machine alone.
func (s *Site) enter(ctx context.Context, f plan.Found, work func(Machine) error) error {
	address := f.Name
	if s.Builder == nil {
		return fmt.Errorf("work on %s: no builder is given", address)
	}
	keyPair, _ := s.At(stack.AddressKeyPair)
	if err := s.CheckKey(keyPair); err != nil {
		return err
	}
	public, err := netip.ParseAddr(f.Status["public ip"])
	if err != nil {
		return fmt.Errorf("work on %s: public address: %w", address, err)
	}
	machine := Machine{Name: address, Address: public, User: s.BaseImage.User, KeyFile: s.Keys.Private}
	group, rule, added := f.Get("security groups"), "", false
	err = s.told(address, "10", "let this machine in over SSH, read the host keys", func() error {
		source, err := s.Egress(ctx, public)
		if err != nil {
			return &diag.Diagnostic{
				Where:   address,
				Summary: "the address from which this machine reaches the cloud is not known",
				Detail:  err.Error(),
				Hint:    "check the connection to the internet",
				Cause:   err,
			}
		}
		rule = "tcp 22 from " + source.String()
		if added, err = s.grant(ctx, group, "in", rule, Temporary); err != nil {
			return err
		}
		machine.HostKeys, err = s.hostKeys(ctx, address, f.ID)
		return err
	})
	if err == nil {
		err = work(machine)
	}
	if !added {
		return err
	}
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return errors.Join(err, s.revoke(cleanup, group, "in", []string{rule}))
}

// told does a part of a longer work and tells its story.
func (s *Site) told(address, step, message string, do func() error) error {
	began := time.Now()
	e := event.Event{Time: began, Kind: event.Start, Address: address, Step: step, Message: message}
	s.Events(e)
	err := do()
	e.Time, e.Kind, e.Elapsed = time.Now(), event.Done, time.Since(began)
	if err != nil {
		e.Kind, e.Message = event.Fail, err.Error()
	}
	s.Events(e)
	return err
}

// hostKeys reads the machine's SSH host keys off its console, a way that nobody
// between here and there can change.
func (s *Site) hostKeys(ctx context.Context, address, id string) ([]ssh.PublicKey, error) {
	var keys []ssh.PublicKey
	latest := aws.Bool(true)
	err := awsapi.Wait(ctx, consoleLimit, "host keys of "+id, func(ctx context.Context) (bool, error) {
		console, err := s.EC2.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: &id, Latest: latest})
		if awsapi.Code(err) == "UnsupportedOperation" && latest != nil {
			latest = nil // machine types before Nitro show no live console
			return false, nil
		}
		if err != nil && !awsapi.IsNotFound(err) {
			return false, fmt.Errorf("read the console of %s: %w", id, err)
		}
		if err == nil {
			keys = HostKeys(aws.ToString(console.Output))
		}
		if len(keys) == 0 {
			s.progress(address, "waiting for the SSH host keys on the machine's console")
		}
		return len(keys) > 0, nil
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return nil, &diag.Diagnostic{
			Where:   address,
			Summary: fmt.Sprintf("machine %s did not show its SSH host keys within %s", id, consoleLimit),
			Hint:    "look at its console with: aws ec2 get-console-output --instance-id " + id,
			Cause:   err,
		}
	}
	return keys, err
}

const (
	keysBegin = "-----BEGIN SSH HOST KEY KEYS-----"
	keysEnd   = "-----END SSH HOST KEY KEYS-----"
)

// HostKeys finds the host keys in the output of GetConsoleOutput, in base64 as
// EC2 gives it: the last whole block that cloud-init wrote. A line may begin
// with the console's own marks.
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
