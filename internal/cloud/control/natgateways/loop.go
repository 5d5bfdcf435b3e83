//go:build linux

// Package natgateways brings NAT gateways from the state that users ask for to the one
// that they have, and back: it creates their network interfaces and removes them.
package natgateways

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// Network is the part of the network loop that this loop uses. Sync returns when the
// kernel's network matches the store.
type Network interface {
	Sync(ctx context.Context) error
}

const (
	// retryDelay is the pause after an error.
	retryDelay = 500 * time.Millisecond
	// retention is how long a gateway can be described after it was deleted or failed
	// (Amazon VPC User Guide, Troubleshoot NAT gateways: about an hour).
	retention = time.Hour
)

// Loop drives all NAT gateways of all regions. Fill the fields, then call Run once.
type Loop struct {
	Store   *store.Store
	Network Network
	IDs     *identity.Source // nil: a random one
	Log     *slog.Logger
}

// Run drives the gateways until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	if l.IDs == nil {
		l.IDs = identity.New(nil)
	}
	for ctx.Err() == nil {
		view := l.Store.View()
		next, err := l.advance(ctx)
		if err != nil && ctx.Err() == nil {
			l.Log.Warn("drive the NAT gateways", "error", err)
			next = time.Now().Add(retryDelay)
		}
		bounded, cancel := ctx, context.CancelFunc(func() {})
		if !next.IsZero() {
			bounded, cancel = context.WithDeadline(ctx, next)
		}
		_ = view.Changed(bounded, store.NatGateways) // or it is time
		cancel()
	}
	return nil
}

// advance takes all steps that are due. It returns when the next one is; zero: none is
// known.
func (l *Loop) advance(ctx context.Context) (next time.Time, err error) {
	var created []string
	err = l.Store.Update(func(tx *store.Tx) error {
		next, created = time.Time{}, nil
		now := time.Now()
		for _, row := range store.NatGateways.List(tx) {
			at, connected := l.step(tx, row, now)
			if connected {
				created = append(created, row.ID)
			}
			if at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		return nil
	})
	if err != nil || len(created) == 0 {
		return next, err
	}
	if err := l.Network.Sync(ctx); err != nil {
		return next, fmt.Errorf("connect the NAT gateways: %w", err)
	}
	return next, l.Store.Update(func(tx *store.Tx) error {
		for _, id := range created {
			if row, ok := store.NatGateways.Get(tx, id); ok {
				store.NatGateways.Edit(tx, row.ID, settle)
			}
		}
		return nil
	})
}

// step takes a gateway's next step, if it is due, and returns when there is something to
// do again. connected reports whether the gateway, or an address of it, is available as soon as
// the network has it.
func (l *Loop) step(tx *store.Tx, row *store.NatGateway, now time.Time) (next time.Time, connected bool) {
	switch row.State {
	case store.NatPending:
		if row.InterfaceID == "" && !l.provision(tx, row, now) {
			return now.Add(retention), false
		}
		return row.SettledAt, !row.SettledAt.After(now)
	case store.NatAvailable:
		return l.stepAddresses(tx, row, now)
	case store.NatDeleting:
		if row.SettledAt.After(now) {
			return row.SettledAt, false
		}
		addressing.DeleteInterface(tx, row.InterfaceID)
		store.NatGateways.Edit(tx, row.ID, func(row *store.NatGateway) {
			row.State, row.DeletedAt = store.NatDeleted, now.UTC()
		})
		return now.Add(retention), false
	case store.NatDeleted, store.NatFailed:
		forget := row.DeletedAt.Add(retention)
		if !forget.After(now) {
			store.NatGateways.Delete(tx, row.ID)
		}
		return forget, false
	}
	return time.Time{}, false
}

// provision creates the interface of a gateway. It reports false if the gateway has
// failed instead.
func (l *Loop) provision(tx *store.Tx, row *store.NatGateway, now time.Time) bool {
	code, message := l.obstacle(tx, row)
	var eni *store.NetworkInterface
	if code == "" {
		subnet, _ := store.Subnets.Get(tx, row.SubnetID)
		given := requested(row)
		var err error
		eni, err = addressing.NewInterface(tx, l.IDs, addressing.InterfaceSpec{
			Subnet: subnet, PrivateIP: row.RequestedIP, Description: "Interface for NAT Gateway " + row.ID,
			NatGatewayID: row.ID, AttachedAt: now.UTC(), Secondary: given, Free: len(row.Secondary) - len(given),
		})
		if err != nil {
			code = "InsufficientFreeAddressesInSubnet"
			message = "Subnet has insufficient free addresses to create this NAT gateway"
		}
	}
	if code != "" {
		store.NatGateways.Edit(tx, row.ID, func(row *store.NatGateway) {
			row.State, row.DeletedAt = store.NatFailed, now.UTC()
			row.FailureCode, row.FailureMessage = code, message
		})
		return false
	}
	changed := *row
	changed.InterfaceID, changed.PrivateIP = eni.ID, eni.PrivateIP
	if address, ok := store.ElasticIPs.Get(tx, row.AllocationID); ok {
		changed.AssociationID = addressing.Associate(tx, l.IDs, address, eni, eni.PrivateIP)
		changed.PublicIP = address.PublicIP
	}
	changed.Secondary = l.provisionSecondary(tx, row, eni)
	store.NatGateways.Put(tx, &changed)
	return true
}

// obstacle returns why a gateway cannot be created, as a code and a message of EC2
// (Amazon EC2 API Reference, NatGateway), or empty texts.
func (l *Loop) obstacle(tx *store.Tx, row *store.NatGateway) (code, message string) {
	if _, ok := store.Subnets.Get(tx, row.SubnetID); !ok {
		return "InvalidSubnetID.NotFound",
			"The specified subnet " + row.SubnetID + " does not exist or could not be found."
	}
	if row.AllocationID == "" {
		return "", ""
	}
	if len(store.InternetGatewaysByVPC.List(tx, row.VPCID)) == 0 {
		return "Gateway.NotAttached", "Network " + row.VPCID + " has no Internet gateway attached"
	}
	allocations := []string{row.AllocationID}
	for _, address := range row.Secondary {
		allocations = append(allocations, address.AllocationID)
	}
	for _, id := range allocations {
		address, ok := store.ElasticIPs.Get(tx, id)
		switch {
		case !ok:
			return "InvalidAllocationID.NotFound",
				"Elastic IP address " + id + " could not be associated with this NAT gateway"
		case address.AssociationID != "":
			return "Resource.AlreadyAssociated", "Elastic IP address " + id + " is already associated"
		}
	}
	return "", ""
}
