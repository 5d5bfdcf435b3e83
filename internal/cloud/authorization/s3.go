package authorization

import (
	"reflect"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// bucketOperations: the actions of S3 differ from its operations (Amazon S3 User Guide,
// "Required permissions for Amazon S3 API operations").
var bucketOperations = operations{
	"ListBuckets":                     {instead: listBucketsNeeds},
	"CreateBucket":                    {instead: newBucket},
	"DeleteBucket":                    {instead: inBucket("DeleteBucket")},
	"HeadBucket":                      {instead: inBucket("ListBucket")},
	"ListObjects":                     {instead: inBucket("ListBucket")},
	"ListObjectsV2":                   {instead: inBucket("ListBucket")},
	"ListMultipartUploads":            {instead: inBucket("ListBucketMultipartUploads")},
	"GetBucketLocation":               {instead: inBucket("GetBucketLocation")},
	"GetBucketTagging":                {instead: inBucket("GetBucketTagging")},
	"PutBucketTagging":                {instead: inBucket("PutBucketTagging")},
	"DeleteBucketTagging":             {instead: inBucket("PutBucketTagging")},
	"GetBucketPolicy":                 {instead: inBucket("GetBucketPolicy")},
	"PutBucketPolicy":                 {instead: inBucket("PutBucketPolicy")},
	"DeleteBucketPolicy":              {instead: inBucket("DeleteBucketPolicy")},
	"GetPublicAccessBlock":            {instead: inBucket("GetBucketPublicAccessBlock")},
	"PutPublicAccessBlock":            {instead: inBucket("PutBucketPublicAccessBlock")},
	"DeletePublicAccessBlock":         {instead: inBucket("PutBucketPublicAccessBlock")},
	"GetBucketEncryption":             {instead: inBucket("GetEncryptionConfiguration")},
	"PutBucketEncryption":             {instead: inBucket("PutEncryptionConfiguration")},
	"DeleteBucketEncryption":          {instead: inBucket("PutEncryptionConfiguration")},
	"GetBucketOwnershipControls":      {instead: inBucket("GetBucketOwnershipControls")},
	"PutBucketOwnershipControls":      {instead: inBucket("PutBucketOwnershipControls")},
	"DeleteBucketOwnershipControls":   {instead: inBucket("PutBucketOwnershipControls")},
	"GetBucketVersioning":             {instead: inBucket("GetBucketVersioning")},
	"PutBucketVersioning":             {instead: inBucket("PutBucketVersioning")},
	"GetBucketLifecycleConfiguration": {instead: inBucket("GetLifecycleConfiguration")},
	"PutBucketLifecycleConfiguration": {instead: inBucket("PutLifecycleConfiguration")},
	"DeleteBucketLifecycle":           {instead: inBucket("PutLifecycleConfiguration")},

	"ListObjectVersions":                         {instead: inBucket("ListBucketVersions")},
	"GetBucketAcl":                               {instead: inBucket("GetBucketAcl")},
	"PutBucketAcl":                               {instead: inBucket("PutBucketAcl")},
	"GetBucketCors":                              {instead: inBucket("GetBucketCORS")},
	"DeleteBucketCors":                           {instead: inBucket("PutBucketCORS")},
	"PutBucketCors":                              {instead: inBucket("PutBucketCORS")},
	"GetBucketWebsite":                           {instead: inBucket("GetBucketWebsite")},
	"DeleteBucketWebsite":                        {instead: inBucket("DeleteBucketWebsite")},
	"GetBucketReplication":                       {instead: inBucket("GetReplicationConfiguration")},
	"DeleteBucketReplication":                    {instead: inBucket("PutReplicationConfiguration")},
	"GetObjectLockConfiguration":                 {instead: inBucket("GetBucketObjectLockConfiguration")},
	"PutObjectLockConfiguration":                 {instead: inBucket("PutBucketObjectLockConfiguration")},
	"GetBucketLogging":                           {instead: inBucket("GetBucketLogging")},
	"GetBucketNotificationConfiguration":         {instead: inBucket("GetBucketNotification")},
	"PutBucketNotificationConfiguration":         {instead: inBucket("PutBucketNotification")},
	"GetBucketAccelerateConfiguration":           {instead: inBucket("GetAccelerateConfiguration")},
	"PutBucketAccelerateConfiguration":           {instead: inBucket("PutAccelerateConfiguration")},
	"GetBucketRequestPayment":                    {instead: inBucket("GetBucketRequestPayment")},
	"PutBucketRequestPayment":                    {instead: inBucket("PutBucketRequestPayment")},
	"GetBucketPolicyStatus":                      {instead: inBucket("GetBucketPolicyStatus")},
	"ListBucketAnalyticsConfigurations":          {instead: inBucket("GetAnalyticsConfiguration")},
	"ListBucketIntelligentTieringConfigurations": {instead: inBucket("GetIntelligentTieringConfiguration")},
	"ListBucketInventoryConfigurations":          {instead: inBucket("GetInventoryConfiguration")},
	"ListBucketMetricsConfigurations":            {instead: inBucket("GetMetricsConfiguration")},

	"GetObjectAcl":            {instead: onVersion("GetObjectAcl", "GetObjectVersionAcl")},
	"PutObjectAcl":            {instead: onVersion("PutObjectAcl", "PutObjectVersionAcl")},
	"GetObjectRetention":      {instead: onObject("GetObjectRetention")},
	"GetObjectLegalHold":      {instead: onObject("GetObjectLegalHold")},
	"PutObjectRetention":      {instead: onObject("PutObjectRetention")},
	"PutObjectLegalHold":      {instead: onObject("PutObjectLegalHold")},
	"GetObjectAttributes":     {instead: onVersion("GetObject", "GetObjectVersion")},
	"GetObject":               {instead: onVersion("GetObject", "GetObjectVersion")},
	"HeadObject":              {instead: onVersion("GetObject", "GetObjectVersion")},
	"PutObject":               {instead: onObject("PutObject")},
	"CreateMultipartUpload":   {instead: onObject("PutObject")},
	"UploadPart":              {instead: onObject("PutObject")},
	"CompleteMultipartUpload": {instead: onObject("PutObject")},
	"AbortMultipartUpload":    {instead: onObject("AbortMultipartUpload")},
	"ListParts":               {instead: onObject("ListMultipartUploadParts")},
	"DeleteObject":            {instead: onVersion("DeleteObject", "DeleteObjectVersion")},
	"DeleteObjects":           {instead: deleteObjectsNeeds},
	"CopyObject":              {instead: copyNeeds},
	"UploadPartCopy":          {instead: copyNeeds},
	"GetObjectTagging":        {instead: onVersion("GetObjectTagging", "GetObjectVersionTagging")},
	"PutObjectTagging":        {instead: onVersion("PutObjectTagging", "PutObjectVersionTagging")},
	"DeleteObjectTagging":     {instead: onVersion("DeleteObjectTagging", "DeleteObjectVersionTagging")},
}

func listBucketsNeeds(*subject) []need {
	return []need{{action: "s3:ListAllMyBuckets", resource: "*"}}
}

const bucketARN = "arn:aws:s3:::"

// inBucket returns the permission for an action on the bucket of a request. Policies limit
// lists by prefix and delimiter.
func inBucket(action string) func(s *subject) []need {
	return func(s *subject) []need {
		return []need{{
			action: "s3:" + action, resource: bucketARN + s.value("Bucket"),
			keys: map[string][]string{"s3:prefix": s.values("Prefix"), "s3:delimiter": s.values("Delimiter")},
		}}
	}
}

// newBucket returns the permissions to create a bucket, and to lock its objects (Amazon S3 API Reference,
// CreateBucket). Its name may be that of another account's bucket, whose policy does not matter: S3 answers that the
// name is taken.
func newBucket(s *subject) []need {
	needs := inBucket("CreateBucket")(s)
	if s.flag("ObjectLockEnabledForBucket") == "true" {
		needs = slices.Concat(
			needs, inBucket("PutBucketObjectLockConfiguration")(s), inBucket("PutBucketVersioning")(s),
		)
	}
	for i := range needs {
		needs[i].creates = true
	}
	return needs
}

// onObject returns the permission for an action on the object of a request, and the one to
// tag what the request writes.
func onObject(action string) func(s *subject) []need {
	return func(s *subject) []need {
		to := func(action string) need { return objectNeed(s, action, s.value("Bucket"), s.value("Key")) }
		return append([]need{to(action)}, alsoNeeds(s, to)...)
	}
}

// alsoNeeds returns the permissions for what a request does with its object besides: to tag it, to lock it, and to
// bypass its lock. to returns the permission for an action on the object.
func alsoNeeds(s *subject, to func(action string) need) (needs []need) {
	for _, also := range []struct {
		action string
		needed bool
	}{
		{"PutObjectTagging", s.value("Tagging") != ""},
		{"PutObjectRetention", s.value("ObjectLockMode") != ""},
		{"PutObjectLegalHold", s.value("ObjectLockLegalHoldStatus") != ""},
		{"BypassGovernanceRetention", s.flag("BypassGovernanceRetention") == "true"},
	} {
		if also.needed {
			needs = append(needs, to(also.action))
		}
	}
	return needs
}

// onVersion returns the permission for an action on the object of a request, or for another one if the
// request names a version.
func onVersion(action, versionAction string) func(s *subject) []need {
	return func(s *subject) []need {
		if version := s.value("VersionId"); version != "" {
			to := func(action string) need {
				return versionNeed(s, action, s.value("Bucket"), s.value("Key"), version)
			}
			return append([]need{to(versionAction)}, alsoNeeds(s, to)...)
		}
		return onObject(action)(s)
	}
}

func objectNeed(s *subject, action, bucket, key string) need {
	keys := map[string][]string{}
	if o, ok := store.Objects.Get(s, store.ObjectKey(bucket, key)); ok {
		keys = objectTags(o)
	}
	return need{action: "s3:" + action, resource: bucketARN + bucket + "/" + key, keys: keys}
}

// versionNeed returns the permission for an action on a version. Policies limit it by the version's tags.
func versionNeed(s *subject, action, bucket, key, version string) need {
	keys := map[string][]string{}
	if o := store.FindVersion(s, bucket, key, version); o != nil {
		keys = objectTags(o)
	}
	keys["s3:VersionId"] = []string{version}
	return need{action: "s3:" + action, resource: bucketARN + bucket + "/" + key, keys: keys}
}

// objectTags returns the condition keys of an object's tags.
func objectTags(o *store.Object) map[string][]string {
	keys := map[string][]string{}
	for name, value := range o.Headers.Tags {
		keys["s3:ExistingObjectTag/"+name] = []string{value}
	}
	return keys
}

func deleteObjectsNeeds(s *subject) (needs []need) {
	visit(s.input, []string{"Delete", "Objects"}, func(id reflect.Value) {
		bucket, key := s.value("Bucket"), strings.Join(valuesAt(id, "Key"), "")
		if version := strings.Join(valuesAt(id, "VersionId"), ""); version != "" {
			if s.flag("BypassGovernanceRetention") == "true" {
				needs = append(needs, versionNeed(s, "BypassGovernanceRetention", bucket, key, version))
			}
			needs = append(needs, versionNeed(s, "DeleteObjectVersion", bucket, key, version))
			return
		}
		needs = append(needs, objectNeed(s, "DeleteObject", bucket, key))
	})
	return needs
}

// copyNeeds returns the permissions to read the source of a copy and to write the copy.
func copyNeeds(s *subject) []need {
	from, ok := wire.ParseCopySource(s.value("CopySource"))
	if !ok {
		return nil
	}
	if from.Version != nil {
		return append(onObject("PutObject")(s),
			versionNeed(s, "GetObjectVersion", from.Bucket, from.Key, *from.Version))
	}
	return append(onObject("PutObject")(s), objectNeed(s, "GetObject", from.Bucket, from.Key))
}
