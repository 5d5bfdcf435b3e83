package preflight

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
)

// quota is one of AWS's service quotas.
type quota struct {
	service, code string
	name          string
	unit          string // what it counts: "VPCs"
	standard      int    // value in a new account
}

// The quotas that a plan can exceed ("Amazon VPC quotas"; "Amazon EC2 endpoints and
// quotas"; "Quotas for your Application Load Balancers"; "Quotas for Auto Scaling
// resources and groups").
var (
	vpcQuota          = quota{"vpc", "L-F678F1CE", "VPCs", "VPCs", 5}
	gatewayQuota      = quota{"vpc", "L-A4707A72", "internet gateways", "internet gateways", 5}
	elasticIPQuota    = quota{"ec2", "L-0263D0A3", "Elastic IP addresses", "Elastic IP addresses", 5}
	groupQuota        = quota{"vpc", "L-E79EC296", "security groups", "security groups", 2500}
	ruleQuota         = quota{"vpc", "L-0EA8095F", "rules", "rules in a security group", 60}
	vcpuQuota         = quota{"ec2", "L-1216C47A", "vCPUs", "vCPUs of A, C, D, H, I, M, R, T and Z instances", 5}
	templateQuota     = quota{"ec2", "L-FB451C26", "launch templates", "launch templates", 5000}
	balancerQuota     = quota{"elasticloadbalancing", "L-53DA6B97", "load balancers", "Application Load Balancers", 50}
	targetGroupQuota  = quota{"elasticloadbalancing", "L-B22855CB", "target groups", "target groups", 3000}
	scalingGroupQuota = quota{"autoscaling", "L-CDE20ADC", "Auto Scaling groups", "Auto Scaling groups", 500}
)

// need is how much of a quota a plan needs, besides what exists.
type need struct {
	quota
	config  Config
	amounts func(context.Context) (used, more int, err error)
}

// check compares the quota with what exists and what the plan adds.
func (n need) check(ctx context.Context) Check {
	name := "quota of " + n.name
	used, more, err := n.amounts(ctx)
	if err != nil {
		return notChecked(name, err)
	}
	most, unread := n.value(ctx)
	have, fits := fmt.Sprintf("%d in use, %d more needed, %d allowed", used, more, most), used+more <= most
	switch {
	case unread != nil:
		// The account may have more than the default, so this is no reason to stop.
		c, would := notChecked(name, unread), "would not suffice"
		if fits {
			would = "would suffice"
		}
		c.Detail += fmt.Sprintf("; AWS's default %s: %s", would, have)
		return c
	case fits:
		return Check{Name: name, State: OK, Detail: have}
	}
	return failed(name, &diag.Diagnostic{
		Where: name,
		Summary: fmt.Sprintf("this account may have %d %s in %s; %d are in use, and the plan needs %d more",
			most, n.unit, n.config.Client.Region, used, more),
		Hint: fmt.Sprintf("delete what is not needed, or request a value of %d or more: "+
			"https://console.aws.amazon.com/servicequotas/home/services/%s/quotas/%s",
			used+more, n.service, n.code),
	})
}

// value returns the quota's value in the account. If it cannot be read, value returns
// AWS's default and the reason.
func (n need) value(ctx context.Context) (int, error) {
	quotas := n.config.Client.Quotas
	applied, err := quotas.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{
		ServiceCode: &n.service, QuotaCode: &n.code,
	})
	if err == nil && applied.Quota != nil && applied.Quota.Value != nil {
		return int(*applied.Quota.Value), nil
	}
	if awsapi.Code(err) != "NoSuchResourceException" {
		return n.standard, err
	}
	// No value was ever applied to this account (hashicorp/terraform-provider-aws,
	// issue 19745), so the default holds.
	byDefault, err := quotas.GetAWSDefaultServiceQuota(ctx, &servicequotas.GetAWSDefaultServiceQuotaInput{
		ServiceCode: &n.service, QuotaCode: &n.code,
	})
	if err != nil || byDefault.Quota == nil {
		return n.standard, err
	}
	return int(aws.ToFloat64(byDefault.Quota.Value)), nil
}
