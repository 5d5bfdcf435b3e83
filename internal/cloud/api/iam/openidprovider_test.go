package iam_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func TestOpenIDProvidersLiveAndDie(t *testing.T) {
	w, ctx, a, b := newWorld(t), t.Context(), strings.Repeat("a", 40), strings.Repeat("b", 40)
	arn := must(w.CreateOpenIDConnectProvider(ctx, &client.CreateOpenIDConnectProviderInput{
		Url: aws.String("https://id.example.com/x"), ThumbprintList: []string{a}, ClientIDList: []string{"one"},
		Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	}))(t).OpenIDConnectProviderArn
	if *arn != "arn:aws:iam::000000000000:oidc-provider/id.example.com/x" {
		t.Errorf("the provider is %s", *arn)
	}
	_, err := w.CreateOpenIDConnectProvider(ctx, &client.CreateOpenIDConnectProviderInput{
		Url: aws.String("https://id.example.com/x"),
	})
	refused(t, "a second one", err,
		"409 EntityAlreadyExists Provider with url https://id.example.com/x already exists.")
	for range 2 { // adding and removing again change nothing
		must(w.AddClientIDToOpenIDConnectProvider(ctx, &client.AddClientIDToOpenIDConnectProviderInput{
			OpenIDConnectProviderArn: arn, ClientID: aws.String("two"),
		}))(t)
		must(w.RemoveClientIDFromOpenIDConnectProvider(ctx, &client.RemoveClientIDFromOpenIDConnectProviderInput{
			OpenIDConnectProviderArn: arn, ClientID: aws.String("one"),
		}))(t)
	}
	must(w.UpdateOpenIDConnectProviderThumbprint(ctx, &client.UpdateOpenIDConnectProviderThumbprintInput{
		OpenIDConnectProviderArn: arn, ThumbprintList: []string{b},
	}))(t)
	must(w.TagOpenIDConnectProvider(ctx, &client.TagOpenIDConnectProviderInput{
		OpenIDConnectProviderArn: arn, Tags: []types.Tag{{Key: aws.String("l"), Value: aws.String("")}},
	}))(t)
	must(w.UntagOpenIDConnectProvider(ctx, &client.UntagOpenIDConnectProviderInput{
		OpenIDConnectProviderArn: arn, TagKeys: []string{"k"},
	}))(t)
	got := must(w.GetOpenIDConnectProvider(ctx, &client.GetOpenIDConnectProviderInput{
		OpenIDConnectProviderArn: arn,
	}))(t)
	if *got.Url != "id.example.com/x" || !slices.Equal(got.ClientIDList, []string{"two"}) || *got.CreateDate != now ||
		!slices.Equal(got.ThumbprintList, []string{b}) || len(got.Tags) != 1 || *got.Tags[0].Key != "l" {
		t.Errorf("got %+v", got)
	}
	tags := must(w.ListOpenIDConnectProviderTags(ctx, &client.ListOpenIDConnectProviderTagsInput{
		OpenIDConnectProviderArn: arn,
	}))(t).Tags
	listed := must(w.ListOpenIDConnectProviders(ctx, &client.ListOpenIDConnectProvidersInput{}))(t)
	all := listed.OpenIDConnectProviderList
	if len(tags) != 1 || len(all) != 1 || *all[0].Arn != *arn {
		t.Errorf("listed %+v with the tags %+v", all, tags)
	}
	gone := &client.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn}
	must(w.DeleteOpenIDConnectProvider(ctx, gone))(t)
	refused(t, "a deletion again", failure(w.DeleteOpenIDConnectProvider(ctx, gone)),
		"404 NoSuchEntity OpenId connect Provider "+*arn+" cannot be found.")
	_, err = w.GetOpenIDConnectProvider(ctx, &client.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
	refused(t, "a deleted one", err, "404 NoSuchEntity OpenIDConnect Provider not found for arn "+*arn)
}

func TestMalformedOpenIDProvidersAreRefused(t *testing.T) {
	w, long := newWorld(t), strings.Repeat("b", 256)
	var many []string
	for i := range 101 {
		many = append(many, strconv.Itoa(i))
	}
	for want, in := range map[string]*client.CreateOpenIDConnectProviderInput{
		"400 ValidationError 3 validation errors detected: Value at 'clientIDList' failed to satisfy constraint: " +
			"Member must satisfy constraint: [Member must have length less than or equal to 255, Member must have " +
			"length greater than or equal to 1]; Value at 'thumbprintList' failed to satisfy constraint: Member must " +
			"satisfy constraint: [Member must have length less than or equal to 40, Member must have length greater " +
			"than or equal to 40]; Value at 'url' failed to satisfy constraint: Member must have length less than or " +
			"equal to 255": {
			Url: &long, ThumbprintList: []string{long[:41]}, ClientIDList: []string{long},
		},
		"400 ValidationError Invalid Open ID Connect Provider URL": {Url: aws.String("example.org")},
		"400 InvalidInput Thumbprint list must contain fewer than 5 entries.": {
			Url: aws.String("https://a.example"), ThumbprintList: slices.Repeat([]string{long[:40]}, 6),
		},
		"409 LimitExceeded Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100": {
			Url: aws.String("https://a.example"), ClientIDList: many,
		},
	} {
		refused(t, want, failure(w.CreateOpenIDConnectProvider(t.Context(), in)), want)
	}
}
