package s3

import (
	"context"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Clients ask about settings that no bucket here has, because no operation makes one, and set some to what they are
// anyway. Each question has S3's answer for a bucket without the setting.

// lacks returns the error of a request for a setting that the bucket does not have, or that for a
// bucket that does not exist.
func (a *API) lacks(ctx context.Context, bucket, owner *string, code, message string) error {
	if _, err := findBucket(ctx, a.Store.View(), bucket, owner); err != nil {
		return err
	}
	return failure(http.StatusNotFound, code, message)
}

// has returns the error of a request about a bucket that does not exist, or nil.
func (a *API) has(ctx context.Context, bucket, owner *string) error {
	_, err := findBucket(ctx, a.Store.View(), bucket, owner)
	return err
}

// GetBucketWebsite reports that a bucket is no website.
func (a *API) GetBucketWebsite(
	ctx context.Context, in *s3.GetBucketWebsiteInput,
) (*s3.GetBucketWebsiteOutput, error) {
	return nil, a.lacks(ctx, in.Bucket, in.ExpectedBucketOwner, "NoSuchWebsiteConfiguration",
		"The specified bucket does not have a website configuration")
}

// DeleteBucketWebsite removes the configuration as a website, which no bucket has.
func (a *API) DeleteBucketWebsite(
	ctx context.Context, in *s3.DeleteBucketWebsiteInput,
) (*s3.DeleteBucketWebsiteOutput, error) {
	return &s3.DeleteBucketWebsiteOutput{}, a.has(ctx, in.Bucket, in.ExpectedBucketOwner)
}

// GetBucketReplication reports that a bucket is not replicated.
func (a *API) GetBucketReplication(
	ctx context.Context, in *s3.GetBucketReplicationInput,
) (*s3.GetBucketReplicationOutput, error) {
	return nil, a.lacks(ctx, in.Bucket, in.ExpectedBucketOwner, "ReplicationConfigurationNotFoundError",
		"The replication configuration was not found")
}

// DeleteBucketReplication removes the configuration of replication, which no bucket has.
func (a *API) DeleteBucketReplication(
	ctx context.Context, in *s3.DeleteBucketReplicationInput,
) (*s3.DeleteBucketReplicationOutput, error) {
	return &s3.DeleteBucketReplicationOutput{}, a.has(ctx, in.Bucket, in.ExpectedBucketOwner)
}

// GetBucketLogging returns nothing: requests are not logged.
func (a *API) GetBucketLogging(
	ctx context.Context, in *s3.GetBucketLoggingInput,
) (*s3.GetBucketLoggingOutput, error) {
	return &s3.GetBucketLoggingOutput{}, a.has(ctx, in.Bucket, in.ExpectedBucketOwner)
}

// PutBucketAccelerateConfiguration accepts that Transfer Acceleration is suspended.
func (a *API) PutBucketAccelerateConfiguration(
	ctx context.Context, in *s3.PutBucketAccelerateConfigurationInput,
) (*s3.PutBucketAccelerateConfigurationOutput, error) {
	c := in.AccelerateConfiguration
	switch {
	case c == nil || !slices.Contains(c.Status.Values(), c.Status):
		return nil, malformedXML()
	case c.Status == types.BucketAccelerateStatusEnabled:
		return nil, wire.NotImplemented("Transfer Acceleration of S3")
	}
	return &s3.PutBucketAccelerateConfigurationOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.Accelerated = string(c.Status)
			return nil
		})
}

// GetBucketAccelerateConfiguration returns what PutBucketAccelerateConfiguration has set.
func (a *API) GetBucketAccelerateConfiguration(
	ctx context.Context, in *s3.GetBucketAccelerateConfigurationInput,
) (*s3.GetBucketAccelerateConfigurationOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketAccelerateConfigurationOutput{Status: types.BucketAccelerateStatus(bucket.Accelerated)}, nil
}

// PutBucketRequestPayment accepts that the bucket's owner pays.
func (a *API) PutBucketRequestPayment(
	ctx context.Context, in *s3.PutBucketRequestPaymentInput,
) (*s3.PutBucketRequestPaymentOutput, error) {
	c := in.RequestPaymentConfiguration
	switch {
	case c == nil || !slices.Contains(c.Payer.Values(), c.Payer):
		return nil, malformedXML()
	case c.Payer == types.PayerRequester:
		return nil, wire.NotImplemented("buckets whose requesters pay")
	}
	return &s3.PutBucketRequestPaymentOutput{}, a.has(ctx, in.Bucket, in.ExpectedBucketOwner)
}

// GetBucketRequestPayment reports that the bucket's owner pays.
func (a *API) GetBucketRequestPayment(
	ctx context.Context, in *s3.GetBucketRequestPaymentInput,
) (*s3.GetBucketRequestPaymentOutput, error) {
	return &s3.GetBucketRequestPaymentOutput{
		Payer: types.PayerBucketOwner,
	}, a.has(ctx, in.Bucket, in.ExpectedBucketOwner)
}

// GetBucketPolicyStatus reports whether a bucket's policy is public, which none is.
func (a *API) GetBucketPolicyStatus(
	ctx context.Context, in *s3.GetBucketPolicyStatusInput,
) (*s3.GetBucketPolicyStatusOutput, error) {
	_, err := a.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{
		Bucket: in.Bucket, ExpectedBucketOwner: in.ExpectedBucketOwner,
	})
	return &s3.GetBucketPolicyStatusOutput{PolicyStatus: &types.PolicyStatus{IsPublic: aws.Bool(false)}}, err
}

// ListBucketAnalyticsConfigurations lists no configurations.
func (a *API) ListBucketAnalyticsConfigurations(
	ctx context.Context, in *s3.ListBucketAnalyticsConfigurationsInput,
) (*s3.ListBucketAnalyticsConfigurationsOutput, error) {
	return &s3.ListBucketAnalyticsConfigurationsOutput{
		IsTruncated: aws.Bool(false),
	}, a.has(ctx, in.Bucket, in.ExpectedBucketOwner)
}

// ListBucketIntelligentTieringConfigurations lists no configurations.
func (a *API) ListBucketIntelligentTieringConfigurations(
	ctx context.Context, in *s3.ListBucketIntelligentTieringConfigurationsInput,
) (*s3.ListBucketIntelligentTieringConfigurationsOutput, error) {
	return &s3.ListBucketIntelligentTieringConfigurationsOutput{
		IsTruncated: aws.Bool(false),
	}, a.has(ctx, in.Bucket, in.ExpectedBucketOwner)
}

// ListBucketInventoryConfigurations lists no configurations.
func (a *API) ListBucketInventoryConfigurations(
	ctx context.Context, in *s3.ListBucketInventoryConfigurationsInput,
) (*s3.ListBucketInventoryConfigurationsOutput, error) {
	return &s3.ListBucketInventoryConfigurationsOutput{
		IsTruncated: aws.Bool(false),
	}, a.has(ctx, in.Bucket, in.ExpectedBucketOwner)
}

// ListBucketMetricsConfigurations lists no configurations.
func (a *API) ListBucketMetricsConfigurations(
	ctx context.Context, in *s3.ListBucketMetricsConfigurationsInput,
) (*s3.ListBucketMetricsConfigurationsOutput, error) {
	return &s3.ListBucketMetricsConfigurationsOutput{
		IsTruncated: aws.Bool(false),
	}, a.has(ctx, in.Bucket, in.ExpectedBucketOwner)
}
