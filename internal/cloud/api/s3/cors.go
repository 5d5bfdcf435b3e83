package s3

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxCORSRules is how many rules a bucket has (Amazon S3 User Guide, "Elements of a CORS configuration").
const maxCORSRules = 100

var corsMethods = []string{http.MethodGet, http.MethodPut, http.MethodHead, http.MethodPost, http.MethodDelete}

// PutBucketCors replaces the rules by which web pages of other origins may send requests to a bucket.
func (a *API) PutBucketCors(ctx context.Context, in *s3.PutBucketCorsInput) (*s3.PutBucketCorsOutput, error) {
	if in.CORSConfiguration == nil || len(in.CORSConfiguration.CORSRules) == 0 ||
		len(in.CORSConfiguration.CORSRules) > maxCORSRules {
		return nil, malformedXML()
	}
	var rules []store.CORSRule
	for _, r := range in.CORSConfiguration.CORSRules {
		if err := checkCORSRule(r); err != nil {
			return nil, err
		}
		rules = append(rules, store.CORSRule{
			ID: aws.ToString(r.ID), Origins: r.AllowedOrigins, Methods: r.AllowedMethods, Headers: r.AllowedHeaders,
			ExposedHeaders: r.ExposeHeaders, MaxAge: r.MaxAgeSeconds,
		})
	}
	return &s3.PutBucketCorsOutput{}, a.editBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
		b.CORS = rules
		return nil
	})
}

func checkCORSRule(r types.CORSRule) error {
	if len(r.AllowedOrigins) == 0 || len(r.AllowedMethods) == 0 || len(aws.ToString(r.ID)) > maxRuleID {
		return malformedXML()
	}
	for _, method := range r.AllowedMethods {
		if !slices.Contains(corsMethods, method) {
			return wire.Errorf("InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method "+
				"is %s", method)
		}
	}
	for element, values := range map[string][]string{
		"AllowedOrigin": r.AllowedOrigins, "AllowedHeader": r.AllowedHeaders,
	} {
		for _, value := range values {
			if strings.Count(value, "*") > 1 {
				return wire.Errorf("InvalidRequest", "%s \"%s\" can not have more than one wildcard.", element, value)
			}
		}
	}
	for _, value := range r.ExposeHeaders {
		if strings.Contains(value, "*") {
			return wire.Errorf("InvalidRequest", "ExposeHeader \"%s\" contains wildcard. We currently do not support "+
				"wildcard for ExposeHeader.", value)
		}
	}
	return nil
}

// GetBucketCors returns the rules for web pages of other origins.
func (a *API) GetBucketCors(ctx context.Context, in *s3.GetBucketCorsInput) (*s3.GetBucketCorsOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(bucket.CORS) == 0 {
		return nil, failure(http.StatusNotFound, "NoSuchCORSConfiguration", "The CORS configuration does not exist")
	}
	out := &s3.GetBucketCorsOutput{}
	for _, r := range bucket.CORS {
		described := types.CORSRule{
			AllowedOrigins: r.Origins, AllowedMethods: r.Methods, AllowedHeaders: r.Headers,
			ExposeHeaders: r.ExposedHeaders, MaxAgeSeconds: r.MaxAge,
		}
		if r.ID != "" {
			described.ID = aws.String(r.ID)
		}
		out.CORSRules = append(out.CORSRules, described)
	}
	return out, nil
}

// DeleteBucketCors removes the rules for web pages of other origins.
func (a *API) DeleteBucketCors(
	ctx context.Context, in *s3.DeleteBucketCorsInput,
) (*s3.DeleteBucketCorsOutput, error) {
	return &s3.DeleteBucketCorsOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.CORS = nil
			return nil
		})
}

func noCrossOrigin(why string) error {
	return failure(http.StatusForbidden, "AccessForbidden", "CORSResponse: "+why)
}

// CrossOrigin returns the headers for a web page that may send a request by the rules of its bucket.
func (a *API) CrossOrigin(r wire.CrossOrigin) (map[string]string, error) {
	if r.Origin == "" {
		return nil, wire.Errorf("BadRequest", "Insufficient information. Origin request header needed.")
	}
	bucket, ok := store.Buckets.Get(a.Store.View(), r.Bucket)
	switch {
	case !ok:
		return nil, noCrossOrigin("Bucket not found")
	case len(bucket.CORS) == 0:
		return nil, noCrossOrigin("CORS is not enabled for this bucket.")
	}
	for _, rule := range bucket.CORS {
		if headers, ok := allows(rule, r); ok {
			return headers, nil
		}
	}
	return nil, noCrossOrigin("This CORS request is not allowed. This is usually because the evalution of Origin, " +
		"request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the " +
		"resource's CORS spec.")
}

// allows returns the headers for a page whose request a rule allows.
func allows(rule store.CORSRule, r wire.CrossOrigin) (headers map[string]string, ok bool) {
	i := slices.IndexFunc(rule.Origins, func(pattern string) bool { return matchesWildcard(pattern, r.Origin) })
	if i < 0 || !slices.Contains(rule.Methods, r.Method) {
		return nil, false
	}
	for _, name := range r.Headers {
		if !slices.ContainsFunc(rule.Headers, func(pattern string) bool {
			return matchesWildcard(strings.ToLower(pattern), name)
		}) {
			return nil, false
		}
	}
	headers = map[string]string{
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": strings.Join(rule.Methods, ", "),
		"Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
	}
	if rule.Origins[i] != "*" {
		headers["Access-Control-Allow-Origin"], headers["Access-Control-Allow-Credentials"] = r.Origin, "true"
	}
	if r.Preflight && len(r.Headers) > 0 {
		headers["Access-Control-Allow-Headers"] = strings.Join(r.Headers, ", ")
	}
	if len(rule.ExposedHeaders) > 0 {
		headers["Access-Control-Expose-Headers"] = strings.Join(rule.ExposedHeaders, ", ")
	}
	if rule.MaxAge != nil {
		headers["Access-Control-Max-Age"] = strconv.Itoa(int(*rule.MaxAge))
	}
	return headers, true
}

// matchesWildcard reports whether a text matches a pattern, in which one * stands for any characters.
func matchesWildcard(pattern, text string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	return len(text) >= len(before)+len(after) && strings.HasPrefix(text, before) && strings.HasSuffix(text, after)
}
