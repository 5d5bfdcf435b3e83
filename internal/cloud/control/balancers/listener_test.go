//go:build linux

package balancers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

const uploaded = "arn:aws:iam::000000000000:server-certificate/path/name"

func TestListenerConfigHasCertificatesWithKeys(t *testing.T) {
	s := newStore(t)
	change(t, s, seed)
	change(t, s, func(tx *store.Tx) {
		store.LoadBalancers.Edit(tx, "lb", func(lb *store.LoadBalancer) {
			lb.Attributes = map[string]string{
				"routing.http2.enabled": "false",
				"routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "true",
			}
		})
		store.Listeners.Edit(tx, "l", func(l *store.Listener) {
			l.Protocol, l.SSLPolicy, l.Certificates = "HTTPS", "policy", []string{"first", "second", uploaded}
			l.Attributes = map[string]string{"routing.http.request.x_amzn_tls_version.header_name": "X-Version"}
		})
		store.Certificates.Put(
			tx,
			&store.Certificate{ARN: "first", Region: "r", Body: "body", Chain: "chain", Key: "key"},
		)
		store.Certificates.Put(tx, &store.Certificate{ARN: "second", Region: "r", Body: "body 2", Key: "key 2"})
		store.ServerCertificates.Put(tx, &store.ServerCertificate{
			Name: "name", ARN: uploaded, Body: "body 3", Chain: "chain 3", PrivateKey: "key 3",
		})
	})
	lb := configFor(s.View(), namespace, "/logs", time.Now()).LoadBalancers[0]
	want := &balancer.TLS{
		Policy: "policy",
		Certificates: []balancer.Certificate{
			{ARN: "first", Chain: "body\nchain", Key: "key"},
			{ARN: "second", Chain: "body 2\n", Key: "key 2"},
			{ARN: uploaded, Chain: "body 3\nchain 3", Key: "key 3"},
		},
	}
	if diff := cmp.Diff(want, lb.Listeners[0].TLS); diff != "" || !lb.NoHTTP2 || !lb.TLSHeaders ||
		lb.Listeners[0].TLSVersionHeader != "X-Version" {
		t.Errorf("load balancer %+v, TLS (-want +got)\n%s", lb, diff)
	}
}
