//go:build linux

package cloud

import (
	"fmt"
	"net/http"

	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/plane/linklocal"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// endpointAt returns the VPC endpoint that has a network interface.
func (d *daemon) endpointAt(interfaceID string) (*store.VPCEndpoint, bool) {
	for _, row := range store.VPCEndpointsByInterface.List(d.store.View(), interfaceID) {
		return row, true
	}
	return nil, false
}

// endpoint returns what answers at a network interface of a VPC endpoint: the API of its service.
func (d *daemon) endpoint(interfaceID string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		row, ok := d.endpointAt(interfaceID)
		if !ok {
			panic(http.ErrAbortHandler) // it has just been deleted
		}
		service, region := dnsname.CutEndpointService(row.Service)
		d.inVPC.ServeHTTP(w, r.WithContext(wire.WithEndpoint(r.Context(), wire.Endpoint{
			ID: row.ID, VPC: row.VPCID, Service: service, Region: region,
		})))
	})
}

// endpointIdentity returns the certificate at a network interface of a VPC endpoint. It is for the names
// of all endpoints for the service, and for the service's own.
func (d *daemon) endpointIdentity(interfaceID string) (linklocal.Identity, error) {
	row, ok := d.endpointAt(interfaceID)
	if !ok {
		return linklocal.Identity{}, fmt.Errorf("no endpoint has the network interface %s", interfaceID)
	}
	c, err := d.issuer.certificate(dnsname.Service(row.Service), "*."+dnsname.EndpointDomain(row.Service))
	if err != nil {
		return linklocal.Identity{}, err
	}
	return linklocal.Identity{Certificate: c.Issued.Certificate + c.Chain, Key: c.Key}, nil
}
