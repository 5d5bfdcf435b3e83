package cloudformation

import (
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/blueprint"
)

// topics writes the topic that alarms tell, and the emails that it sends. A subscription that
// nobody has confirmed yet cannot be taken over.
func (c *code) topics() {
	for _, t := range c.Topics {
		c.add(t.Address, "AWS::SNS::Topic", map[string]string{"TopicArn": t.ID}, object{
			"TopicName": t.Name, "Tags": c.tags(t.Tags),
		}).isKnownAs(t.ID, "")
		for _, s := range t.Subscriptions {
			if c.importing && s.ARN == "" {
				continue
			}
			c.add(t.Address+"-"+s.Address, "AWS::SNS::Subscription", map[string]string{"Arn": s.ARN}, object{
				"TopicArn": c.value(t.ID), "Protocol": blueprint.Email, "Endpoint": s.Address,
			})
		}
	}
}

// alarms writes the alarms that tell the topic.
func (c *code) alarms() {
	for _, f := range c.Alarms {
		a := f.AWS
		properties := object{
			"AlarmName": f.Name, "AlarmDescription": aws.ToString(a.AlarmDescription),
			"ComparisonOperator": string(a.ComparisonOperator), "Threshold": aws.ToFloat64(a.Threshold),
			"EvaluationPeriods": aws.ToInt32(a.EvaluationPeriods),
			"TreatMissingData":  aws.ToString(a.TreatMissingData), "ActionsEnabled": aws.ToBool(a.ActionsEnabled),
			"AlarmActions": c.values(a.AlarmActions), "OKActions": c.values(a.OKActions), "Tags": c.tags(f.Tags),
		}
		if len(a.Metrics) == 0 {
			maps.Copy(properties, c.metric(a.Namespace, a.MetricName, a.Dimensions))
			maps.Copy(properties, object{
				"Statistic": string(a.Statistic), "ExtendedStatistic": aws.ToString(a.ExtendedStatistic),
				"Period": aws.ToInt32(a.Period),
			})
		}
		var queries []object
		for _, q := range a.Metrics {
			query := withoutEmpty(object{
				"Id": aws.ToString(q.Id), "Expression": aws.ToString(q.Expression), "Label": aws.ToString(q.Label),
				"ReturnData": q.ReturnData == nil || *q.ReturnData,
			})
			if s := q.MetricStat; s != nil {
				query["MetricStat"] = object{
					"Metric": c.metric(s.Metric.Namespace, s.Metric.MetricName, s.Metric.Dimensions),
					"Stat":   aws.ToString(s.Stat), "Period": aws.ToInt32(s.Period),
				}
			}
			queries = append(queries, query)
		}
		properties["Metrics"] = given(queries)
		c.add(f.Address, "AWS::CloudWatch::Alarm", map[string]string{"AlarmName": f.Name}, properties)
	}
}

// metric returns the properties that identify a metric.
func (c *code) metric(namespace, name *string, dimensions []types.Dimension) object {
	var all []object
	for _, d := range dimensions {
		all = append(all, object{"Name": aws.ToString(d.Name), "Value": c.value(aws.ToString(d.Value))})
	}
	return object{
		"Namespace": aws.ToString(namespace), "MetricName": aws.ToString(name), "Dimensions": given(all),
	}
}
