//go:build linux

package network

import "aloft.dev/aloft/internal/cloud/plane/admission"

// connectionsPerMachine is the most connections that one machine has open to one of the
// services in its VPC.
const connectionsPerMachine = 128

// gates limit the connections to the services in VPCs.
type gates struct{ metadata, api, dns *admission.Gate }

func newGates(cfg PlaneConfig) gates {
	gate := func(service string) *admission.Gate {
		return admission.NewGate(service, admission.Within(cfg.Descriptors, connectionsPerMachine), cfg.Log)
	}
	return gates{metadata: gate("metadata"), api: gate("api"), dns: gate("dns")}
}
