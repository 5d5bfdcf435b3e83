package cloudwatch_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/metric"
)

const textWidget = `{"widgets": [{"type": "text", "properties": {"markdown": "# Web"}}]}`

func TestDashboardsAreKept(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		for _, name := range []string{"web-b", "web-a", "other"} {
			out, err := c.PutDashboard(t.Context(), &client.PutDashboardInput{
				DashboardName: &name, DashboardBody: aws.String(textWidget),
				Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
			})
			if err != nil || len(out.DashboardValidationMessages) != 0 {
				t.Fatal(out, err)
			}
		}
		got, err := c.GetDashboard(t.Context(), &client.GetDashboardInput{DashboardName: aws.String("web-a")})
		if err != nil || *got.DashboardBody != textWidget || *got.DashboardName != "web-a" ||
			*got.DashboardArn != "arn:aws:cloudwatch::000000000000:dashboard/web-a" {
			t.Fatal(got, err)
		}
		tags, err := c.ListTagsForResource(t.Context(), &client.ListTagsForResourceInput{ResourceARN: got.DashboardArn})
		if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "a" {
			t.Fatal(tags, err)
		}
		if _, err := c.UntagResource(t.Context(), &client.UntagResourceInput{
			ResourceARN: got.DashboardArn, TagKeys: []string{"a"},
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.PutDashboard(t.Context(), &client.PutDashboardInput{
			DashboardName: aws.String("web-a"), DashboardBody: aws.String(textWidget),
			Tags: []types.Tag{{Key: aws.String("c"), Value: aws.String("d")}},
		}); err != nil {
			t.Fatal(err)
		}
		tags, err = c.ListTagsForResource(t.Context(), &client.ListTagsForResourceInput{ResourceARN: got.DashboardArn})
		if err != nil || len(tags.Tags) != 0 {
			t.Fatal(tags, err)
		}
		list, err := c.ListDashboards(t.Context(), &client.ListDashboardsInput{DashboardNamePrefix: aws.String("web")})
		if err != nil || len(list.DashboardEntries) != 2 || *list.DashboardEntries[0].DashboardName != "web-a" ||
			*list.DashboardEntries[0].Size != int64(len(textWidget)) || list.DashboardEntries[0].LastModified == nil {
			t.Fatal(list, err)
		}
		_, err = c.DeleteDashboards(t.Context(), &client.DeleteDashboardsInput{DashboardNames: []string{"other", "no"}})
		wantCode(t, err, "ResourceNotFound", "The specified dashboard does not exist. [no]")
		if _, err := c.DeleteDashboards(t.Context(), &client.DeleteDashboardsInput{
			DashboardNames: []string{"other", "web-a"},
		}); err != nil {
			t.Fatal(err)
		}
		_, err = c.GetDashboard(t.Context(), &client.GetDashboardInput{DashboardName: aws.String("web-a")})
		wantCode(t, err, "ResourceNotFound", "Dashboard web-a does not exist")
	})
}

func TestInvalidDashboardsAreRefused(t *testing.T) {
	overEveryProtocol(t, refuseDashboards)
}

func refuseDashboards(t *testing.T, c *client.Client, _ *metric.Store) {
	for _, test := range []struct{ name, body, code, text string }{
		{"a b", textWidget, "InvalidParameterValue", "DashboardName"},
		{"d", "", "MissingParameter", "DashboardBody"},
		{"d", "text", "InvalidParameterInput", "must be a valid JSON object"},
		{"d", "null", "InvalidParameterInput", "must be a valid JSON object"},
		{"d", `{"widgets": {}}`, "InvalidParameterInput", `there are 1 validation errors: [{"dataPath":"/widgets"`},
		{
			"d", `{"widgets": [{"type": "pie"}]}`, "InvalidParameterInput",
			`there are 2 validation errors: [{"dataPath":"/widgets/0/type",` +
				`"message":"Should be equal to one of the allowed values"}`,
		},
	} {
		_, err := c.PutDashboard(t.Context(), &client.PutDashboardInput{
			DashboardName: &test.name, DashboardBody: &test.body,
		})
		wantCode(t, err, test.code, test.text)
	}
	if list, err := c.ListDashboards(t.Context(), &client.ListDashboardsInput{}); err != nil ||
		len(list.DashboardEntries) != 0 {
		t.Error("a refused dashboard exists", list, err)
	}
}

func TestWhatTheLocalCloudHasNoneOf(t *testing.T) {
	overEveryProtocol(t, askForNothing)
}

func askForNothing(t *testing.T, c *client.Client, _ *metric.Store) {
	if out, err := c.DescribeAnomalyDetectors(
		t.Context(), &client.DescribeAnomalyDetectorsInput{},
	); err != nil || len(out.AnomalyDetectors) != 0 {
		t.Error(out, err)
	}
	if out, err := c.DescribeInsightRules(
		t.Context(), &client.DescribeInsightRulesInput{},
	); err != nil || len(out.InsightRules) != 0 {
		t.Error(out, err)
	}
	if out, err := c.ListMetricStreams(
		t.Context(), &client.ListMetricStreamsInput{},
	); err != nil || len(out.Entries) != 0 {
		t.Error(out, err)
	}
	_, err := c.ListMetricStreams(t.Context(), &client.ListMetricStreamsInput{NextToken: aws.String("x")})
	wantCode(t, err, "InvalidNextToken", "invalid")
}
