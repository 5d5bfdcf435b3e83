package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/policy"
	"aloft.dev/aloft/internal/stack"
)

// emptyLimit is how long the deletion of a bucket waits for logs that are still delivered.
const emptyLimit = 5 * time.Minute

var bucketKind = kind{
	name:   stack.KindBucket,
	find:   findBuckets,
	create: created((*Provisioner).createBucket),
	update: updated((*Provisioner).updateBucket),
	remove: (*Provisioner).deleteBucket,
}

// S3 is the part of Amazon S3 that the package uses.
type S3 interface {
	bucketAPI
	bucketSettingsAPI
}

type bucketAPI interface {
	ListBuckets(context.Context, *s3.ListBucketsInput, ...func(*s3.Options)) (*s3.ListBucketsOutput, error)
	CreateBucket(context.Context, *s3.CreateBucketInput, ...func(*s3.Options)) (*s3.CreateBucketOutput, error)
	DeleteBucket(context.Context, *s3.DeleteBucketInput, ...func(*s3.Options)) (*s3.DeleteBucketOutput, error)
	GetBucketTagging(
		context.Context, *s3.GetBucketTaggingInput, ...func(*s3.Options),
	) (*s3.GetBucketTaggingOutput, error)
	PutBucketTagging(
		context.Context, *s3.PutBucketTaggingInput, ...func(*s3.Options),
	) (*s3.PutBucketTaggingOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
}

type bucketSettingsAPI interface {
	GetBucketLifecycleConfiguration(
		context.Context, *s3.GetBucketLifecycleConfigurationInput, ...func(*s3.Options),
	) (*s3.GetBucketLifecycleConfigurationOutput, error)
	PutBucketLifecycleConfiguration(
		context.Context, *s3.PutBucketLifecycleConfigurationInput, ...func(*s3.Options),
	) (*s3.PutBucketLifecycleConfigurationOutput, error)
	GetBucketPolicy(
		context.Context, *s3.GetBucketPolicyInput, ...func(*s3.Options),
	) (*s3.GetBucketPolicyOutput, error)
	PutBucketPolicy(
		context.Context, *s3.PutBucketPolicyInput, ...func(*s3.Options),
	) (*s3.PutBucketPolicyOutput, error)
	DeleteBucketPolicy(
		context.Context, *s3.DeleteBucketPolicyInput, ...func(*s3.Options),
	) (*s3.DeleteBucketPolicyOutput, error)
	GetPublicAccessBlock(
		context.Context, *s3.GetPublicAccessBlockInput, ...func(*s3.Options),
	) (*s3.GetPublicAccessBlockOutput, error)
	PutPublicAccessBlock(
		context.Context, *s3.PutPublicAccessBlockInput, ...func(*s3.Options),
	) (*s3.PutPublicAccessBlockOutput, error)
}

// STS is the part of AWS STS that the package uses.
type STS interface {
	GetCallerIdentity(
		context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options),
	) (*sts.GetCallerIdentityOutput, error)
}

func findBuckets(ctx context.Context, d *discovery) ([]plan.Found, error) {
	return d.buckets.get(func() ([]plan.Found, error) { return d.listBuckets(ctx) })
}

// listBuckets finds the bucket by its name, which contains the account. A bucket of that
// name without the application's tag is somebody else's.
func (d *discovery) listBuckets(ctx context.Context) ([]plan.Found, error) {
	pages := s3.NewListBucketsPaginator(d.S3, &s3.ListBucketsInput{
		Prefix: aws.String(stack.BucketPrefix(d.App)), BucketRegion: &d.Region, MaxBuckets: aws.Int32(1000),
	})
	buckets, err := collect(ctx, pages, func(page *s3.ListBucketsOutput) []types.Bucket { return page.Buckets })
	if err != nil {
		if !d.AccessLogs && (awsapi.IsForbidden(err) || d.unchecked == nil && awsapi.IsUnsupported(err)) {
			return nil, nil
		}
		return nil, fmt.Errorf("list the buckets: %w", err)
	}
	for _, b := range buckets {
		app, account, region, ok := stack.ParseBucketName(aws.ToString(b.Name))
		if !ok || app != d.App || region != d.Region {
			continue
		}
		f, err := d.bucket(ctx, b, account)
		if awsapi.IsNotFound(err) { // it is being deleted
			return nil, nil
		}
		if err != nil || f == nil {
			return nil, err
		}
		return []plan.Found{*f}, nil
	}
	return nil, nil
}

// bucket describes a bucket if it is the application's.
func (c *Cloud) bucket(ctx context.Context, b types.Bucket, account string) (*plan.Found, error) {
	tags, err := c.bucketTags(ctx, b.Name)
	if err != nil || tags[stack.TagApp] != c.App {
		return nil, err
	}
	f := &plan.Found{
		Address: tags[stack.TagAddress], Kind: stack.KindBucket, ID: *b.Name, Name: *b.Name,
		Created: aws.ToTime(b.CreationDate).UTC().Format(time.RFC3339),
	}
	if err := c.describeBucket(ctx, f, account); err != nil {
		return nil, err
	}
	setTags(f, tags)
	return f, nil
}

// describeBucket sets the attributes of a bucket.
func (c *Cloud) describeBucket(ctx context.Context, f *plan.Found, account string) error {
	rules, err := c.S3.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &f.ID})
	if err := ignoreNotFound("read the lifecycle rules of bucket "+f.ID, err); err != nil {
		return err
	}
	var days int32
	if rules != nil && len(rules.Rules) == 1 && rules.Rules[0].Status == types.ExpirationStatusEnabled &&
		rules.Rules[0].Expiration != nil {
		days = aws.ToInt32(rules.Rules[0].Expiration.Days)
	}
	f.Set(stack.AttrRetention, stack.Retention(days))
	block, err := c.S3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &f.ID})
	if err := ignoreNotFound("read the public access block of bucket "+f.ID, err); err != nil {
		return err
	}
	if block != nil && reflect.DeepEqual(block.PublicAccessBlockConfiguration, blocked()) {
		f.Set(stack.AttrPublicAccess, stack.Blocked)
	}
	out, err := c.S3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &f.ID})
	if err := ignoreNotFound("read the policy of bucket "+f.ID, err); err != nil {
		return err
	}
	if out != nil && sameJSON(aws.ToString(out.Policy), c.deliveryPolicy(f.ID, account)) {
		f.Set(stack.AttrDelivery, stack.On)
	}
	return nil
}

func (c *Cloud) deliveryPolicy(bucket, account string) string {
	return stack.DeliveryPolicy(policy.Partition(c.Region), bucket, account)
}

// sameJSON reports whether two texts are the same document.
func sameJSON(a, b string) bool {
	var first, second any
	return json.Unmarshal([]byte(a), &first) == nil && json.Unmarshal([]byte(b), &second) == nil &&
		reflect.DeepEqual(first, second)
}

func blocked() *types.PublicAccessBlockConfiguration {
	return &types.PublicAccessBlockConfiguration{
		BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true),
		RestrictPublicBuckets: aws.Bool(true),
	}
}

// bucketTags returns the tags of a bucket, none if it has none.
func (c *Cloud) bucketTags(ctx context.Context, name *string) (map[string]string, error) {
	out, err := c.S3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name})
	if awsapi.Code(err) == "NoSuchTagSet" {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the tags of bucket %s: %w", *name, err)
	}
	return tagsOf(out.TagSet, func(t types.Tag) (key, value *string) { return t.Key, t.Value }), nil
}

// createBucket creates a bucket. One that the account has and nobody has tagged is what an
// earlier run has begun.
func (p *Provisioner) createBucket(ctx context.Context, r stack.Resource, body stack.Bucket) (plan.Found, error) {
	identity, err := p.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return plan.Found{}, fmt.Errorf("find the account: %w", err)
	}
	name := stack.BucketName(body.App, aws.ToString(identity.Account), body.Region)
	in := &s3.CreateBucketInput{Bucket: &name}
	if body.Region != "us-east-1" { // where S3 accepts no constraint
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(body.Region),
		}
	}
	if _, err := p.S3.CreateBucket(ctx, in); err != nil && awsapi.Code(err) != "BucketAlreadyOwnedByYou" {
		if awsapi.IsExists(err) {
			return plan.Found{}, nameTaken(r, "a bucket", name, err)
		}
		return plan.Found{}, fmt.Errorf("create bucket %s: %w", name, err)
	}
	tags, err := p.bucketTags(ctx, &name)
	if err != nil {
		return plan.Found{}, err
	}
	if app, tagged := tags[stack.TagApp]; tagged && app != p.App {
		return plan.Found{}, nameTaken(r, "a bucket", name, fmt.Errorf("it belongs to %s", app))
	}
	f := plan.Found{Address: r.Address, Kind: stack.KindBucket, ID: name, Name: name}
	if err := p.bucketTagger(name).set(ctx, p.tags(r)); err != nil {
		return f, fmt.Errorf("tag bucket %s: %w", name, err)
	}
	return f, p.updateBucket(ctx, r, body, f)
}

func (p *Provisioner) updateBucket(ctx context.Context, _ stack.Resource, body stack.Bucket, f plan.Found) error {
	_, account, _, _ := stack.ParseBucketName(f.ID)
	return retryEventual(ctx, "configure bucket "+f.ID, func(ctx context.Context) error {
		_, err := p.S3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
			Bucket: &f.ID, PublicAccessBlockConfiguration: blocked(),
		})
		if err != nil {
			return err
		}
		_, err = p.S3.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{
			Bucket: &f.ID, LifecycleConfiguration: &types.BucketLifecycleConfiguration{
				Rules: []types.LifecycleRule{{
					ID: aws.String(stack.ExpiryRule), Status: types.ExpirationStatusEnabled,
					Filter:     &types.LifecycleRuleFilter{Prefix: aws.String("")},
					Expiration: &types.LifecycleExpiration{Days: &body.Days},
				}},
			},
		})
		if err != nil {
			return err
		}
		_, err = p.S3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{
			Bucket: &f.ID, Policy: aws.String(p.deliveryPolicy(f.ID, account)),
		})
		return err
	})
}

// bucketTagger changes the tags of a bucket, which S3 only replaces as a whole.
func (p *Provisioner) bucketTagger(name string) tagger {
	edit := func(ctx context.Context, change func(tags map[string]string)) error {
		tags, err := p.bucketTags(ctx, &name)
		if err != nil {
			return err
		}
		change(tags)
		set := []types.Tag{}
		for key, value := range tags {
			set = append(set, types.Tag{Key: aws.String(key), Value: aws.String(value)})
		}
		_, err = p.S3.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{
			Bucket: &name, Tagging: &types.Tagging{TagSet: set},
		})
		return err
	}
	return tagger{
		set: func(ctx context.Context, tags []tag) error {
			return edit(ctx, func(all map[string]string) {
				for _, t := range tags {
					all[t.key] = t.value
				}
			})
		},
		remove: func(ctx context.Context, keys []string) error {
			return edit(ctx, func(all map[string]string) {
				for _, key := range keys {
					delete(all, key)
				}
			})
		},
	}
}

// deleteBucket deletes a bucket with all that is in it. Logs of the last minutes may still
// arrive until the policy is gone everywhere.
func (p *Provisioner) deleteBucket(ctx context.Context, f plan.Found) error {
	_, err := p.S3.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &f.ID})
	if err := ignoreNotFound("remove the policy of bucket "+f.ID, err); err != nil {
		return err
	}
	return awsapi.Wait(ctx, emptyLimit, "bucket "+f.ID+" to be empty", func(ctx context.Context) (bool, error) {
		if err := p.emptyBucket(ctx, f.ID); err != nil {
			return false, ignoreNotFound("empty bucket "+f.ID, err)
		}
		_, err := p.S3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &f.ID})
		if awsapi.Code(err) == "BucketNotEmpty" {
			return false, nil
		}
		return err == nil || awsapi.IsNotFound(err), ignoreNotFound("delete bucket "+f.ID, err)
	})
}

// emptyBucket deletes all objects of a bucket.
func (p *Provisioner) emptyBucket(ctx context.Context, name string) error {
	pages := s3.NewListObjectsV2Paginator(p.S3, &s3.ListObjectsV2Input{Bucket: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		var ids []types.ObjectIdentifier
		for _, o := range page.Contents {
			ids = append(ids, types.ObjectIdentifier{Key: o.Key})
		}
		if len(ids) == 0 {
			continue
		}
		out, err := p.S3.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &name, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return err
		}
		for _, e := range out.Errors {
			return fmt.Errorf("delete %s: %s: %s", aws.ToString(e.Key), aws.ToString(e.Code), aws.ToString(e.Message))
		}
	}
	return nil
}
