//go:build linux

package cloud

import (
	"context"
	"encoding/json"
	"net/http"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/identity"
)

// snapshots is the part of EC2 that takes snapshots from outside of AWS's API.
type snapshots interface {
	AddSnapshot(region identity.Region, description string, sizeGiB int32, layers []string) (id string, err error)
}

// maxRequestBytes is the size of the longest request that is not one of AWS's.
const maxRequestBytes = 1 << 16

// own returns the handler of the paths that are not AWS's.
func (d *daemon) own(ec2 snapshots) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+host.ImportPath, func(w http.ResponseWriter, r *http.Request) {
		var in host.ImportRequest
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequestBytes)).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		// A client that disconnects does not leave half an import.
		out, err := d.importSnapshot(context.WithoutCancel(r.Context()), ec2, in)
		if err != nil {
			d.Log.Error("import a snapshot", "error", err)
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		writeJSON(w, out)
	})
	mux.HandleFunc("POST "+host.ProbePath, func(w http.ResponseWriter, r *http.Request) {
		var in host.ProbeRequest
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequestBytes)).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		facts, err := d.probe(r.Context(), in)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		writeJSON(w, facts)
	})
	mux.HandleFunc("POST "+host.ConsolePath, func(w http.ResponseWriter, r *http.Request) {
		var in host.ConsoleRequest
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequestBytes)).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		link, err := d.console.Link(in.Region)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		writeJSON(w, host.ConsoleResponse{Path: link})
	})
	mux.HandleFunc("POST "+host.ResetPath, func(w http.ResponseWriter, r *http.Request) {
		if d.reset == nil {
			http.Error(w, "only a simulated local cloud can be reset by a request; "+
				"aloft local reset deletes everything in this one", http.StatusUnprocessableEntity)
			return
		}
		if err := d.reset(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		writeJSON(w, host.ResetResponse{})
	})
	mux.HandleFunc("/", d.status)
	return mux
}

// importSnapshot makes a snapshot of an import. Who names an import is root: nobody else can
// read its id.
func (d *daemon) importSnapshot(
	ctx context.Context, ec2 snapshots, in host.ImportRequest,
) (out host.ImportResponse, err error) {
	err = d.images.Import(ctx, in.Import, func(layer string) error {
		out.SnapshotID, err = ec2.AddSnapshot(identity.Region(in.Region), in.Description, in.SizeGiB, []string{layer})
		return err
	})
	return out, err
}

func writeJSON(w http.ResponseWriter, document any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document) // the client may have disconnected
}
