//go:build linux

// Package certificates issues the certificates that users request from AWS Certificate
// Manager, and renews them. A loop validates their names against the hosted zones of the
// local cloud.
package certificates

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/authority"
	"aloft.dev/aloft/internal/cloud/hostedzone"
	"aloft.dev/aloft/internal/cloud/store"
)

const (
	// validationTimeout is how long ACM waits for records (AWS Certificate Manager User
	// Guide, "Troubleshoot DNS validation problems").
	validationTimeout = 72 * time.Hour
	// renewBefore is how long before its end a certificate is renewed. On AWS it is 60
	// days, of certificates that are valid for longer.
	renewBefore = authority.Validity / 3
	// interval is the longest time between two looks at the clock.
	interval = time.Hour
)

// Loop issues and renews certificates. Fill the fields, then call Run once.
type Loop struct {
	Store     *store.Store
	Authority *authority.Authority
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger
}

// Run issues and renews certificates until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	if l.Now == nil {
		l.Now = time.Now
	}
	for ctx.Err() == nil {
		view := l.Store.View()
		next := l.evaluate(view)
		bounded, cancel := context.WithTimeout(ctx, next.Sub(l.Now()))
		_ = view.Changed(bounded, store.Certificates, store.HostedZones, store.RecordSets, store.Listeners)
		cancel()
	}
	return nil
}

// evaluate looks at every certificate and returns when to look again at the latest.
func (l *Loop) evaluate(view store.Reader) time.Time {
	now := l.Now().UTC()
	next := now.Add(interval)
	for _, row := range store.Certificates.List(view) {
		r := row.Request
		if r == nil || r.TimedOut {
			continue
		}
		if now.Before(r.CheckedAt) {
			next = earlier(next, r.CheckedAt)
			continue
		}
		if row.Body == "" {
			next = earlier(next, row.Created.Add(validationTimeout))
			l.issue(view, row, now)
			continue
		}
		if due := renewalDue(row); now.Before(due) {
			next = earlier(next, due)
		} else if inUse(view, row.ARN) {
			l.renew(view, row, now)
		}
	}
	return next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// validate returns the validations of a request by the records of now, and whether all
// names are valid.
func validate(view store.Reader, r *store.CertificateRequest) (out []store.DomainValidation, all bool) {
	all = true
	for _, v := range r.Validations {
		v.Valid = proven(view, v)
		all = all && v.Valid
		out = append(out, v)
	}
	return out, all
}

// proven reports whether a zone has the record of a validation.
func proven(view store.Reader, v store.DomainValidation) bool {
	name, err := hostedzone.ParseName(v.Record)
	if err != nil {
		return false
	}
	answer, ok := hostedzone.Lookup(view, "", name, "CNAME")
	if !ok || len(answer.Records) == 0 || len(answer.Records[0].Values) != 1 {
		return false
	}
	value, err := hostedzone.ParseName(answer.Records[0].Values[0])
	return err == nil && value == v.Value
}

// issue issues a certificate whose names are all valid, and records which are.
func (l *Loop) issue(view store.Reader, row *store.Certificate, now time.Time) {
	validations, all := validate(view, row.Request)
	timedOut := !all && !now.Before(row.Created.Add(validationTimeout))
	var issued authority.Issued
	if all {
		var err error
		if issued, err = l.Authority.Issue(row.Request.Names, row.Request.KeyAlgorithm, now); err != nil {
			l.Log.Warn("issue a certificate", "certificate", row.ARN, "error", err)
			return
		}
	} else if !timedOut && slices.Equal(validations, row.Request.Validations) {
		return
	}
	l.edit(row.ARN, func(edited *store.Certificate, r *store.CertificateRequest) {
		r.Validations, r.TimedOut = validations, timedOut
		if all {
			edited.Body, edited.Chain, edited.Key, r.Issued = issued.Certificate, issued.Chain, issued.Key, now
		}
	})
}

// The renewal statuses (AWS Certificate Manager API Reference, RenewalSummary).
const (
	renewalPending = "PENDING_VALIDATION"
	renewalDone    = "SUCCESS"
)

// renew replaces a certificate in use by one that is valid for longer. Its listeners serve
// the new one at once.
func (l *Loop) renew(view store.Reader, row *store.Certificate, now time.Time) {
	validations, all := validate(view, row.Request)
	if !all {
		if row.Request.Renewal.Status == renewalPending && slices.Equal(validations, row.Request.Validations) {
			return
		}
		l.edit(row.ARN, func(_ *store.Certificate, r *store.CertificateRequest) {
			r.Validations, r.Renewal = validations, store.CertificateRenewal{Status: renewalPending, Updated: now}
		})
		return
	}
	issued, err := l.Authority.Issue(row.Request.Names, row.Request.KeyAlgorithm, now)
	if err != nil {
		l.Log.Warn("renew a certificate", "certificate", row.ARN, "error", err)
		return
	}
	l.edit(row.ARN, func(edited *store.Certificate, r *store.CertificateRequest) {
		edited.Body, edited.Chain, edited.Key = issued.Certificate, issued.Chain, issued.Key
		r.Validations, r.Renewal = validations, store.CertificateRenewal{Status: renewalDone, Updated: now}
	})
}

// edit changes a certificate that still exists.
func (l *Loop) edit(arn string, change func(*store.Certificate, *store.CertificateRequest)) {
	err := l.Store.Update(func(tx *store.Tx) error {
		store.Certificates.Edit(tx, arn, func(row *store.Certificate) {
			request := *row.Request
			row.Request = &request
			change(row, &request)
		})
		return nil
	})
	if err != nil {
		l.Log.Warn("record a certificate", "certificate", arn, "error", err)
	}
}

// renewalDue returns when a certificate is to be renewed.
func renewalDue(row *store.Certificate) time.Time {
	block, _ := pem.Decode([]byte(row.Body))
	if block == nil {
		return time.Time{}
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}
	}
	return leaf.NotAfter.Add(-renewBefore)
}

// inUse reports whether a listener has the certificate. ACM renews no others.
func inUse(view store.Reader, arn string) bool {
	for _, l := range store.Listeners.List(view) {
		if slices.Contains(l.Certificates, arn) {
			return true
		}
	}
	return false
}
