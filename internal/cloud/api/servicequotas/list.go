package servicequotas

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"

	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxPage is both the largest page and the default.
const maxPage = 100

// pageTokens starts the tokens of the API's pages.
const pageTokens page.Prefix = "quota-after:"

// ListServiceQuotas returns the values of a service's quotas that are applied to the
// account.
func (a *API) ListServiceQuotas(
	ctx context.Context, in *servicequotas.ListServiceQuotasInput,
) (*servicequotas.ListServiceQuotasOutput, error) {
	level := in.QuotaAppliedAtLevel
	if level != "" && !slices.Contains(level.Values(), level) {
		return nil, model.OutOfSet("quotaAppliedAtLevel", level, "ACCOUNT", "ALL", "RESOURCE")
	}
	quotas, err := ofService(in.ServiceCode)
	if err != nil {
		return nil, err
	}
	quotas = slices.DeleteFunc(quotas, func(q quota.Quota) bool {
		return in.QuotaCode != nil && q.Code != *in.QuotaCode || level == types.AppliedLevelEnumResource
	})
	quotas, next, err := paginate(quotas, in.MaxResults, in.NextToken, codeOf)
	if err != nil {
		return nil, err
	}
	out := &servicequotas.ListServiceQuotasOutput{Quotas: []types.ServiceQuota{}, NextToken: next}
	for _, q := range quotas {
		out.Quotas = append(out.Quotas, *a.applied(ctx, q))
	}
	return out, nil
}

// ListAWSDefaultServiceQuotas returns the values of a service's quotas that a new
// account has.
func (a *API) ListAWSDefaultServiceQuotas(
	ctx context.Context, in *servicequotas.ListAWSDefaultServiceQuotasInput,
) (*servicequotas.ListAWSDefaultServiceQuotasOutput, error) {
	quotas, err := ofService(in.ServiceCode)
	if err != nil {
		return nil, err
	}
	quotas, next, err := paginate(quotas, in.MaxResults, in.NextToken, codeOf)
	if err != nil {
		return nil, err
	}
	out := &servicequotas.ListAWSDefaultServiceQuotasOutput{Quotas: []types.ServiceQuota{}, NextToken: next}
	for _, q := range quotas {
		out.Quotas = append(out.Quotas, *byDefault(ctx, q))
	}
	return out, nil
}

// ofService returns the quotas of a service.
func ofService(code *string) ([]quota.Quota, error) {
	if err := model.Required("serviceCode", code != nil); err != nil {
		return nil, err
	}
	if quota.ServiceName(*code) == "" {
		return nil, missingService()
	}
	return slices.DeleteFunc(quota.All(), func(q quota.Quota) bool { return q.Service != *code }), nil
}

// ListServices returns the services that have quotas.
func (a *API) ListServices(
	_ context.Context, in *servicequotas.ListServicesInput,
) (*servicequotas.ListServicesOutput, error) {
	itself := func(code string) string { return code }
	codes, next, err := paginate(quota.Services(), in.MaxResults, in.NextToken, itself)
	if err != nil {
		return nil, err
	}
	out := &servicequotas.ListServicesOutput{Services: []types.ServiceInfo{}, NextToken: next}
	for _, code := range codes {
		out.Services = append(out.Services, types.ServiceInfo{
			ServiceCode: aws.String(code), ServiceName: aws.String(quota.ServiceName(code)),
		})
	}
	return out, nil
}

func codeOf(q quota.Quota) string { return q.Code }

// paginate returns a page of a list that is in the order of its codes, and the token of the next one.
func paginate[R any](list []R, size *int32, token *string, code func(R) string) ([]R, *string, error) {
	if err := model.Between("maxResults", size, 1, maxPage); err != nil {
		return nil, nil, err
	}
	last, ok := pageTokens.Last(token)
	if !ok {
		return nil, nil, wire.Errorf("InvalidPaginationTokenException", "The pagination token is not valid.")
	}
	list = page.After(list, last, code)
	limit := maxPage
	if size != nil {
		limit = int(aws.ToInt32(size))
	}
	first, next := page.First(pageTokens, list, limit, code)
	return first, next, nil
}
