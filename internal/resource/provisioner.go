package resource

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// eventualLimit is how long a call is repeated because AWS does not know
// everywhere yet what was just created.
const eventualLimit = 2 * time.Minute

// attributeLimit is how long the change of an attribute may take to be shown.
const attributeLimit = 5 * time.Minute

// Provisioner carries out the changes of a plan. It may be used concurrently.
type Provisioner struct {
	Cloud
	Keys          Keys
	BaseImage     BaseImage
	Builder       Builder // nil if nothing is built
	SourceAddress SourceAddress
	SSHFrom       []netip.Prefix // addresses that rules of the stack admit over SSH
	Events        event.Sink
	// Dial connects to machines to see whether they can be reached; a net.Dialer if nil.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Room *Room // of the run; nil: nothing is remembered
	// Unprotect makes Delete lift the protection against deletion.
	Unprotect bool

	mu    sync.Mutex
	known map[string]plan.Found // by address
}

// SetKnown records the resource at an address for references to it.
func (p *Provisioner) SetKnown(address string, f plan.Found) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[string]plan.Found{}
	}
	p.known[address] = f
}

// Known returns the resource recorded for an address.
func (p *Provisioner) Known(address string) (plan.Found, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, ok := p.known[address]
	return f, ok
}

// allKnown returns a copy of all recorded resources, by address.
func (p *Provisioner) allKnown() map[string]plan.Found {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.known)
}

// silent returns a copy of the provisioner that emits no events.
func (p *Provisioner) silent() *Provisioner {
	return &Provisioner{
		Cloud:         p.Cloud,
		Keys:          p.Keys,
		BaseImage:     p.BaseImage,
		Builder:       p.Builder,
		SourceAddress: p.SourceAddress,
		SSHFrom:       p.SSHFrom,
		Dial:          p.Dial,
		Events:        func(event.Event) {},
		Room:          p.Room,
		Unprotect:     p.Unprotect,
		known:         p.allKnown(),
	}
}

// id returns the id that a reference resolves to. It is known, because work on a
// resource starts after everything it refers to was created.
func (p *Provisioner) id(ref stack.Ref) *string {
	f, _ := p.Known(ref.Address)
	return &f.ID
}

func (p *Provisioner) ids(refs []stack.Ref) []string {
	all := make([]string, len(refs))
	for i, ref := range refs {
		all[i] = *p.id(ref)
	}
	return all
}

// progress reports how far the work at an address is.
func (p *Provisioner) progress(address, format string, args ...any) {
	p.Events(event.Event{
		Time: time.Now(), Kind: event.Progress, Address: address, Message: fmt.Sprintf(format, args...),
	})
}

// Create creates a resource and waits until it is usable. old are the resources at
// its address that will be deleted. A resource that was created by a call whose
// response was lost is found and not created again. After an error the next run
// finds what was created.
func (p *Provisioner) Create(ctx context.Context, r stack.Resource, old []plan.Found) (plan.Found, error) {
	name := r.Body.Kind()
	create := kindOf(name).create
	if create == nil {
		return plan.Found{}, fmt.Errorf("create %s: resources of kind %q cannot be created", r.Address, name)
	}
	if name.UniqueName() {
		for _, f := range old {
			if err := p.Delete(ctx, f); err != nil {
				return f, err
			}
		}
		old = nil
	}
	for attempt := 1; ; attempt++ {
		f, err := create(ctx, p, r, old)
		lost := awsapi.IsResponseLost(err)
		if err == nil || f.ID != "" || !lost && !awsapi.IsExists(err) {
			return f, err
		}
		existing, ok, findErr := p.findCreated(ctx, r, old, lost)
		if findErr != nil {
			return f, errors.Join(err, findErr)
		}
		if ok {
			return p.completeCreated(ctx, r, existing)
		}
		if !lost || attempt == maxCreateAttempts {
			return f, err
		}
	}
}

// Update changes in place what differs between a resource and the current one.
func (p *Provisioner) Update(ctx context.Context, r stack.Resource, current plan.Found) error {
	differences, _ := plan.Compare(r, current, p.allKnown())
	if !plan.OnlyTags(differences) {
		update := kindOf(r.Body.Kind()).update
		if update == nil {
			return fmt.Errorf("update %s: resources of kind %q cannot be changed", r.Address, r.Body.Kind())
		}
		if err := update(ctx, p, r, current); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(differences, func(d plan.Difference) bool { return d.Key == stack.AttrTags }) {
		return nil
	}
	return p.changeTags(ctx, r, current)
}

// Delete deletes a resource and waits until it is gone. It succeeds if the resource
// does not exist.
func (p *Provisioner) Delete(ctx context.Context, f plan.Found) error {
	remove := kindOf(f.Kind).remove
	if remove == nil {
		return fmt.Errorf("delete %s: resources of kind %q cannot be deleted", f.Address, f.Kind)
	}
	return remove(p, ctx, f)
}

// retryEventual repeats a call that fails because AWS does not know everywhere yet
// what was just created.
func retryEventual(ctx context.Context, what string, call func(context.Context) error) error {
	return awsapi.Wrap(what, awsapi.Retry(ctx, eventualLimit, what, awsapi.IsEventual, call))
}

// ignoreNotFound is awsapi.Wrap for calls that need no effect if the resource does not
// exist.
func ignoreNotFound(what string, err error) error {
	if awsapi.IsNotFound(err) {
		return nil
	}
	return awsapi.Wrap(what, err)
}
