package ec2

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/flowlog"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const flowLogRole = "arn:aws:iam::000000000000:role/apps/flows"

// flowLogWorld adds a role and buckets of the own account and of another one.
func flowLogWorld(c *cloud) {
	c.t.Helper()
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Roles.Put(tx, &store.Role{Name: "flows", ARN: flowLogRole})
		store.Buckets.Put(tx, &store.Bucket{Name: "own", Region: "eu-west-1"})
		store.Buckets.Put(tx, &store.Bucket{Name: "theirs", Region: "111111111111/us-east-1"})
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
}

func toGroup(vpcs ...string) *ec2.CreateFlowLogsInput {
	return &ec2.CreateFlowLogsInput{
		ResourceType: types.FlowLogsResourceTypeVpc, ResourceIds: vpcs, TrafficType: types.TrafficTypeAll,
		LogGroupName: aws.String("flows"), DeliverLogsPermissionArn: aws.String(flowLogRole),
	}
}

func toBucket(destination string, vpcs ...string) *ec2.CreateFlowLogsInput {
	return &ec2.CreateFlowLogsInput{
		ResourceType: types.FlowLogsResourceTypeVpc, ResourceIds: vpcs, TrafficType: types.TrafficTypeReject,
		LogDestinationType: types.LogDestinationTypeS3, LogDestination: &destination,
	}
}

func TestFlowLogs(t *testing.T) {
	r := newRemote(t)
	flowLogWorld(r.cloud)
	vpc := r.cloud.vpc("10.0.0.0/16")
	in := toGroup(vpc)
	in.TagSpecifications = specification(types.ResourceTypeVpcFlowLog, "Name", "web")
	id := doRemote(r, r.CreateFlowLogs, in).FlowLogIds[0]
	log := doRemote(r, r.DescribeFlowLogs, &ec2.DescribeFlowLogsInput{FlowLogIds: []string{id}}).FlowLogs[0]
	if *log.LogFormat != flowlog.DefaultFormat || *log.MaxAggregationInterval != 600 || log.LogDestination != nil ||
		log.LogDestinationType != "cloud-watch-logs" || *log.FlowLogStatus != "ACTIVE" || len(log.Tags) != 1 ||
		*log.DeliverLogsStatus != "SUCCESS" || log.DestinationOptions != nil || !log.CreationTime.Equal(noon) {
		t.Errorf("%+v", log)
	}
	wantFilters(r, flowLogs.filters, map[string]string{
		"deliver-log-status": "SUCCESS", "flow-log-id": id, "log-destination-type": "cloud-watch-logs",
		"log-group-name": "flows", "resource-id": vpc, "traffic-type": "ALL",
	}, id, func(f types.Filter) []string {
		out := doRemote(r, r.DescribeFlowLogs, &ec2.DescribeFlowLogsInput{Filter: []types.Filter{f}})
		return list(out.FlowLogs, func(l types.FlowLog) string { return *l.FlowLogId })
	})
	wantRemoteError(r, r.DeleteFlowLogs, &ec2.DeleteFlowLogsInput{FlowLogIds: []string{id, "fl-1"}},
		"InvalidFlowLogId.NotFound: These flow log ids in the input list are not found: [TotalCount: 1] fl-1")
	doRemote(r, r.DeleteFlowLogs, &ec2.DeleteFlowLogsInput{FlowLogIds: []string{id}})
	wantRemoteError(r, r.DescribeFlowLogs, &ec2.DescribeFlowLogsInput{FlowLogIds: []string{id}},
		"InvalidFlowLogId.NotFound: The flowLog ID '"+id+"' does not exist")
}

func TestFlowLogsThatAreRefused(t *testing.T) {
	c := newCloud(t)
	flowLogWorld(c)
	vpc := c.vpc("10.0.0.0/16")
	do(c, c.CreateFlowLogs, toGroup(vpc))
	for _, test := range []struct {
		change func(in *ec2.CreateFlowLogsInput)
		want   string
	}{
		{func(in *ec2.CreateFlowLogsInput) { in.ResourceType = "" }, "MissingParameter: The request must contain " +
			"the parameter resourceType"},
		{func(in *ec2.CreateFlowLogsInput) { in.ResourceIds = nil }, "MissingParameter: "},
		{func(in *ec2.CreateFlowLogsInput) { in.TrafficType = "" }, "MissingParameter: "},
		{func(in *ec2.CreateFlowLogsInput) { in.TrafficType = "SOME" }, "InvalidParameterValue: "},
		{func(in *ec2.CreateFlowLogsInput) { in.ResourceType = types.FlowLogsResourceTypeTransitGateway },
			"UnsupportedOperation: aloft's local cloud does not support the parameter resourceType"},
		{func(in *ec2.CreateFlowLogsInput) { in.LogDestinationType = types.LogDestinationTypeKinesisDataFirehose },
			"UnsupportedOperation: "},
		{func(in *ec2.CreateFlowLogsInput) {
			in.DestinationOptions = &types.DestinationOptionsRequest{FileFormat: types.DestinationFileFormatParquet}
		}, "UnsupportedOperation: aloft's local cloud does not support the parameter destinationOptions.fileFormat"},
		{func(in *ec2.CreateFlowLogsInput) { in.MaxAggregationInterval = aws.Int32(61) },
			"InvalidParameter: Invalid Flow Log Max Aggregation Interval"},
		{func(in *ec2.CreateFlowLogsInput) { in.LogFormat = aws.String("${nothing}") }, "InvalidParameter: "},
		{func(in *ec2.CreateFlowLogsInput) { in.LogGroupName = nil },
			"InvalidParameter: LogDestination can't be empty if LogGroupName is not provided."},
		{func(in *ec2.CreateFlowLogsInput) { in.DeliverLogsPermissionArn = nil },
			"InvalidParameter: DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."},
		{func(in *ec2.CreateFlowLogsInput) { in.DeliverLogsPermissionArn = aws.String(flowLogRole + "2") },
			"InvalidParameter: Unable to assume given IAM role"},
		{func(in *ec2.CreateFlowLogsInput) {
			in.LogGroupName, in.LogDestination = nil, aws.String("arn:aws:logs:eu-west-1:000000000000:log-group:flows")
		}, "InvalidParameter: LogDestination must be in the same region as the API caller."},
		{func(in *ec2.CreateFlowLogsInput) { in.LogDestination = aws.String("flows") }, "InvalidParameter: "},
		{func(in *ec2.CreateFlowLogsInput) { *in = *toBucket("own", vpc) }, "InvalidParameter: "},
		{func(in *ec2.CreateFlowLogsInput) { *in = *toBucket("arn:aws:s3:::own/AWSLogs", vpc) }, "InvalidParameter: "},
		{func(in *ec2.CreateFlowLogsInput) {
			*in = *toBucket("arn:aws:s3:::own", vpc)
			in.DeliverLogsPermissionArn = aws.String(flowLogRole)
		}, "InvalidParameter: DeliverLogsPermissionArn is not applicable for s3 delivery"},
		{func(in *ec2.CreateFlowLogsInput) { in.ResourceIds = []string{vpc, "vpc-0123456789abcdef0"} },
			"InvalidVpcID.NotFound: The vpc ID 'vpc-0123456789abcdef0' does not exist"},
		{func(in *ec2.CreateFlowLogsInput) { in.ResourceType = types.FlowLogsResourceTypeSubnet },
			"InvalidSubnetID.NotFound: "},
		{func(*ec2.CreateFlowLogsInput) {}, "FlowLogAlreadyExists: Error. There is an existing Flow Log with the " +
			"same configuration and log destination."},
		{func(in *ec2.CreateFlowLogsInput) { in.LogGroupName, in.DryRun = aws.String("more"), aws.Bool(true) }, dryRun},
	} {
		in := toGroup(vpc)
		test.change(in)
		if _, err := c.CreateFlowLogs(c.ctx, in); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
	denied := errors.New("denied")
	c.PassRole = func(context.Context, *store.Role, string) error { return denied }
	if _, err := c.CreateFlowLogs(c.ctx, toGroup(vpc)); !errors.Is(err, denied) {
		t.Errorf("a role that may not be passed: %v", err)
	}
}

func TestFlowLogsThatFailLeaveTheOthers(t *testing.T) {
	c := newCloud(t)
	flowLogWorld(c)
	a, b := c.vpc("10.0.0.0/16"), c.vpc("10.1.0.0/16")
	for _, group := range []string{"one", "two"} {
		in := toGroup(a)
		in.LogGroupName, in.ClientToken = nil, aws.String(group)
		in.LogDestination = aws.String("arn:aws:logs:us-east-1:000000000000:log-group:" + group)
		first := do(c, c.CreateFlowLogs, in).FlowLogIds
		if again := do(c, c.CreateFlowLogs, in).FlowLogIds; !slices.Equal(first, again) {
			t.Errorf("the same request created %v and %v", first, again)
		}
	}
	for destination, want := range map[string]string{
		"arn:aws:s3:::none/x": "400: LogDestination: none does not exist.",
		"arn:aws:s3:::theirs": "400: Access Denied for LogDestination: theirs. Please check LogDestination permission.",
	} {
		out := do(c, c.CreateFlowLogs, toBucket(destination, b))
		if len(out.FlowLogIds) != 0 || len(out.Unsuccessful) != 1 || *out.Unsuccessful[0].ResourceId != b ||
			*out.Unsuccessful[0].Error.Code+": "+*out.Unsuccessful[0].Error.Message != want {
			t.Errorf("%s: %+v", destination, out)
		}
	}
	out := do(c, c.CreateFlowLogs, toGroup(a, b))
	if len(out.FlowLogIds) != 1 || *out.Unsuccessful[0].ResourceId != a ||
		*out.Unsuccessful[0].Error.Code != "FlowLogsLimitExceeded" {
		t.Errorf("a third flow log: %+v", out)
	}
}

func TestTheOwnBucketAdmitsFlowLogs(t *testing.T) {
	c := newCloud(t)
	flowLogWorld(c)
	vpc := c.vpc("10.0.0.0/16")
	for _, forbidden := range []string{"GetBucketPolicy", "PutBucketPolicy"} {
		c.Authorize = func(_ context.Context, call wire.Call) error {
			if call.Service == "s3" && call.Operation == forbidden {
				return errors.New("denied")
			}
			return nil
		}
		out := do(c, c.CreateFlowLogs, toBucket("arn:aws:s3:::own/folder", vpc))
		if bucket, _ := store.Buckets.Get(c.Store.View(), "own"); len(out.Unsuccessful) != 1 || bucket.Policy != "" {
			t.Errorf("without %s: %+v, policy %s", forbidden, out, bucket.Policy)
		}
	}
	c.Authorize = func(context.Context, wire.Call) error { return nil }
	in := toBucket("arn:aws:s3:::own/folder", vpc)
	in.DestinationOptions = &types.DestinationOptionsRequest{HiveCompatiblePartitions: aws.Bool(true)}
	if out := do(c, c.CreateFlowLogs, in); len(out.FlowLogIds) != 1 {
		t.Fatalf("%+v", out)
	}
	log := do(c, c.DescribeFlowLogs, &ec2.DescribeFlowLogsInput{}).FlowLogs[0]
	o := log.DestinationOptions
	if !*o.HiveCompatiblePartitions || *o.PerHourPartition || o.FileFormat != "plain-text" {
		t.Errorf("%+v", o)
	}
	for key, want := range map[string]bool{
		"folder/AWSLogs/aws-account-id=000000000000/x": true, "folder/AWSLogs/000000000000/x": false,
	} {
		if _, ok := bucketpolicy.Admits(c.Store.View(), bucketpolicy.FlowLog(home, "own", key)); ok != want {
			t.Errorf("admits %s: %t", key, ok)
		}
	}
	before, _ := store.Buckets.Get(c.Store.View(), "own")
	do(c, c.CreateFlowLogs, toBucket("arn:aws:s3:::own/folder", c.vpc("10.2.0.0/16")))
	after, _ := store.Buckets.Get(c.Store.View(), "own")
	if len(after.Policy) <= len(before.Policy) {
		t.Errorf("the policy lost statements: %s", after.Policy)
	}
	if _, err := bucketpolicy.Parse("own", after.Policy); err != nil {
		t.Error(err)
	}
}
