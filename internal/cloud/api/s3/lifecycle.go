package s3

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const (
	maxRules  = 1000
	maxRuleID = 255
)

// PutBucketLifecycleConfiguration replaces the rules by which objects expire.
func (a *API) PutBucketLifecycleConfiguration(
	ctx context.Context, in *s3.PutBucketLifecycleConfigurationInput,
) (*s3.PutBucketLifecycleConfigurationOutput, error) {
	c := in.LifecycleConfiguration
	if c == nil || len(c.Rules) == 0 || len(c.Rules) > maxRules {
		return nil, malformedXML()
	}
	const smallest = types.TransitionDefaultMinimumObjectSizeAllStorageClasses128k
	if given := in.TransitionDefaultMinimumObjectSize; given != "" && given != smallest {
		return nil, wire.NotImplemented("TransitionDefaultMinimumObjectSize %s of S3: nothing is moved to another "+
			"storage class", given)
	}
	var rules []store.LifecycleRule
	names := map[string]bool{}
	for _, r := range c.Rules {
		rule, err := a.parseRule(r)
		if err != nil {
			return nil, err
		}
		if names[rule.ID] {
			return nil, invalidArgument("Rule ID must be unique. Found same ID for more than one rule")
		}
		names[rule.ID] = true
		rules = append(rules, rule)
	}
	return &s3.PutBucketLifecycleConfigurationOutput{
			TransitionDefaultMinimumObjectSize: smallest,
		}, a.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.Lifecycle = rules
			return nil
		})
}

// parseRule checks a rule and returns it as a row has it.
func (a *API) parseRule(r types.LifecycleRule) (store.LifecycleRule, error) {
	rule := store.LifecycleRule{ID: aws.ToString(r.ID), Enabled: r.Status == types.ExpirationStatusEnabled}
	switch {
	case len(r.Transitions) > 0 || len(r.NoncurrentVersionTransitions) > 0:
		return rule, wire.NotImplemented("transitions of objects to other storage classes")
	case r.Status != types.ExpirationStatusEnabled && r.Status != types.ExpirationStatusDisabled,
		(r.Filter == nil) == (r.Prefix == nil): //nolint:staticcheck // older clients use Prefix
		return rule, malformedXML()
	case len(rule.ID) > maxRuleID:
		return rule, invalidArgument("ID length should not exceed allowed limit of 255")
	case r.Expiration == nil && r.AbortIncompleteMultipartUpload == nil && r.NoncurrentVersionExpiration == nil:
		return rule, wire.Errorf("InvalidRequest",
			"At least one action needs to be specified in a rule.")
	}
	if rule.ID == "" {
		rule.ID = a.ids.UUID()
	}
	if err := parseExpiration(&rule, r.Expiration); err != nil {
		return rule, err
	}
	if err := parseNoncurrent(&rule, r.NoncurrentVersionExpiration); err != nil {
		return rule, err
	}
	if abort := r.AbortIncompleteMultipartUpload; abort != nil {
		if rule.AbandonedParts = aws.ToInt32(abort.DaysAfterInitiation); rule.AbandonedParts < 1 {
			return rule, invalidArgument("'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a " +
				"positive integer")
		}
	}
	return rule, parseFilter(&rule, r)
}

func parseExpiration(rule *store.LifecycleRule, e *types.LifecycleExpiration) error {
	switch {
	case e == nil:
		return nil
	case e.ExpiredObjectDeleteMarker != nil && e.Days == nil && e.Date == nil:
		rule.ExpiredMarkers = e.ExpiredObjectDeleteMarker
		return nil
	case e.ExpiredObjectDeleteMarker != nil, (e.Days == nil) == (e.Date == nil):
		return malformedXML()
	case e.Days != nil && *e.Days < 1:
		return invalidArgument("'Days' for Expiration action must be a positive integer")
	case e.Date != nil && !e.Date.Equal(e.Date.Truncate(day)):
		return invalidArgument("'Date' must be at midnight GMT")
	}
	rule.Days, rule.Date = aws.ToInt32(e.Days), aws.ToTime(e.Date)
	return nil
}

// maxNewerKept is how many versions that are not current a rule keeps at most.
const maxNewerKept = 100

func parseNoncurrent(rule *store.LifecycleRule, e *types.NoncurrentVersionExpiration) error {
	if e == nil {
		return nil
	}
	rule.NoncurrentDays, rule.NewerKept = aws.ToInt32(e.NoncurrentDays), aws.ToInt32(e.NewerNoncurrentVersions)
	switch {
	case rule.NoncurrentDays < 1:
		return invalidArgument("'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer")
	case e.NewerNoncurrentVersions != nil && (rule.NewerKept < 1 || rule.NewerKept > maxNewerKept):
		return invalidArgument("'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be between 1 " +
			"and 100")
	}
	return nil
}

func parseFilter(rule *store.LifecycleRule, r types.LifecycleRule) error {
	f := &rule.ObjectFilter
	if r.Filter == nil {
		f.Prefix = *r.Prefix //nolint:staticcheck // as above
		return nil
	}
	rule.PrefixInFilter, rule.Combined = true, r.Filter.And != nil
	all, err := conditionsOf(r.Filter)
	if err != nil {
		return err
	}
	f.Prefix, f.LargerThan, f.Before = aws.ToString(all.Prefix), aws.ToInt64(all.ObjectSizeGreaterThan),
		aws.ToInt64(all.ObjectSizeLessThan)
	f.NotEmpty = all.ObjectSizeGreaterThan != nil && f.LargerThan == 0
	if f.LargerThan < 0 || all.ObjectSizeLessThan != nil && f.Before <= f.LargerThan {
		return wire.Errorf("InvalidRequest", "'ObjectSizeGreaterThan' must be less than 'ObjectSizeLessThan'")
	}
	if f.Tags, err = mergeTags(all.Tags, len(all.Tags)); err != nil {
		return err
	}
	return checkFilter(rule)
}

// conditionsOf returns all conditions of a filter, which has one or a combination of several.
func conditionsOf(f *types.LifecycleRuleFilter) (types.LifecycleRuleAndOperator, error) {
	given := 0
	for _, set := range []bool{
		f.And != nil, f.Prefix != nil, f.Tag != nil, f.ObjectSizeGreaterThan != nil, f.ObjectSizeLessThan != nil,
	} {
		if set {
			given++
		}
	}
	if given > 1 {
		return types.LifecycleRuleAndOperator{}, malformedXML()
	}
	if f.And != nil {
		return *f.And, nil
	}
	all := types.LifecycleRuleAndOperator{
		Prefix: f.Prefix, ObjectSizeGreaterThan: f.ObjectSizeGreaterThan, ObjectSizeLessThan: f.ObjectSizeLessThan,
	}
	if f.Tag != nil {
		all.Tags = []types.Tag{*f.Tag}
	}
	return all, nil
}

// checkFilter refuses a rule whose filter asks for what its actions do not have.
func checkFilter(rule *store.LifecycleRule) error {
	f := rule.ObjectFilter
	sized := f.LargerThan > 0 || f.NotEmpty || f.Before > 0
	switch {
	case rule.AbandonedParts > 0 && (len(f.Tags) > 0 || sized):
		return wire.Errorf("InvalidRequest",
			"AbortIncompleteMultipartUpload cannot be specified with Tags or object sizes.")
	case rule.ExpiredMarkers != nil && len(f.Tags) > 0:
		return wire.Errorf("InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with Tags.")
	}
	return nil
}

// GetBucketLifecycleConfiguration returns the rules by which objects expire.
func (a *API) GetBucketLifecycleConfiguration(
	ctx context.Context, in *s3.GetBucketLifecycleConfigurationInput,
) (*s3.GetBucketLifecycleConfigurationOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(bucket.Lifecycle) == 0 {
		return nil, failure(http.StatusNotFound, "NoSuchLifecycleConfiguration",
			"The lifecycle configuration does not exist")
	}
	out := &s3.GetBucketLifecycleConfigurationOutput{
		TransitionDefaultMinimumObjectSize: types.TransitionDefaultMinimumObjectSizeAllStorageClasses128k,
	}
	for i := range bucket.Lifecycle {
		out.Rules = append(out.Rules, describeRule(&bucket.Lifecycle[i]))
	}
	return out, nil
}

func describeRule(rule *store.LifecycleRule) types.LifecycleRule {
	out := types.LifecycleRule{ID: aws.String(rule.ID), Status: types.ExpirationStatusDisabled}
	if rule.Enabled {
		out.Status = types.ExpirationStatusEnabled
	}
	switch {
	case rule.Days > 0:
		out.Expiration = &types.LifecycleExpiration{Days: aws.Int32(rule.Days)}
	case !rule.Date.IsZero():
		out.Expiration = &types.LifecycleExpiration{Date: aws.Time(rule.Date)}
	case rule.ExpiredMarkers != nil:
		out.Expiration = &types.LifecycleExpiration{ExpiredObjectDeleteMarker: rule.ExpiredMarkers}
	}
	if rule.NoncurrentDays > 0 {
		out.NoncurrentVersionExpiration = &types.NoncurrentVersionExpiration{
			NoncurrentDays: aws.Int32(rule.NoncurrentDays),
		}
		if rule.NewerKept > 0 {
			out.NoncurrentVersionExpiration.NewerNoncurrentVersions = aws.Int32(rule.NewerKept)
		}
	}
	if rule.AbandonedParts > 0 {
		out.AbortIncompleteMultipartUpload = &types.AbortIncompleteMultipartUpload{
			DaysAfterInitiation: aws.Int32(rule.AbandonedParts),
		}
	}
	f := rule.ObjectFilter
	if !rule.PrefixInFilter {
		out.Prefix = aws.String(f.Prefix) //nolint:staticcheck // as the client wrote it
		return out
	}
	out.Filter = describeFilter(f, rule.Combined)
	return out
}

func describeFilter(f store.ObjectFilter, and bool) *types.LifecycleRuleFilter {
	var more, less *int64
	if f.LargerThan > 0 || f.NotEmpty {
		more = &f.LargerThan
	}
	if f.Before > 0 {
		less = &f.Before
	}
	if and {
		all := &types.LifecycleRuleAndOperator{
			Tags: describeTags(f.Tags), ObjectSizeGreaterThan: more, ObjectSizeLessThan: less,
		}
		if f.Prefix != "" {
			all.Prefix = aws.String(f.Prefix)
		}
		return &types.LifecycleRuleFilter{And: all}
	}
	out := &types.LifecycleRuleFilter{ObjectSizeGreaterThan: more, ObjectSizeLessThan: less}
	switch tags := describeTags(f.Tags); {
	case len(tags) > 0:
		out.Tag = &tags[0]
	case out.ObjectSizeGreaterThan == nil && out.ObjectSizeLessThan == nil:
		out.Prefix = aws.String(f.Prefix)
	}
	return out
}

// DeleteBucketLifecycle removes the rules by which objects expire.
func (a *API) DeleteBucketLifecycle(
	ctx context.Context, in *s3.DeleteBucketLifecycleInput,
) (*s3.DeleteBucketLifecycleOutput, error) {
	return &s3.DeleteBucketLifecycleOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.Lifecycle = nil
			return nil
		})
}

const day = 24 * time.Hour

// after returns when so many days have passed: at the next midnight in UTC (Amazon S3 User
// Guide, "Expiring objects").
func after(t time.Time, days int32) time.Time {
	t = t.UTC().Add(time.Duration(days) * day)
	if midnight := t.Truncate(day); !midnight.Equal(t) {
		return midnight.Add(day)
	}
	return t
}
