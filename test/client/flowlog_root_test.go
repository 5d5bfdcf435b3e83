//go:build linux && root

package client

import (
	"bufio"
	"compress/gzip"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"aloft.dev/aloft/test/program"
)

// Where the records of recordFlows go: a bucket, and a log group that a role may write to.
const (
	flowBucket = "flow-records"
	flowGroup  = "flows"
	flowRole   = "flow-logs"
)

// recordFlows creates two flow logs of a VPC, one whose records go to a bucket and one whose records
// go to CloudWatch Logs.
func (c natCloud) recordFlows(vpc string) {
	c.t.Helper()
	ctx, api := c.t.Context(), c.API
	want[s3.CreateBucketOutput](c.t)(api.S3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(flowBucket)}))
	role := want[iam.CreateRoleOutput](c.t)(api.IAM.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String(flowRole),
		AssumeRolePolicyDocument: aws.String(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
			"Principal": {"Service": "vpc-flow-logs.amazonaws.com"}, "Action": "sts:AssumeRole"}]}`),
	})).Role
	want[iam.PutRolePolicyOutput](c.t)(api.IAM.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String(flowRole), PolicyName: aws.String("deliver"),
		PolicyDocument: aws.String(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
			"Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLog*"]}]}`),
	}))
	for _, to := range []ec2.CreateFlowLogsInput{
		{LogDestinationType: types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::" + flowBucket)},
		{LogGroupName: aws.String(flowGroup), DeliverLogsPermissionArn: role.Arn},
	} {
		to.ResourceIds, to.ResourceType = []string{vpc}, types.FlowLogsResourceTypeVpc
		to.TrafficType = types.TrafficTypeAll
		to.LogFormat = aws.String("${action} ${flow-direction} ${instance-id} ${srcaddr} ${dstaddr} ${dstport} " +
			"${protocol} ${tcp-flags} ${traffic-path} ${log-status}")
		out := want[ec2.CreateFlowLogsOutput](c.t)(api.EC2.CreateFlowLogs(ctx, &to))
		if len(out.FlowLogIds) != 1 {
			c.t.Fatalf("the flow log was not created: %+v", out.Unsuccessful)
		}
	}
}

// passGateway asks a machine at its public address from another one, through a NAT gateway with the
// address way, and from the host, which a security group rejects. It returns patterns of the records of
// these flows.
func (c natCloud) passGateway(from, to, group, public, way string) (records []string) {
	c.t.Helper()
	ctx, api, at := c.t.Context(), c.API.EC2, public+":8080"
	if answer := c.ask(c.namespace(from), at); answer != way {
		c.t.Errorf("the outside sees %q", answer)
	}
	world := []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}
	all := []types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: world}}
	want[ec2.RevokeSecurityGroupIngressOutput](c.t)(api.RevokeSecurityGroupIngress(
		ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: all}))
	program.Eventually(c.t, program.Patience, "the security group rejects the host", func() bool {
		return c.ask("/proc/self/ns/net", at) == ""
	})
	want[ec2.AuthorizeSecurityGroupIngressOutput](c.t)(api.AuthorizeSecurityGroupIngress(
		ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: all}))
	source, destination := *c.instance(from).PrivateIpAddress, *c.instance(to).PrivateIpAddress
	return []string{
		"ACCEPT egress " + from + " " + source + " " + public + " 8080 6 3 1",
		"ACCEPT egress - \\S+ " + public + " 8080 6 3 8", // at the gateway's interface
		"ACCEPT ingress " + to + " " + way + " " + destination + " 8080 6 3 -",
		"REJECT ingress " + to + " \\S+ " + destination + " 8080 6 2 -",
	}
}

// wantRecords restarts the daemon, which delivers at its end, and waits until each destination has a
// record that matches each of the patterns.
func (c natCloud) wantRecords(patterns ...string) {
	c.t.Helper()
	c.Must(c.t, "local", "restart")
	for name, records := range map[string]func() []string{"S3": c.objects, "CloudWatch Logs": c.events} {
		var found []string
		c.t.Cleanup(func() {
			if c.t.Failed() {
				c.t.Logf("flows in %s:\n%s", name, strings.Join(found, "\n"))
			}
		})
		for _, pattern := range patterns {
			form := regexp.MustCompile("(?m)^" + pattern + " OK$")
			program.Eventually(c.t, program.Patience, name+" has a flow as "+pattern, func() bool {
				found = records()
				return form.MatchString(strings.Join(found, "\n"))
			})
		}
	}
}

// events returns the records in CloudWatch Logs.
func (c natCloud) events() (lines []string) {
	c.t.Helper()
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(flowGroup)}
	for pages := cloudwatchlogs.NewFilterLogEventsPaginator(c.API.Logs, in); pages.HasMorePages(); {
		page := want[cloudwatchlogs.FilterLogEventsOutput](c.t)(pages.NextPage(c.t.Context()))
		for _, event := range page.Events {
			lines = append(lines, *event.Message)
		}
	}
	return lines
}

// objects returns the records in the bucket.
func (c natCloud) objects() (lines []string) {
	c.t.Helper()
	ctx, api := c.t.Context(), c.API.S3
	list := want[s3.ListObjectsV2Output](c.t)(
		api.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(flowBucket)}))
	for _, o := range list.Contents {
		file := want[s3.GetObjectOutput](c.t)(
			api.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(flowBucket), Key: o.Key}))
		zip, err := gzip.NewReader(file.Body)
		if err != nil {
			c.t.Fatalf("read %s: %v", *o.Key, err)
		}
		for text := bufio.NewScanner(zip); text.Scan(); {
			lines = append(lines, text.Text())
		}
		_ = file.Body.Close()
	}
	return lines
}
