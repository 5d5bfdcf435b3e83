package cloudformation

import (
	"github.com/aws/aws-sdk-go-v2/aws"

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
		var dimensions []object
		for _, d := range a.Dimensions {
			dimensions = append(dimensions, object{
				"Name": aws.ToString(d.Name), "Value": c.value(aws.ToString(d.Value)),
			})
		}
		c.add(f.Address, "AWS::CloudWatch::Alarm", map[string]string{"AlarmName": f.Name}, object{
			"AlarmName": f.Name, "AlarmDescription": aws.ToString(a.AlarmDescription),
			"Namespace": aws.ToString(a.Namespace), "MetricName": aws.ToString(a.MetricName),
			"Statistic": string(a.Statistic), "ExtendedStatistic": aws.ToString(a.ExtendedStatistic),
			"ComparisonOperator": string(a.ComparisonOperator), "Threshold": aws.ToFloat64(a.Threshold),
			"EvaluationPeriods": aws.ToInt32(a.EvaluationPeriods), "Period": aws.ToInt32(a.Period),
			"TreatMissingData": aws.ToString(a.TreatMissingData), "ActionsEnabled": aws.ToBool(a.ActionsEnabled),
			"AlarmActions": c.values(a.AlarmActions), "OKActions": c.values(a.OKActions),
			"Dimensions": given(dimensions), "Tags": c.tags(f.Tags),
		})
	}
}
