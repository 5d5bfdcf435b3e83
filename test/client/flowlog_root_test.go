//go:build linux && root

package client

import (
	"bufio"
	"compress/gzip"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"aloft.dev/aloft/test/program"
)

// flowBucket is the bucket of recordFlows.
const flowBucket = "flow-records"

// recordFlows creates a flow log of a VPC whose records go to a bucket, which admits them from then on.
func (c natCloud) recordFlows(vpc string) {
	c.t.Helper()
	ctx, api := c.t.Context(), c.API
	want[s3.CreateBucketOutput](c.t)(api.S3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(flowBucket)}))
	out := want[ec2.CreateFlowLogsOutput](c.t)(api.EC2.CreateFlowLogs(ctx, &ec2.CreateFlowLogsInput{
		ResourceIds: []string{vpc}, ResourceType: types.FlowLogsResourceTypeVpc, TrafficType: types.TrafficTypeAll,
		LogDestinationType: types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::" + flowBucket),
		LogFormat: aws.String("${action} ${flow-direction} ${instance-id} ${srcaddr} ${dstaddr} ${dstport} " +
			"${protocol} ${tcp-flags} ${traffic-path} ${log-status}"),
	}))
	if len(out.FlowLogIds) != 1 {
		c.t.Fatalf("the flow log was not created: %+v", out.Unsuccessful)
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

// wantRecords restarts the daemon, which delivers at its end, and waits until a record matches each of
// the patterns.
func (c natCloud) wantRecords(patterns ...string) {
	c.t.Helper()
	c.Must(c.t, "local", "restart")
	var found []string
	c.t.Cleanup(func() {
		if c.t.Failed() {
			c.t.Logf("flows were recorded as:\n%s", strings.Join(found, "\n"))
		}
	})
	for _, pattern := range patterns {
		form := regexp.MustCompile("(?m)^" + pattern + " OK$")
		program.Eventually(c.t, program.Patience, "a flow is recorded as "+pattern, func() bool {
			found = c.records()
			return form.MatchString(strings.Join(found, "\n"))
		})
	}
}

// records returns the records that were delivered.
func (c natCloud) records() (lines []string) {
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
