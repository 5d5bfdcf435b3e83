package cloudwatch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxDashboards is the size of a page of ListDashboards.
const maxDashboards = 1000

var dashboardForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,255}$`)

func checkDashboardName(name *string) error {
	switch {
	case aws.ToString(name) == "":
		return missingParameter("DashboardName")
	case !dashboardForm.MatchString(*name):
		return invalid("The value %s for parameter DashboardName is invalid: it may have up to 255 letters, digits, "+
			"hyphens and underscores.", *name)
	}
	return nil
}

// dashboardNotFound returns the error for names that no dashboard has. Its code is that of the
// query protocol, as of all errors.
func dashboardNotFound(format string, args ...any) error {
	return &wire.Error{
		Code: "ResourceNotFound", Message: fmt.Sprintf(format, args...), Status: http.StatusNotFound,
	}
}

// PutDashboard creates a dashboard or replaces its body. One that exists keeps its tags.
func (a *API) PutDashboard(
	ctx context.Context, in *cloudwatch.PutDashboardInput,
) (*cloudwatch.PutDashboardOutput, error) {
	if err := cmp.Or(checkDashboardName(in.DashboardName), checkDashboardBody(in.DashboardBody)); err != nil {
		return nil, err
	}
	tags, err := addTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	row := &store.Dashboard{
		Name: *in.DashboardName, Account: wire.GlobalFrom(ctx), Body: *in.DashboardBody, Modified: a.Now().UTC(),
		Tags: tags,
	}
	return &cloudwatch.PutDashboardOutput{
			DashboardValidationMessages: []types.DashboardValidationMessage{},
		}, a.Store.Update(func(tx *store.Tx) error {
			if old, ok := store.Dashboards.Get(tx, row.Key()); ok {
				row.Tags = old.Tags
			}
			store.Dashboards.Put(tx, row)
			return nil
		})
}

// widgetTypes are the types of a dashboard's widgets (Amazon CloudWatch API Reference, Dashboard
// body structure and syntax).
var widgetTypes = []string{"alarm", "custom", "explorer", "log", "metric", "text"}

// checkDashboardBody refuses a body that is no dashboard. Properties of widgets are not read.
func checkDashboardBody(body *string) error {
	if aws.ToString(body) == "" {
		return missingParameter("DashboardBody")
	}
	var page map[string]json.RawMessage
	if json.Unmarshal([]byte(*body), &page) != nil || page == nil {
		return invalidDashboard("The field DashboardBody must be a valid JSON object")
	}
	var problems []string
	problem := func(path, text string) {
		problems = append(problems, fmt.Sprintf(`{"dataPath":%q,"message":%q}`, path, text))
	}
	var widgets []map[string]any
	if given, ok := page["widgets"]; ok && json.Unmarshal(given, &widgets) != nil {
		problem("/widgets", "Should be array of objects")
	}
	for i, widget := range widgets {
		path := fmt.Sprintf("/widgets/%d", i)
		if kind, _ := widget["type"].(string); !slices.Contains(widgetTypes, kind) {
			problem(path+"/type", "Should be equal to one of the allowed values")
		}
		if _, ok := widget["properties"].(map[string]any); !ok {
			problem(path+"/properties", "Should be object")
		}
	}
	if len(problems) > 0 {
		return invalidDashboard(
			"The dashboard body is invalid, there are %d validation errors: [%s]",
			len(problems), strings.Join(problems, ","),
		)
	}
	return nil
}

func invalidDashboard(format string, args ...any) error {
	return wire.Errorf("InvalidParameterInput", format, args...)
}

// GetDashboard returns a dashboard.
func (a *API) GetDashboard(
	ctx context.Context, in *cloudwatch.GetDashboardInput,
) (*cloudwatch.GetDashboardOutput, error) {
	if err := checkDashboardName(in.DashboardName); err != nil {
		return nil, err
	}
	row, ok := store.Dashboards.Get(a.Store.Read(ctx), wire.GlobalFrom(ctx).Key(*in.DashboardName))
	if !ok {
		return nil, dashboardNotFound("Dashboard %s does not exist", *in.DashboardName)
	}
	return &cloudwatch.GetDashboardOutput{
		DashboardName: &row.Name, DashboardArn: aws.String(dashboardARN(row)), DashboardBody: &row.Body,
	}, nil
}

func dashboardARN(row *store.Dashboard) string {
	return identity.ARN("cloudwatch", row.Account, "dashboard/"+row.Name)
}

// ListDashboards lists the account's dashboards, or those whose names start with a prefix.
func (a *API) ListDashboards(
	ctx context.Context, in *cloudwatch.ListDashboardsInput,
) (*cloudwatch.ListDashboardsOutput, error) {
	rows := slices.DeleteFunc(
		store.Dashboards.InRegion(a.Store.Read(ctx), wire.GlobalFrom(ctx)),
		func(row *store.Dashboard) bool {
			return !strings.HasPrefix(row.Name, aws.ToString(in.DashboardNamePrefix))
		},
	)
	slices.SortFunc(rows, func(a, b *store.Dashboard) int { return cmp.Compare(a.Name, b.Name) })
	request := *in
	request.NextToken = nil
	rows, next, err := pageRows(rows, request, in.NextToken, nil, maxDashboards)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.ListDashboardsOutput{DashboardEntries: []types.DashboardEntry{}, NextToken: next}
	for _, row := range rows {
		out.DashboardEntries = append(out.DashboardEntries, types.DashboardEntry{
			DashboardName: &row.Name, DashboardArn: aws.String(dashboardARN(row)),
			LastModified: &row.Modified, Size: aws.Int64(int64(len(row.Body))),
		})
	}
	return out, nil
}

// DeleteDashboards deletes dashboards: all of the names, or none if one of them does not exist.
func (a *API) DeleteDashboards(
	ctx context.Context, in *cloudwatch.DeleteDashboardsInput,
) (*cloudwatch.DeleteDashboardsOutput, error) {
	if len(in.DashboardNames) == 0 {
		return nil, missingParameter("DashboardNames")
	}
	return &cloudwatch.DeleteDashboardsOutput{}, a.Store.Update(func(tx *store.Tx) error {
		var missing []string
		for _, name := range in.DashboardNames {
			key := wire.GlobalFrom(ctx).Key(name)
			if _, ok := store.Dashboards.Get(tx, key); !ok {
				missing = append(missing, name)
			}
			store.Dashboards.Delete(tx, key)
		}
		if len(missing) > 0 {
			return dashboardNotFound("The specified dashboard does not exist. [%s]", strings.Join(missing, ", "))
		}
		return nil
	})
}
