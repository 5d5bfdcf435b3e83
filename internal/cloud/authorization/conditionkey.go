package authorization

import "strings"

// absentKeys are global condition keys that requests to the local cloud have, but that it
// does not know.
var absentKeys = map[string]bool{"aws:referer": true}

// serviceKeys are the condition keys of services that the tables have, in lower case. A
// key that ends in a slash stands for the keys of all tags.
var serviceKeys = map[string]bool{
	"ec2:region": true, "ec2:resourcetag/": true, "ec2:createaction": true, "ec2:instancetype": true,
	"ec2:availabilityzone": true, "ec2:tenancy": true, "ec2:instanceprofile": true, "ec2:vpc": true,
	"ec2:metadatahttptokens": true, "ec2:metadatahttpendpoint": true, "ec2:sourceinstancearn": true,

	"ec2:osuser": true, "ec2-instance-connect:remoteport": true, "ec2-instance-connect:privateipaddress": true,
	"ec2-instance-connect:maxtunnelduration": true,

	"elasticloadbalancing:resourcetag/": true, "elasticloadbalancing:createaction": true,
	"autoscaling:resourcetag/": true, "autoscaling:createaction": true,
	"cloudwatch:resourcetag/": true, "cloudwatch:createaction": true, "cloudwatch:namespace": true,
	"acm:resourcetag/": true,

	"ssm:resourcetag/": true, "ssm:createaction": true, "ssm:overwrite": true, "ssm:recursive": true,
	"secretsmanager:resourcetag/": true, "secretsmanager:createaction": true, "secretsmanager:name": true,
	"secretsmanager:secretid": true, "secretsmanager:versionid": true, "secretsmanager:versionstage": true,

	"sns:protocol": true, "sns:endpoint": true,

	"iam:resourcetag/": true, "iam:createaction": true, "iam:passedtoservice": true, "iam:policyarn": true,
	"iam:permissionsboundary": true, "iam:awsservicename": true,
	"sts:externalid": true, "sts:rolesessionname": true, "sts:sourceidentity": true, "sts:transitivetagkeys": true,
}

// modelled reports whether calls have a condition key, given in lower case, when AWS's
// calls do. All global keys are modelled, except absentKeys: what a call of the local
// cloud does not have, such as a VPC endpoint or an organization, a call on AWS would not
// have either.
func modelled(key string) bool {
	if strings.HasPrefix(key, "aws:") {
		return !absentKeys[key]
	}
	if i := strings.Index(key, "/"); i >= 0 {
		key = key[:i+1]
	}
	return serviceKeys[key]
}
