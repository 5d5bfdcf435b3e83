package cloudformation

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/blueprint"
	"aloft.dev/aloft/internal/stack"
)

// targetGroups writes the target group. The registrations of fixed servers belong to it, and are
// added when the servers are known.
func (c *code) targetGroups() {
	for _, t := range c.TargetGroups {
		g := t.AWS
		properties := object{
			"Name": t.Name, "VpcId": c.value(aws.ToString(g.VpcId)), "Protocol": string(g.Protocol),
			"Port": aws.ToInt32(g.Port), "HealthCheckPath": aws.ToString(g.HealthCheckPath),
			"HealthCheckProtocol": string(g.HealthCheckProtocol), "HealthCheckPort": aws.ToString(g.HealthCheckPort),
			"HealthCheckIntervalSeconds": aws.ToInt32(g.HealthCheckIntervalSeconds),
			"HealthCheckTimeoutSeconds":  aws.ToInt32(g.HealthCheckTimeoutSeconds),
			"HealthyThresholdCount":      aws.ToInt32(g.HealthyThresholdCount),
			"UnhealthyThresholdCount":    aws.ToInt32(g.UnhealthyThresholdCount),
			"TargetGroupAttributes": pairs(object{
				"deregistration_delay.timeout_seconds": strings.TrimSuffix(t.Value(stack.AttrDeregistrationDelay), "s"),
			}),
			"Tags": c.tags(t.Tags),
		}
		if g.Matcher != nil {
			properties["Matcher"] = object{"HttpCode": aws.ToString(g.Matcher.HttpCode)}
		}
		identifier := map[string]string{"TargetGroupArn": t.ID}
		c.add(t.Address, "AWS::ElasticLoadBalancingV2::TargetGroup", identifier, properties).isKnownAs(t.ID, "").
			isKnownAs(blueprint.Suffix(t.ID), "TargetGroupFullName")
	}
}

// loadBalancers writes the load balancer.
func (c *code) loadBalancers() {
	for _, l := range c.LoadBalancers {
		attributes := object{
			"deletion_protection.enabled": strconv.FormatBool(l.Value(stack.AttrProtection) == stack.On),
		}
		after := c.attachments
		if bucket := l.Value(stack.AttrAccessLogs); bucket != "" {
			attributes["access_logs.s3.enabled"] = "true"
			attributes["access_logs.s3.bucket"] = c.value(bucket)
			after = append(after[:len(after):len(after)], c.delivery...)
		}
		identifier := map[string]string{"LoadBalancerArn": l.ID}
		c.add(l.Address, "AWS::ElasticLoadBalancingV2::LoadBalancer", identifier, object{
			"Name": l.Name, "Type": string(types.LoadBalancerTypeEnumApplication),
			"Scheme":                 l.Value(stack.AttrScheme),
			"Subnets":                c.values(c.SortedSubnets(l.Values(stack.AttrSubnets))),
			"SecurityGroups":         c.values(l.Values(stack.AttrSecurityGroups)),
			"LoadBalancerAttributes": pairs(attributes), "Tags": c.tags(l.Tags),
		}).isKnownAs(l.ID, "").isKnownAs(blueprint.Suffix(l.ID), "LoadBalancerFullName").
			isKnownAs(aws.ToString(l.AWS.DNSName), "DNSName").
			isKnownAs(aws.ToString(l.AWS.CanonicalHostedZoneId), "CanonicalHostedZoneID").after(after...)
	}
}

// hostedZone returns the hosted zone that owns a name of the application, or nil if its DNS is
// elsewhere. The zone is an input.
func (c *code) hostedZone(domain string) any {
	zone, record := c.HostedZone(domain)
	if _, known := c.references[zone]; zone != "" && !known {
		c.declare("hosted-zone-"+record, "AWS::Route53::HostedZone::Id",
			"hosted zone that owns "+record, zone)
	}
	return c.value(zone)
}

// certificates writes the certificate. CloudFormation creates the records that validate it in
// a hosted zone, and waits until it is issued. It cannot take a certificate over.
func (c *code) certificates() {
	if c.importing {
		return
	}
	for _, f := range c.Certificates {
		var validation []object
		for _, o := range f.AWS.DomainValidationOptions {
			domain := aws.ToString(o.DomainName)
			if zone := c.hostedZone(domain); zone != nil {
				validation = append(validation, object{"DomainName": domain, "HostedZoneId": zone})
			}
		}
		c.add(f.Address, "AWS::CertificateManager::Certificate", nil, object{
			"DomainName": aws.ToString(f.AWS.DomainName), "SubjectAlternativeNames": f.Values(stack.AttrNames),
			"ValidationMethod": string(acmtypes.ValidationMethodDns), "DomainValidationOptions": given(validation),
			"KeyAlgorithm": blueprint.KeyAlgorithm(f.AWS.KeyAlgorithm), "Tags": c.tags(f.Tags),
		}).isKnownAs(f.ID, "")
	}
}

// certificate returns the ARN of a certificate. One that is not written is an input.
func (c *code) certificate(arn string) any {
	if _, known := c.references[arn]; !known {
		name := "certificate"
		for n := 2; c.Parameters[logicalID(name)].Default != ""; n++ {
			name = fmt.Sprintf("certificate-%d", n)
		}
		c.declare(name, "String", "ARN of the certificate, which the account has already", arn)
	}
	return c.value(arn)
}

// listeners writes the listeners of HTTP and HTTPS.
func (c *code) listeners() {
	for _, f := range c.Listeners {
		l := f.AWS
		headers := object{}
		for key, value := range f.Headers {
			headers[key] = value
		}
		usual := "" // certificate
		properties := object{
			"LoadBalancerArn": c.value(aws.ToString(l.LoadBalancerArn)), "Port": aws.ToInt32(l.Port),
			"Protocol": string(l.Protocol), "SslPolicy": aws.ToString(l.SslPolicy),
			"DefaultActions": c.actions(l.DefaultActions), "ListenerAttributes": pairs(headers),
		}
		for _, certificate := range l.Certificates {
			usual = aws.ToString(certificate.CertificateArn)
			properties["Certificates"] = []object{{"CertificateArn": c.certificate(usual)}}
		}
		listener := c.add(f.Address, "AWS::ElasticLoadBalancingV2::Listener", map[string]string{"ListenerArn": f.ID},
			properties).isKnownAs(f.ID, "")
		for _, arn := range f.Values(stack.AttrCertificate) {
			if arn != usual && !c.importing {
				c.add(listener.id+"-certificate", "AWS::ElasticLoadBalancingV2::ListenerCertificate", nil, object{
					"ListenerArn":  c.value(f.ID),
					"Certificates": []object{{"CertificateArn": c.certificate(arn)}},
				})
			}
		}
	}
}

// actions returns what a listener does with requests.
func (c *code) actions(actions []types.Action) []object {
	all := []object{}
	for _, action := range actions {
		if r := action.RedirectConfig; r != nil {
			to := object{
				"Protocol": aws.ToString(r.Protocol), "Port": aws.ToString(r.Port), "StatusCode": string(r.StatusCode),
			}
			if host := aws.ToString(r.Host); host != "" && host != stack.SameHost {
				to["Host"] = host
			}
			all = append(all, object{"Type": "redirect", "RedirectConfig": to})
		} else if group := blueprint.ForwardsTo(action); group != "" {
			all = append(all, object{"Type": "forward", "TargetGroupArn": c.value(group)})
		}
	}
	return all
}

// records writes the records that lead to the load balancer. CloudFormation cannot take records
// over.
func (c *code) records() {
	if c.importing {
		return
	}
	balancers := map[string]blueprint.Item[types.LoadBalancer]{}
	for _, l := range c.LoadBalancers {
		balancers[l.ID] = l
	}
	for _, f := range c.Records {
		domain, to := f.Value(stack.AttrName), balancers[f.Value(stack.AttrLoadBalancer)].AWS
		c.add(f.Address, "AWS::Route53::RecordSet", nil, object{
			"HostedZoneId": c.hostedZone(domain), "Name": domain, "Type": "A", "AliasTarget": object{
				"DNSName":      c.value(aws.ToString(to.DNSName)),
				"HostedZoneId": c.value(aws.ToString(to.CanonicalHostedZoneId)), "EvaluateTargetHealth": false,
			},
		})
	}
}

// servers writes the fixed servers and their registrations with the target group.
func (c *code) servers() {
	for _, s := range c.Servers {
		c.server(s)
	}
	registered := map[string][]object{}
	for _, t := range c.Targets {
		registered[t.Group] = append(registered[t.Group], object{"Id": c.value(t.Server), "Port": t.Port})
	}
	for arn, targets := range registered {
		if ref, ok := c.references[arn].(object); ok {
			c.Resources[ref["Ref"].(string)].Properties["Targets"] = targets
		}
	}
}

func (c *code) server(s blueprint.Item[ec2types.Instance]) {
	i := s.AWS
	groups := c.values(s.Values(stack.AttrSecurityGroups))
	properties := object{
		"ImageId": c.value(aws.ToString(i.ImageId)), "InstanceType": string(i.InstanceType),
		"KeyName":            c.value(aws.ToString(i.KeyName)),
		"IamInstanceProfile": c.value(s.Value(stack.AttrProfile)), "Tags": c.tags(s.Tags),
		"NetworkInterfaces": []object{{
			"DeviceIndex": "0", "SubnetId": c.value(aws.ToString(i.SubnetId)), "GroupSet": groups,
			"AssociatePublicIpAddress": s.Status.PublicIP != "", "DeleteOnTermination": true,
		}},
	}
	if m := i.MetadataOptions; m != nil {
		properties["MetadataOptions"] = object{
			"HttpTokens": string(m.HttpTokens), "HttpEndpoint": string(m.HttpEndpoint),
		}
	}
	c.add(s.Address, "AWS::EC2::Instance", map[string]string{"InstanceId": s.ID}, properties).isKnownAs(s.ID, "")
}
