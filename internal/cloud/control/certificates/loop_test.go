//go:build linux

package certificates

import (
	"log/slog"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/authority"
	"aloft.dev/aloft/internal/cloud/store"
)

// world is a loop with a clock.
type world struct {
	*Loop
	t   *testing.T
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	a, err := authority.Open(t.TempDir(), w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.Loop = &Loop{Store: s, Authority: a, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)}
	w.put(func(tx *store.Tx) {
		store.HostedZones.Put(tx, &store.HostedZone{ID: "Z1", Name: "example.test."})
		store.Certificates.Put(tx, &store.Certificate{ARN: "arn:c", Region: "r", Created: w.now,
			Request: &store.CertificateRequest{
				Names: []string{"a.example.test", "b.example.test"}, KeyAlgorithm: "EC_prime256v1",
				Validations: []store.DomainValidation{
					{Domain: "a.example.test", Record: "_a.a.example.test.", Value: "_v.acm-validations.aws."},
					{Domain: "b.example.test", Record: "_b.b.example.test.", Value: "_v.acm-validations.aws."},
				},
			}})
	})
	return w
}

func (w *world) put(do func(tx *store.Tx)) {
	w.t.Helper()
	if err := w.Store.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// record creates the record of a validation.
func (w *world) record(name, value string) {
	w.put(func(tx *store.Tx) {
		store.RecordSets.Put(tx, &store.RecordSet{ZoneID: "Z1", Name: name, Type: "CNAME", Values: []string{value}})
	})
}

// look lets the loop look after a time, and returns the certificate.
func (w *world) look(after time.Duration) *store.Certificate {
	w.now = w.now.Add(after)
	w.evaluate(w.Store.View())
	row, _ := store.Certificates.Get(w.Store.View(), "arn:c")
	return row
}

func TestACertificateIsIssuedWhenAllNamesAreProven(t *testing.T) {
	w := newWorld(t)
	w.record("_a.a.example.test.", "_V.acm-validations.aws")
	w.record("_b.b.example.test.", "_another.acm-validations.aws")
	if row := w.look(0); row.Body != "" || !row.Request.Validations[0].Valid || row.Request.Validations[1].Valid {
		t.Errorf("one of two names is proven: %+v", row.Request)
	}
	w.record("_b.b.example.test.", "_v.acm-validations.aws.")
	row := w.look(time.Minute)
	if row.Body == "" || row.Key == "" || !row.Request.Issued.Equal(w.now) {
		t.Errorf("both names are proven: %+v", row.Request)
	}
}

func TestAValidationTimesOutAfterThreeDays(t *testing.T) {
	w := newWorld(t)
	if row := w.look(72*time.Hour - time.Second); row.Request.TimedOut {
		t.Error("timed out too early")
	}
	if row := w.look(time.Second); !row.Request.TimedOut || row.Body != "" {
		t.Errorf("not timed out: %+v", row.Request)
	}
}

func TestACertificateInUseIsRenewedWhileItsRecordsExist(t *testing.T) {
	w := newWorld(t)
	w.record("_a.a.example.test.", "_v.acm-validations.aws.")
	w.record("_b.b.example.test.", "_v.acm-validations.aws.")
	first := w.look(0).Body
	if row := w.look(25 * 24 * time.Hour); row.Body != first {
		t.Error("a certificate that is not in use is renewed")
	}
	w.put(func(tx *store.Tx) {
		store.Listeners.Put(tx, &store.Listener{ARN: "l", Region: "r", Certificates: []string{"arn:c"}})
		store.RecordSets.Delete(tx, store.RecordSetKey("Z1", "_a.a.example.test.", "CNAME"))
	})
	if row := w.look(0); row.Body != first || row.Request.Renewal.Status != renewalPending {
		t.Errorf("renewal without a record: %+v", row.Request.Renewal)
	}
	w.record("_a.a.example.test.", "_v.acm-validations.aws.")
	row := w.look(0)
	if row.Body == first || row.Request.Renewal.Status != renewalDone {
		t.Errorf("renewal with its records: %+v", row.Request.Renewal)
	}
	if again := w.look(time.Hour); again.Body != row.Body {
		t.Error("renewed twice")
	}
}
