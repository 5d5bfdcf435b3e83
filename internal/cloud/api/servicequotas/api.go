// Package servicequotas serves the queries of Service Quotas for the local cloud:
// what an account may have. Requests for other values are not served. Limits, errors
// and the contents of responses are those of the Service Quotas API Reference.
package servicequotas

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures an API.
type Config struct {
	Manners *manners.Set // with the manner of limits, AWS's default quotas apply
}

// API implements the operations of Service Quotas.
type API struct{ Config }

// New returns an API.
func New(c Config) *API { return &API{c} }

// model returns the errors of requests that violate the API's model.
const model = constraint.Model("IllegalArgumentException")

// GetServiceQuota returns the value of a quota that is applied to the account.
func (a *API) GetServiceQuota(
	ctx context.Context, in *servicequotas.GetServiceQuotaInput,
) (*servicequotas.GetServiceQuotaOutput, error) {
	q, err := find(in.ServiceCode, in.QuotaCode)
	if err != nil {
		return nil, err
	}
	if in.ContextId != nil { // no quota here has a value of its own for one resource
		// The message is AWS's own (aws/aws-cli, issue 8584).
		return nil, missing("applied value for the specified context Id do not exist")
	}
	return &servicequotas.GetServiceQuotaOutput{Quota: a.applied(ctx, q)}, nil
}

// GetAWSDefaultServiceQuota returns the value of a quota that a new account has.
func (a *API) GetAWSDefaultServiceQuota(
	ctx context.Context, in *servicequotas.GetAWSDefaultServiceQuotaInput,
) (*servicequotas.GetAWSDefaultServiceQuotaOutput, error) {
	q, err := find(in.ServiceCode, in.QuotaCode)
	if err != nil {
		return nil, err
	}
	return &servicequotas.GetAWSDefaultServiceQuotaOutput{Quota: byDefault(ctx, q)}, nil
}

// find returns the quota with a code.
func find(service, code *string) (quota.Quota, error) {
	if err := model.Required("serviceCode", service != nil); err != nil {
		return quota.Quota{}, err
	}
	if err := model.Required("quotaCode", code != nil); err != nil {
		return quota.Quota{}, err
	}
	if quota.ServiceName(*service) == "" {
		return quota.Quota{}, missingService()
	}
	for _, q := range quota.All() {
		if q.Service == *service && q.Code == *code {
			return q, nil
		}
	}
	return quota.Quota{}, missing("the specified quota %s does not exist for service %s", *code, *service)
}

// missing returns the error for something that does not exist.
func missing(what string, args ...any) error {
	return wire.Errorf(
		"NoSuchResourceException", "The request failed because %s.", fmt.Sprintf(what, args...),
	)
}

// missingService returns the error for a service without quotas. The message is AWS's
// own (aws/aws-cli, issue 4569).
func missingService() error { return missing("the specified service does not exist") }

// item returns the API's form of a quota. The ARN of a default value names no account
// (hashicorp/terraform-provider-aws, issue 13075).
func item(ctx context.Context, q quota.Quota, account string, value int) *types.ServiceQuota {
	return &types.ServiceQuota{
		ServiceCode: &q.Service,
		ServiceName: aws.String(quota.ServiceName(q.Service)),
		QuotaArn: aws.String(fmt.Sprintf(
			"arn:aws:servicequotas:%s:%s:%s/%s", wire.RegionFrom(ctx).Name(), account, q.Service, q.Code,
		)),
		QuotaCode:  &q.Code,
		QuotaName:  &q.Name,
		Value:      aws.Float64(float64(value)),
		Unit:       aws.String("None"),
		Adjustable: true,
	}
}

func byDefault(ctx context.Context, q quota.Quota) *types.ServiceQuota {
	return item(ctx, q, "", q.Default)
}

func (a *API) applied(ctx context.Context, q quota.Quota) *types.ServiceQuota {
	i := item(ctx, q, wire.AccountFrom(ctx), q.Applied(a.Manners.Has(manners.Limits)))
	i.QuotaAppliedAtLevel = types.AppliedLevelEnumAccount
	return i
}
