package servicequotas_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/cloud/api/servicequotas"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// serve returns a client of an API and its manners, which are kind.
func serve(t *testing.T) (*client.Client, *manners.Set) {
	t.Helper()
	set := &manners.Set{}
	api := servicequotas.New(servicequotas.Config{Manners: set})
	cfg := wiretest.Serve(t, "eu-central-1", wire.Service{Name: "servicequotas", API: api})
	return client.NewFromConfig(cfg), set
}

func TestAppliedValuesFollowTheLimits(t *testing.T) {
	c, set := serve(t)
	get := func(q quota.Quota) types.ServiceQuota {
		t.Helper()
		out, err := c.GetServiceQuota(t.Context(), &client.GetServiceQuotaInput{
			ServiceCode: &q.Service, QuotaCode: &q.Code,
		})
		if err != nil {
			t.Fatal(err)
		}
		return *out.Quota
	}
	if got := *get(quota.VPCs).Value; got != quota.Raised {
		t.Errorf("without limits: %v VPCs", got)
	}
	if got := *get(quota.SecurityGroupRules).Value; got != 60 {
		t.Errorf("without limits: %v rules, but the local cloud always applies 60", got)
	}
	set.Use(manners.Settings{Manners: []manners.Manner{manners.Limits}})
	got := get(quota.VPCs)
	if *got.Value != 5 || *got.QuotaName != "VPCs per Region" || !got.Adjustable || got.GlobalQuota ||
		got.QuotaAppliedAtLevel != types.AppliedLevelEnumAccount ||
		!strings.HasPrefix(*got.QuotaArn, "arn:aws:servicequotas:eu-central-1:") ||
		!strings.HasSuffix(*got.QuotaArn, ":vpc/L-F678F1CE") {
		t.Errorf("with limits: %+v", got)
	}
}

func TestDefaultsDoNotFollowTheLimits(t *testing.T) {
	c, _ := serve(t)
	out, err := c.GetAWSDefaultServiceQuota(t.Context(), &client.GetAWSDefaultServiceQuotaInput{
		ServiceCode: aws.String("ec2"), QuotaCode: aws.String("L-1216C47A"),
	})
	const arn = "arn:aws:servicequotas:eu-central-1::ec2/L-1216C47A"
	if err != nil || *out.Quota.Value != 5 || *out.Quota.QuotaArn != arn {
		t.Errorf("got %+v, error %v", out, err)
	}
}

func TestListsArePaginated(t *testing.T) {
	c, _ := serve(t)
	var applied, defaults []string
	pages := client.NewListServiceQuotasPaginator(
		c, &client.ListServiceQuotasInput{ServiceCode: aws.String("vpc"), MaxResults: aws.Int32(2)},
	)
	for n := 0; pages.HasMorePages(); n++ {
		out, err := pages.NextPage(t.Context())
		if err != nil || len(out.Quotas) == 0 || len(out.Quotas) > 2 {
			t.Fatal(n, out, err)
		}
		for _, q := range out.Quotas {
			applied = append(applied, *q.QuotaCode)
		}
	}
	defaultPages := client.NewListAWSDefaultServiceQuotasPaginator(
		c, &client.ListAWSDefaultServiceQuotasInput{ServiceCode: aws.String("vpc"), MaxResults: aws.Int32(3)},
	)
	for defaultPages.HasMorePages() {
		out, err := defaultPages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range out.Quotas {
			defaults = append(defaults, *q.QuotaCode)
		}
	}
	want := 0
	for _, q := range quota.All() {
		if q.Service == "vpc" {
			want++
		}
	}
	if len(applied) != want || strings.Join(applied, " ") != strings.Join(defaults, " ") {
		t.Errorf("applied %v, defaults %v, want %d of each", applied, defaults, want)
	}
}

func TestServicesWithQuotasAreListed(t *testing.T) {
	c, _ := serve(t)
	names := map[string]string{}
	pages := client.NewListServicesPaginator(c, &client.ListServicesInput{MaxResults: aws.Int32(3)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		if err != nil || len(out.Services) == 0 || len(out.Services) > 3 {
			t.Fatal(out, err)
		}
		for _, s := range out.Services {
			names[*s.ServiceCode] = *s.ServiceName
		}
	}
	for _, q := range quota.All() {
		if names[q.Service] == "" {
			t.Errorf("the service of %s is not listed", q.Name)
		}
	}
	if names["vpc"] != "Amazon Virtual Private Cloud (Amazon VPC)" {
		t.Errorf("got %v", names)
	}
}

func TestListsAreFiltered(t *testing.T) {
	c, _ := serve(t)
	for name, test := range map[string]struct {
		in   client.ListServiceQuotasInput
		want int
	}{
		"by code":             {client.ListServiceQuotasInput{QuotaCode: aws.String("L-A4707A72")}, 1},
		"by an unknown code":  {client.ListServiceQuotasInput{QuotaCode: aws.String("L-0")}, 0},
		"of single resources": {client.ListServiceQuotasInput{QuotaAppliedAtLevel: "RESOURCE"}, 0},
	} {
		test.in.ServiceCode = aws.String("vpc")
		out, err := c.ListServiceQuotas(t.Context(), &test.in)
		if err != nil || len(out.Quotas) != test.want {
			t.Errorf("%s: got %+v, error %v", name, out, err)
		}
	}
}

func TestWrongRequestsAreRefused(t *testing.T) {
	c, _ := serve(t)
	get := func(service, code string, id *string) error {
		_, err := c.GetServiceQuota(t.Context(), &client.GetServiceQuotaInput{
			ServiceCode: &service, QuotaCode: &code, ContextId: id,
		})
		return err
	}
	list := func(in client.ListServiceQuotasInput) error {
		in.ServiceCode = aws.String("vpc")
		_, err := c.ListServiceQuotas(t.Context(), &in)
		return err
	}
	const (
		missing = "NoSuchResourceException"
		illegal = "IllegalArgumentException"
	)
	for name, test := range map[string]struct {
		err     error
		code    string
		message string
	}{
		"service":  {get("EC2", "L-1216C47A", nil), missing, "service does not exist"},
		"quota":    {get("ec2", "L-F678F1CE", nil), missing, "L-F678F1CE does not exist for service ec2"},
		"resource": {get("vpc", "L-F678F1CE", aws.String("*")), missing, "context Id"},
		"page":     {list(client.ListServiceQuotasInput{MaxResults: aws.Int32(101)}), illegal, "maxResults"},
		"level":    {list(client.ListServiceQuotasInput{QuotaAppliedAtLevel: "MINE"}), illegal, "enum"},
		"token": {
			list(client.ListServiceQuotasInput{NextToken: aws.String("x")}), "InvalidPaginationTokenException", "token",
		},
	} {
		var api smithy.APIError
		if !errors.As(test.err, &api) || api.ErrorCode() != test.code ||
			!strings.Contains(api.ErrorMessage(), test.message) {
			t.Errorf("%s: got %v", name, test.err)
		}
	}
}
