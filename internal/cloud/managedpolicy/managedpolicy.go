// Package managedpolicy has the policies that AWS manages: those that people attach to the roles of
// instances, and those of service-linked roles. It finds the document of any policy that a role can
// have.
//
// Names, versions, dates and permissions are those of the AWS Managed Policy Reference
// Guide. The local cloud has the default version of each policy only.
package managedpolicy

import (
	"embed"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Policy is a policy that AWS manages.
type Policy struct {
	Name, ID         string
	Path             string // below Prefix: "" or "aws-service-role/"
	Description      string
	Version          string // the default: "v1"
	Created, Updated time.Time
}

// Prefix starts the ARNs of AWS's policies.
const Prefix = "arn:aws:iam::aws:policy/"

// ServiceRoles is the path of the policies of service-linked roles, which no other role can have.
const ServiceRoles = "aws-service-role/"

// ARN returns the policy's ARN.
func (p *Policy) ARN() string { return Prefix + p.Path + p.Name }

//go:embed documents
var documents embed.FS

// Document returns the document of the default version.
func (p *Policy) Document() string {
	// A policy without a file has an empty document, which the tests refuse.
	text, _ := documents.ReadFile("documents/" + p.Name + ".json")
	return strings.TrimSpace(string(text))
}

// All returns the policies in the order of their names.
func All() []Policy {
	return []Policy{
		{
			Name: "AWSEC2FleetServiceRolePolicy", ID: "ANPAJCL355O4TC27CPKVC", Version: "v3", Path: ServiceRoles,
			Description: "Allows EC2 Fleet to launch and manage instances.",
			Created:     at("2018-03-21T00:08:55Z"), Updated: at("2020-05-04T20:10:31Z"),
		},
		{
			Name: "AWSEC2SpotServiceRolePolicy", ID: "ANPAIZJJBQNXQYVKTEXGM", Version: "v4", Path: ServiceRoles,
			Description: "Allows EC2 Spot to launch and manage spot instances",
			Created:     at("2017-09-18T18:51:54Z"), Updated: at("2018-12-12T00:13:51Z"),
		},
		{
			Name: "AWSElasticLoadBalancingServiceRolePolicy", ID: "ANPAIMHWGGSRHLOQUICJQ", Version: "v9",
			Path:        ServiceRoles,
			Description: "Service Linked Role Policy for AWS Elastic Load Balancing Control Plane",
			Created:     at("2017-09-19T22:19:04Z"), Updated: at("2025-02-17T20:22:00Z"),
		},
		{
			Name: "AdministratorAccess", ID: "ANPAIWMBCKSKIEE64ZLYK", Version: "v1",
			Description: "Provides full access to AWS services and resources.",
			Created:     at("2015-02-06T18:39:46Z"), Updated: at("2015-02-06T18:39:46Z"),
		},
		{
			Name: "AmazonEC2FullAccess", ID: "ANPAI3VAJF5ZCRZ7MCQE6", Version: "v5",
			Description: "Provides full access to Amazon EC2 via the AWS Management Console.",
			Created:     at("2015-02-06T18:40:15Z"), Updated: at("2018-11-27T02:16:56Z"),
		},
		{
			Name: "AmazonEC2ReadOnlyAccess", ID: "ANPAIGDT4SV4GSETWTBZK", Version: "v2",
			Description: "Provides read only access to Amazon EC2 via the AWS Management Console.",
			Created:     at("2015-02-06T18:40:17Z"), Updated: at("2024-02-14T15:17:04Z"),
		},
		{
			Name: "AmazonS3FullAccess", ID: "ANPAIFIR6V6BVTRAHWINE", Version: "v2",
			Description: "Provides full access to all buckets via the AWS Management Console.",
			Created:     at("2015-02-06T18:40:58Z"), Updated: at("2021-09-27T20:16:37Z"),
		},
		{
			Name: "AmazonS3ReadOnlyAccess", ID: "ANPAIZTJ4DXE7G6AGAE6M", Version: "v3",
			Description: "Provides read only access to all buckets via the AWS Management Console.",
			Created:     at("2015-02-06T18:40:59Z"), Updated: at("2023-08-10T21:31:39Z"),
		},
		{
			Name: "AmazonSNSFullAccess", ID: "ANPAJWEKLCXXUNT2SOLSG", Version: "v1",
			Description: "Provides full access to Amazon SNS via the AWS Management Console.",
			Created:     at("2015-02-06T18:41:05Z"), Updated: at("2015-02-06T18:41:05Z"),
		},
		{
			Name: "AmazonSSMManagedInstanceCore", ID: "ANPAIXSHM2BNB2D3AXXRU", Version: "v2",
			Description: "The policy for Amazon EC2 Role to enable AWS Systems Manager service core functionality.",
			Created:     at("2019-03-15T17:22:12Z"), Updated: at("2019-05-23T16:54:21Z"),
		},
		{
			Name: "AmazonSSMReadOnlyAccess", ID: "ANPAJODSKQGGJTHRYZ5FC", Version: "v1",
			Description: "Provides read only access to Amazon SSM.",
			Created:     at("2015-05-29T17:44:19Z"), Updated: at("2015-05-29T17:44:19Z"),
		},
		{
			Name: "AutoScalingServiceRolePolicy", ID: "ANPAIC5D2V7MRWBMHGD7G", Version: "v10", Path: ServiceRoles,
			Description: "Enables access to AWS services and Resources used or managed by Auto Scaling",
			Created:     at("2018-01-08T23:10:55Z"), Updated: at("2025-11-12T18:19:06Z"),
		},
		{
			Name: "CloudWatchAgentServerPolicy", ID: "ANPAIGOPKN7KRDAKTLG4I", Version: "v3",
			Description: "Permissions required to use AmazonCloudWatchAgent on servers",
			Created:     at("2018-03-07T01:06:44Z"), Updated: at("2024-02-06T16:37:37Z"),
		},
		{
			Name: "CloudWatchEventsServiceRolePolicy", ID: "ANPAJNVASSNSIDZIP4X7I", Version: "v1", Path: ServiceRoles,
			Description: "Allow AWS CloudWatch to execute actions on your behalf configured through alarms and events.",
			Created:     at("2017-11-17T00:42:04Z"), Updated: at("2017-11-17T00:42:04Z"),
		},
		{
			Name: "CloudWatchLogsFullAccess", ID: "ANPAJ3ZGNWK2R5HW5BQFO", Version: "v3",
			Description: "Provides full access to CloudWatch Logs",
			Created:     at("2015-02-06T18:40:02Z"), Updated: at("2025-05-20T17:07:06Z"),
		},
		{
			Name: "IAMFullAccess", ID: "ANPAI7XKCFMBPM3QQRRVQ", Version: "v2",
			Description: "Provides full access to IAM via the AWS Management Console.",
			Created:     at("2015-02-06T18:40:38Z"), Updated: at("2019-06-21T19:40:00Z"),
		},
		{
			Name: "IAMReadOnlyAccess", ID: "ANPAJKSO7NDY4T57MWDSQ", Version: "v4",
			Description: "Provides read only access to IAM via the AWS Management Console.",
			Created:     at("2015-02-06T18:40:39Z"), Updated: at("2018-01-25T19:11:27Z"),
		},
		{
			Name: "PowerUserAccess", ID: "ANPAJYRXTHIB4FOVS3ZXS", Version: "v12",
			Description: "Provides full access to AWS services and resources, but does not allow management of " +
				"Users and groups.",
			Created: at("2015-02-06T18:39:47Z"), Updated: at("2026-02-12T17:59:14Z"),
		},
		{
			Name: "ReadOnlyAccess", ID: "ANPAILL3HVNFSB6DCOWYQ", Version: "v188",
			Description: "Provides read-only access to AWS services and resources.",
			Created:     at("2015-02-06T18:39:48Z"), Updated: at("2026-07-21T18:42:30Z"),
		},
		{
			Name: "SecretsManagerReadWrite", ID: "ANPAI3VG7CI5BIQZQ6G2E", Version: "v6",
			Description: "Provides read/write access to AWS Secrets Manager via the AWS Management Console. Note: " +
				"this excludes IAM actions, so combine with IAMFullAccess if rotation configuration is required.",
			Created: at("2018-04-04T18:05:29Z"), Updated: at("2026-08-25T23:37:10Z"),
		},
	}
}

// at returns a time of the table, which the tests parse.
func at(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text)
	return t
}

// Find returns AWS's policy with an ARN.
func Find(arn string) (Policy, bool) {
	list := All()
	i := slices.IndexFunc(list, func(p Policy) bool { return p.ARN() == arn })
	if i < 0 {
		return Policy{}, false
	}
	return list[i], true
}

// Document returns the document of the default version of a policy: one of AWS's or one
// of the account's. It reports whether the policy exists.
func Document(r store.Reader, arn string) (string, bool) {
	if policy, ok := Find(arn); ok {
		return policy.Document(), true
	}
	row, ok := store.Policies.Get(r, arn)
	if !ok {
		return "", false
	}
	version, ok := row.Version(row.DefaultVersion)
	return version.Document, ok
}
