package ec2

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/flowlog"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits (Amazon EC2 API Reference, CreateFlowLogs; Amazon VPC User Guide, Amazon VPC quotas).
const (
	maxFlowLogResources = 300
	maxFlowLogs         = 2 // of a VPC, a subnet or a network interface
)

// FlowLogService is the principal that writes flow logs to CloudWatch Logs with a role.
const FlowLogService = "vpc-flow-logs.amazonaws.com"

// CreateFlowLogs creates a flow log for each of several resources. It reports those for which it
// could not, and creates the others.
func (a *API) CreateFlowLogs(ctx context.Context, in *ec2.CreateFlowLogsInput) (*ec2.CreateFlowLogsOutput, error) {
	template, err := newFlowLog(in)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateFlowLogsOutput{ClientToken: in.ClientToken, Unsuccessful: []types.UnsuccessfulItem{}}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		if err := a.checkFlowLogRole(ctx, tx, template); err != nil {
			return err
		}
		q := tokenRequest{
			operation: "CreateFlowLogs", token: in.ClientToken, input: in, exists: rowExists(tx, store.FlowLogs),
		}
		out.FlowLogIds, err = a.oncePerToken(tx, region, q, func() ([]string, error) {
			for _, id := range in.ResourceIds {
				if err := checkFlowLogResource(tx, region, in.ResourceType, id); err != nil {
					return nil, err
				}
			}
			ids := []string{}
			for _, id := range in.ResourceIds {
				row := *template
				row.Region, row.ResourceID = region, id
				if err := checkDuplicateFlowLog(tx, &row); err != nil {
					return nil, err
				}
				if err := a.createFlowLog(ctx, tx, &row); err != nil {
					out.Unsuccessful = append(out.Unsuccessful, unsuccessful(id, err))
					continue
				}
				ids = append(ids, row.ID)
			}
			return ids, nil
		})
		return err
	})
}

// invalidFlowLog is EC2's error for a parameter of a flow log.
func invalidFlowLog(format string, args ...any) error {
	return wire.Errorf("InvalidParameter", format, args...)
}

// newFlowLog validates a request and returns what its flow logs have in common.
func newFlowLog(in *ec2.CreateFlowLogsInput) (*store.FlowLog, error) {
	if err := checkFlowLogRequest(in); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeVpcFlowLog)
	if err != nil {
		return nil, err
	}
	row := &store.FlowLog{
		Traffic: string(in.TrafficType), Format: cmp.Or(aws.ToString(in.LogFormat), flowlog.DefaultFormat),
		Interval: cmp.Or(aws.ToInt32(in.MaxAggregationInterval), 600), Tags: tags[types.ResourceTypeVpcFlowLog],
		DestinationType: cmp.Or(string(in.LogDestinationType), string(types.LogDestinationTypeCloudWatchLogs)),
		Destination:     aws.ToString(in.LogDestination), LogGroup: aws.ToString(in.LogGroupName),
		RoleARN: aws.ToString(in.DeliverLogsPermissionArn),
	}
	if o := in.DestinationOptions; o != nil {
		row.Hive, row.Hourly = aws.ToBool(o.HiveCompatiblePartitions), aws.ToBool(o.PerHourPartition)
	}
	if _, err := flowlog.ParseFormat(row.Format); err != nil {
		return nil, invalidFlowLog("Invalid LogFormat: %s", err)
	}
	return row, checkFlowLogDestination(row, in)
}

// checkFlowLogRequest refuses a request that lacks parameters, or asks for what there is not.
func checkFlowLogRequest(in *ec2.CreateFlowLogsInput) error {
	if err := required(parameter{"resourceType", aws.String(string(in.ResourceType))}); err != nil {
		return err
	}
	switch {
	case len(in.ResourceIds) == 0:
		return missingParameter("resourceId")
	case len(in.ResourceIds) > maxFlowLogResources:
		return invalidValue("resourceId", strconv.Itoa(len(in.ResourceIds)), "A request has at most 300.")
	}
	if err := cmp.Or(
		checkEnum("resourceType", in.ResourceType), checkEnum("trafficType", in.TrafficType),
		checkEnum("logDestinationType", in.LogDestinationType),
	); err != nil {
		return err
	}
	if err := supportOnly(in,
		"ResourceIds", "ResourceType=VPC", "ResourceType=Subnet", "ResourceType=NetworkInterface", "ClientToken",
		"DeliverLogsPermissionArn", "DryRun", "LogDestination", "LogDestinationType=cloud-watch-logs",
		"LogDestinationType=s3", "LogFormat", "LogGroupName", "MaxAggregationInterval", "TagSpecifications",
		"TrafficType", "DestinationOptions.FileFormat=plain-text", "DestinationOptions.HiveCompatiblePartitions",
		"DestinationOptions.PerHourPartition",
	); err != nil {
		return err
	}
	switch {
	case in.TrafficType == "":
		return missingParameter("trafficType")
	case in.MaxAggregationInterval != nil && *in.MaxAggregationInterval != 60 && *in.MaxAggregationInterval != 600:
		return invalidFlowLog("Invalid Flow Log Max Aggregation Interval")
	}
	return nil
}

// checkFlowLogDestination checks where a flow log writes to, and fills in the name of its log group.
func checkFlowLogDestination(row *store.FlowLog, in *ec2.CreateFlowLogsInput) error {
	toBucket := row.DestinationType == string(types.LogDestinationTypeS3)
	switch {
	case row.Destination == "" && row.LogGroup == "":
		return invalidFlowLog("LogDestination can't be empty if LogGroupName is not provided.")
	case toBucket && row.LogGroup != "":
		return invalidFlowLog("LogDestination type must be cloud-watch-logs if LogGroupName is provided.")
	case toBucket && row.RoleARN != "":
		return invalidFlowLog("DeliverLogsPermissionArn is not applicable for s3 delivery")
	case !toBucket && row.RoleARN == "":
		return invalidFlowLog("DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.")
	case !toBucket && in.DestinationOptions != nil:
		return invalidFlowLog("DestinationOptions is not applicable for cloud-watch-logs delivery")
	case toBucket:
		return checkFlowLogBucket(row.Destination)
	case row.Destination == "":
		return nil
	}
	return setLogGroup(row)
}

// checkFlowLogBucket checks the ARN of a bucket with an optional folder.
func checkFlowLogBucket(destination string) error {
	bucket, prefix := bucketpolicy.FlowLogBucket(destination)
	switch {
	case bucket == "":
		return invalidFlowLog("LogDestination: %s is not a valid ARN of a bucket", destination)
	case strings.HasPrefix(prefix, "AWSLogs"):
		return invalidFlowLog("LogDestination: the subfolder can't be AWSLogs")
	}
	return nil
}

// setLogGroup fills in the name of the log group that a destination is.
func setLogGroup(row *store.FlowLog) error {
	group, ok := logGroupOf(row.Destination)
	switch {
	case !ok:
		return invalidFlowLog("LogDestination: %s is not a valid ARN of a log group", row.Destination)
	case row.LogGroup != "" && row.LogGroup != group:
		return invalidFlowLog("Please only provide LogGroupName or only provide LogDestination.")
	}
	row.LogGroup = group
	return nil
}

// logGroupOf returns the name of the log group with an ARN.
func logGroupOf(arn string) (name string, ok bool) {
	parts := strings.SplitN(arn, ":", 7)
	if len(parts) != 7 || parts[0] != "arn" || parts[2] != "logs" || parts[5] != "log-group" {
		return "", false
	}
	name = strings.TrimSuffix(parts[6], ":*")
	return name, name != "" && !strings.Contains(name, ":")
}

// checkFlowLogRole refuses a role that does not exist, or that the caller may not pass. As on AWS, a
// role that does not trust the service is found out when records are delivered.
func (a *API) checkFlowLogRole(ctx context.Context, r store.Reader, row *store.FlowLog) error {
	if row.DestinationType == string(types.LogDestinationTypeS3) {
		return nil
	}
	if arn := row.Destination; arn != "" && identity.RegionOfARN(arn) != wire.RegionFrom(ctx) {
		return invalidFlowLog("LogDestination must be in the same region as the API caller.")
	}
	role, ok := store.RoleAt(r, row.RoleARN)
	if !ok {
		return invalidFlowLog("Unable to assume given IAM role")
	}
	return a.PassRole(ctx, role, FlowLogService)
}

// checkFlowLogResource returns EC2's error for a resource that does not exist.
func checkFlowLogResource(
	r store.Reader, region identity.Region, kind types.FlowLogsResourceType, id string,
) (err error) {
	switch kind {
	case types.FlowLogsResourceTypeVpc:
		_, err = vpcs.get(r, region, id)
	case types.FlowLogsResourceTypeSubnet:
		_, err = subnets.get(r, region, id)
	default:
		_, err = networkInterfaces.get(r, region, id)
	}
	return err
}

// checkDuplicateFlowLog refuses a flow log if another one of its resource has the same destination.
func checkDuplicateFlowLog(r store.Reader, row *store.FlowLog) error {
	for _, other := range store.FlowLogsByResource.List(r, row.ResourceID) {
		if other.LogGroup == row.LogGroup && other.Destination == row.Destination {
			return wire.Errorf("FlowLogAlreadyExists",
				"Error. There is an existing Flow Log with the same configuration and log destination.")
		}
	}
	return nil
}

// createFlowLog creates a flow log.
func (a *API) createFlowLog(ctx context.Context, tx *store.Tx, row *store.FlowLog) error {
	if len(store.FlowLogsByResource.List(tx, row.ResourceID)) >= maxFlowLogs {
		return wire.Errorf("FlowLogsLimitExceeded",
			"You've reached the limit on the number of flow logs you can create for %s.", row.ResourceID)
	}
	if row.DestinationType == string(types.LogDestinationTypeS3) {
		if err := a.admitFlowLogs(ctx, tx, row); err != nil {
			return err
		}
	}
	row.ID, row.Created = a.ids.ID(flowLogs.prefix), a.Now()
	store.FlowLogs.Put(tx, row)
	return nil
}

// admitFlowLogs checks that a bucket takes flow logs. As on AWS, the policy of the caller's own bucket
// gets the statements that it lacks, if the caller may read and write the policy (CloudWatch Logs User
// Guide, Logs sent to Amazon S3).
func (a *API) admitFlowLogs(ctx context.Context, tx *store.Tx, row *store.FlowLog) error {
	name, prefix := bucketpolicy.FlowLogBucket(row.Destination)
	old, ok := store.Buckets.Get(tx, name)
	if !ok {
		return wire.Errorf("400", "LogDestination: %s does not exist.", name)
	}
	delivery := bucketpolicy.FlowLog(row.Region, name, prefix+"AWSLogs/"+row.Region.Account()+"/")
	if row.Hive {
		delivery = bucketpolicy.FlowLog(row.Region, name, prefix+"AWSLogs/aws-account-id="+row.Region.Account()+"/")
	}
	if _, ok := bucketpolicy.Admits(tx, delivery); ok {
		return nil
	}
	denied := wire.Errorf(
		"400", "Access Denied for LogDestination: %s. Please check LogDestination permission.", name,
	)
	if old.Region.Account() != row.Region.Account() || a.mayEditPolicy(ctx, name) != nil {
		return denied
	}
	policy, err := bucketpolicy.WithFlowLogs(old.Policy, delivery)
	if err != nil {
		return denied
	}
	bucket := *old
	bucket.Policy = policy
	store.Buckets.Put(tx, &bucket)
	return nil
}

// mayEditPolicy returns an error unless the caller may read and write the policy of a bucket.
func (a *API) mayEditPolicy(ctx context.Context, bucket string) error {
	return cmp.Or(
		a.Authorize(ctx, wire.Call{
			Service: "s3", Operation: "GetBucketPolicy", Input: &s3.GetBucketPolicyInput{Bucket: &bucket},
		}),
		a.Authorize(ctx, wire.Call{
			Service: "s3", Operation: "PutBucketPolicy", Input: &s3.PutBucketPolicyInput{Bucket: &bucket},
		}),
	)
}
