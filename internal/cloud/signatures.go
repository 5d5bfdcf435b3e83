//go:build linux

package cloud

import (
	"net/http"
	"strings"

	"aloft.dev/aloft/internal/cloud/notification"
)

// signer returns what signs the messages of Amazon SNS. Subscribers fetch its certificate with
// TLS, as AWS's libraries demand, or from the APIs at an address if nothing listens at ports.
func (d *daemon) signer(address string) *notification.Signer {
	return &notification.Signer{Key: d.authority.Messages, Origin: func(region string) string {
		if d.Layout.Simulated {
			return "http://" + address
		}
		return "https://" + notification.Endpoint(region)
	}}
}

// withSigningCertificate returns a handler of the APIs that also serves the certificate for the
// signatures of Amazon SNS.
func (d *daemon) withSigningCertificate(apis http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, notification.CertificatePath) {
			apis.ServeHTTP(w, r)
			return
		}
		_, certificate, err := d.authority.Messages()
		switch {
		case err != nil:
			d.Log.Error("read the certificate for signatures", "error", err)
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		case r.Method != http.MethodGet || r.URL.Path != notification.PathOf(certificate):
			http.NotFound(w, r)
		default:
			w.Header().Set("Content-Type", "application/x-pem-file")
			_, _ = w.Write([]byte(certificate)) // the client may have disconnected
		}
	})
}
