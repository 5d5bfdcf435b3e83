package s3

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// The longest default retention (Amazon S3 User Guide, "Locking objects with Object Lock").
const (
	maxRetentionDays  = 36500
	maxRetentionYears = 100
)

const (
	governance = string(types.ObjectLockModeGovernance)
	compliance = string(types.ObjectLockModeCompliance)
	held       = string(types.ObjectLockLegalHoldStatusOn)
)

// PutObjectLockConfiguration makes a bucket one whose versions can be locked, which it stays, and sets how long
// new versions are locked by default.
func (a *API) PutObjectLockConfiguration(
	ctx context.Context, in *s3.PutObjectLockConfigurationInput,
) (*s3.PutObjectLockConfigurationOutput, error) {
	if err := cmp.Or(check(in), a.has(ctx, in.Bucket, in.ExpectedBucketOwner)); err != nil {
		return nil, err
	}
	lock, err := defaultLock(in.ObjectLockConfiguration)
	if err != nil {
		return nil, err
	}
	return &s3.PutObjectLockConfigurationOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			if b.Versioning != enabled {
				return failure(http.StatusConflict, "InvalidBucketState",
					"Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
			}
			b.ObjectLock = lock
			return nil
		})
}

// defaultLock returns the lock that a configuration describes.
func defaultLock(c *types.ObjectLockConfiguration) (*store.ObjectLock, error) {
	switch {
	case c == nil || c.ObjectLockEnabled != types.ObjectLockEnabledEnabled:
		return nil, malformedXML()
	case c.Rule == nil:
		return &store.ObjectLock{}, nil
	}
	d := c.Rule.DefaultRetention
	if d != nil && d.DefaultEventHold != nil {
		return nil, wire.NotImplemented("event holds of S3")
	}
	if d == nil || !isLockMode(string(d.Mode)) || (d.Days == nil) == (d.Years == nil) {
		return nil, malformedXML()
	}
	for _, period := range []struct {
		given *int32
		most  int32
	}{{d.Days, maxRetentionDays}, {d.Years, maxRetentionYears}} {
		switch {
		case period.given == nil:
		case *period.given <= 0:
			return nil, invalidArgument("Default retention period must be a positive integer value.")
		case *period.given > period.most:
			return nil, invalidArgument("Default retention period too large.")
		}
	}
	return &store.ObjectLock{Mode: string(d.Mode), Days: aws.ToInt32(d.Days), Years: aws.ToInt32(d.Years)}, nil
}

func isLockMode(mode string) bool { return mode == governance || mode == compliance }

// GetObjectLockConfiguration returns how long new versions of a bucket are locked by default.
func (a *API) GetObjectLockConfiguration(
	ctx context.Context, in *s3.GetObjectLockConfigurationInput,
) (*s3.GetObjectLockConfigurationOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	switch {
	case err != nil:
		return nil, err
	case bucket.ObjectLock == nil:
		return nil, failure(http.StatusNotFound, "ObjectLockConfigurationNotFoundError",
			"Object Lock configuration does not exist for this bucket")
	}
	out := &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled}
	if lock := bucket.ObjectLock; lock.Mode != "" {
		d := &types.DefaultRetention{Mode: types.ObjectLockRetentionMode(lock.Mode)}
		if lock.Days > 0 {
			d.Days = &lock.Days
		} else {
			d.Years = &lock.Years
		}
		out.Rule = &types.ObjectLockRule{DefaultRetention: d}
	}
	return &s3.GetObjectLockConfigurationOutput{ObjectLockConfiguration: out}, nil
}

// protection returns how a request protects the version that it writes.
func (a *API) protection(
	mode types.ObjectLockMode, until *time.Time, hold types.ObjectLockLegalHoldStatus,
) (store.Protection, error) {
	p := store.Protection{Mode: string(mode), LegalHold: string(hold)}
	switch {
	case (mode == "") != (until == nil):
		return p, invalidArgument(
			"x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	case mode != "" && !isLockMode(p.Mode):
		return p, invalidArgument("Unknown wormMode directive.")
	case until != nil && !until.After(a.Now()):
		return p, invalidArgument("The retain until date must be in the future!")
	case hold != "" && !slices.Contains(hold.Values(), hold):
		return p, invalidArgument("Legal Hold must be either of 'ON' or 'OFF'")
	}
	if until != nil {
		p.Until = until.UTC()
	}
	return p, nil
}

// protect protects a new version as its request or its bucket says.
func protect(bucket *store.Bucket, o *store.Object) error {
	lock := bucket.ObjectLock
	switch {
	case lock == nil && o.Protection != store.Protection{}:
		return failure(http.StatusBadRequest, "InvalidRequest", "Bucket is missing ObjectLockConfiguration")
	case lock == nil || lock.Mode == "" || o.Protection.Mode != "":
		return nil
	}
	o.Protection.Mode = lock.Mode
	o.Protection.Until = o.Modified.AddDate(int(lock.Years), 0, int(lock.Days))
	return nil
}

// isProtected reports whether a version cannot be deleted. bypass is for governance.
func (a *API) isProtected(o *store.Object, bypass bool) bool {
	p := o.Protection
	return p.LegalHold == held || isRetained(p, a.Now()) && (p.Mode == compliance || !bypass)
}

func isRetained(p store.Protection, now time.Time) bool { return p.Mode != "" && p.Until.After(now) }

func objectProtected() error {
	return failure(http.StatusForbidden, "AccessDenied", "Access Denied because object protected by object lock.")
}

// checkBypass refuses to bypass what a bucket does not have.
func checkBypass(bucket *store.Bucket, bypass *bool) error {
	if bypass == nil || bucket.ObjectLock != nil {
		return nil
	}
	return invalidArgument("x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.")
}

// lockable returns a version whose bucket locks versions.
func lockable(ctx context.Context, r store.Reader, at place) (*store.Object, error) {
	bucket, err := findBucket(ctx, r, at.bucket, at.owner)
	switch {
	case err != nil:
		return nil, err
	case bucket.ObjectLock == nil:
		return nil, failure(http.StatusBadRequest, "InvalidRequest", "Bucket is missing Object Lock Configuration")
	}
	return findObject(ctx, r, at.bucket, at.owner, at.key, at.version)
}

// protectionOf returns how the version that a request names is protected.
func (a *API) protectionOf(ctx context.Context, in any, at place) (store.Protection, error) {
	if err := check(in); err != nil {
		return store.Protection{}, err
	}
	o, err := lockable(ctx, a.Store.View(), at)
	if err != nil {
		return store.Protection{}, err
	}
	return o.Protection, nil
}

// editProtection changes how a version is protected.
func (a *API) editProtection(ctx context.Context, at place, change func(p *store.Protection) error) error {
	return a.Store.Update(func(tx *store.Tx) error {
		o, err := lockable(ctx, tx, at)
		if err != nil {
			return err
		}
		changed := *o
		if err := change(&changed.Protection); err != nil {
			return err
		}
		putVersion(tx, &changed)
		return nil
	})
}

// checkRetention refuses a retention that has one of mode and time, or a time that is over. One without both ends a
// retention.
func (a *API) checkRetention(r *types.ObjectLockRetention) error {
	switch {
	case r == nil:
		return malformedXML()
	case r.EventHold != "" || r.EventHoldDuration != nil:
		return wire.NotImplemented("event holds of S3")
	case (r.Mode == "") != (r.RetainUntilDate == nil), r.Mode != "" && !isLockMode(string(r.Mode)):
		return malformedXML()
	case r.Mode != "" && !r.RetainUntilDate.After(a.Now()):
		return invalidArgument("The retain until date must be in the future!")
	}
	return nil
}

// PutObjectRetention sets until when a version cannot be deleted. Others may extend a retention, but only a
// caller who bypasses governance may shorten one, and nobody that of compliance.
func (a *API) PutObjectRetention(
	ctx context.Context, in *s3.PutObjectRetentionInput,
) (*s3.PutObjectRetentionOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	retention := in.Retention
	if err := a.checkRetention(retention); err != nil {
		return nil, err
	}
	until := aws.ToTime(retention.RetainUntilDate).UTC()
	at := place{in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId}
	return &s3.PutObjectRetentionOutput{}, a.editProtection(ctx, at, func(p *store.Protection) error {
		weaker := until.Before(p.Until) || string(retention.Mode) != p.Mode
		bypasses := p.Mode == governance && aws.ToBool(in.BypassGovernanceRetention)
		if isRetained(*p, a.Now()) && weaker && !bypasses {
			return objectProtected()
		}
		p.Mode, p.Until = string(retention.Mode), time.Time{}
		if p.Mode != "" {
			p.Until = until
		}
		return nil
	})
}

func noLock() error {
	return failure(http.StatusNotFound, "NoSuchObjectLockConfiguration",
		"The specified object does not have a ObjectLock configuration")
}

// GetObjectRetention returns until when a version cannot be deleted.
func (a *API) GetObjectRetention(
	ctx context.Context, in *s3.GetObjectRetentionInput,
) (*s3.GetObjectRetentionOutput, error) {
	p, err := a.protectionOf(ctx, in, place{in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId})
	switch {
	case err != nil:
		return nil, err
	case p.Mode == "":
		return nil, noLock()
	}
	return &s3.GetObjectRetentionOutput{Retention: &types.ObjectLockRetention{
		Mode: types.ObjectLockRetentionMode(p.Mode), RetainUntilDate: &p.Until,
	}}, nil
}

// PutObjectLegalHold sets whether a version is held, and thus cannot be deleted.
func (a *API) PutObjectLegalHold(
	ctx context.Context, in *s3.PutObjectLegalHoldInput,
) (*s3.PutObjectLegalHoldOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	if in.LegalHold == nil || !slices.Contains(in.LegalHold.Status.Values(), in.LegalHold.Status) {
		return nil, malformedXML()
	}
	at := place{in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId}
	return &s3.PutObjectLegalHoldOutput{}, a.editProtection(ctx, at, func(p *store.Protection) error {
		p.LegalHold = string(in.LegalHold.Status)
		return nil
	})
}

// GetObjectLegalHold reports whether a version is held.
func (a *API) GetObjectLegalHold(
	ctx context.Context, in *s3.GetObjectLegalHoldInput,
) (*s3.GetObjectLegalHoldOutput, error) {
	p, err := a.protectionOf(ctx, in, place{in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId})
	switch {
	case err != nil:
		return nil, err
	case p.LegalHold == "":
		return nil, noLock()
	}
	return &s3.GetObjectLegalHoldOutput{LegalHold: &types.ObjectLockLegalHold{
		Status: types.ObjectLockLegalHoldStatus(p.LegalHold),
	}}, nil
}

// describeProtection fills the headers about the protection of a version.
func describeProtection(out *s3.HeadObjectOutput, p store.Protection) {
	out.ObjectLockMode = types.ObjectLockMode(p.Mode)
	out.ObjectLockLegalHoldStatus = types.ObjectLockLegalHoldStatus(p.LegalHold)
	if p.Mode != "" {
		out.ObjectLockRetainUntilDate = &p.Until
	}
}
