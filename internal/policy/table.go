package policy

// entry is an IAM action that Aloft needs. An action is named as in the Service
// Authorization Reference.
type entry struct {
	action string
	groups Group
	// rare says what calls the action, if no test does: it repairs what somebody
	// changed, or continues what another run left.
	rare string
	// implied says why AWS demands the action, although Aloft never calls it.
	implied string
}

// Actions with statements of their own.
const (
	terminate  = "ec2:TerminateInstances"
	createRole = "iam:CreateServiceLinkedRole"
	passRole   = "iam:PassRole"
)

// What repairs do that no test shows.
const (
	deletesSecond = "deletes a second one, which a killed run left"
	unneeded      = "deletes a role that is not needed any more"
	givesRole     = "gives another role to servers that exist"
	detaches      = "removes policies that somebody added to a role, to delete it"
	replaces      = "replaces one that somebody changed so that it cannot be repaired"
)

// table lists all actions, sorted. An action that is rare in one group alone has an entry
// for it there. Tests compare it with the requests in the source, and
// with those that the commands make.
var table = []entry{
	{
		action: "autoscaling:AttachLoadBalancerTargetGroups", groups: Deploy,
		rare: "attaches the target group again if somebody detached it",
	},
	{action: "autoscaling:CancelInstanceRefresh", groups: Deploy | Teardown},
	{action: "autoscaling:CreateAutoScalingGroup", groups: Deploy},
	{
		action: "autoscaling:CreateOrUpdateTags", groups: Deploy,
		implied: "an Auto Scaling group is tagged as it is created",
	},
	{action: "autoscaling:DeleteAutoScalingGroup", groups: Deploy | Teardown},
	{action: "autoscaling:DeletePolicy", groups: Deploy},
	{action: "autoscaling:DeleteScheduledAction", groups: Deploy},
	{action: "autoscaling:DescribeAccountLimits", groups: Read | Deploy},
	{action: "autoscaling:DescribeAutoScalingGroups", groups: everyone},
	{action: "autoscaling:DescribeInstanceRefreshes", groups: Read | Deploy | Operate},
	{action: "autoscaling:DescribePolicies", groups: everyone},
	{action: "autoscaling:DescribeScalingActivities", groups: Read | Deploy | Operate},
	{action: "autoscaling:DescribeScheduledActions", groups: everyone},
	{
		action: "autoscaling:DetachLoadBalancerTargetGroups", groups: Deploy,
		rare: "detaches target groups that somebody attached",
	},
	{action: "autoscaling:PutScalingPolicy", groups: Deploy},
	{action: "autoscaling:PutScheduledUpdateGroupAction", groups: Deploy},
	{
		action: "autoscaling:ResumeProcesses", groups: Teardown,
		rare: "resumes what somebody suspended, so that instances terminate",
	},
	{
		action: "autoscaling:RollbackInstanceRefresh", groups: Deploy,
		rare: "returns to the previous release when a refresh fails",
	},
	{action: "autoscaling:SetDesiredCapacity", groups: Deploy},
	{action: "autoscaling:SetInstanceProtection", groups: Teardown, rare: "lifts the protection that somebody set"},
	{action: "autoscaling:StartInstanceRefresh", groups: Deploy},
	{action: "autoscaling:UpdateAutoScalingGroup", groups: Deploy},
	{action: "cloudwatch:DescribeAlarms", groups: everyone},
	{action: "cloudwatch:GetMetricData", groups: Read | Deploy | Operate},
	{action: "ec2:AssociateIamInstanceProfile", groups: Deploy, rare: givesRole},
	{action: "ec2:AssociateRouteTable", groups: Deploy},
	{action: "ec2:AttachInternetGateway", groups: Deploy},
	{
		action: "ec2:AuthorizeSecurityGroupEgress", groups: Deploy,
		rare: "restores outbound rules that somebody removed",
	},
	{action: "ec2:AuthorizeSecurityGroupIngress", groups: Deploy | Operate},
	{action: "ec2:CreateImage", groups: Deploy},
	{action: "ec2:CreateInternetGateway", groups: Deploy},
	{action: "ec2:CreateLaunchTemplate", groups: Deploy},
	{action: "ec2:CreateLaunchTemplateVersion", groups: Deploy},
	{action: "ec2:CreateNetworkAcl", groups: Operate},
	{action: "ec2:CreateRoute", groups: Deploy},
	{action: "ec2:CreateRouteTable", groups: Deploy},
	{action: "ec2:CreateSecurityGroup", groups: Deploy},
	{action: "ec2:CreateSubnet", groups: Deploy},
	{action: "ec2:CreateTags", groups: Deploy | Operate},
	{action: "ec2:CreateVpc", groups: Deploy},
	{action: "ec2:DeleteInternetGateway", groups: Deploy, rare: deletesSecond},
	{action: "ec2:DeleteInternetGateway", groups: Teardown},
	{action: "ec2:DeleteKeyPair", groups: Deploy, rare: deletesSecond},
	{action: "ec2:DeleteKeyPair", groups: Teardown},
	{action: "ec2:DeleteLaunchTemplate", groups: Deploy | Teardown},
	{action: "ec2:DeleteNetworkAcl", groups: Operate},
	{action: "ec2:DeleteRouteTable", groups: Deploy, rare: deletesSecond},
	{action: "ec2:DeleteRouteTable", groups: Teardown},
	{action: "ec2:DeleteSecurityGroup", groups: Deploy, rare: deletesSecond},
	{action: "ec2:DeleteSecurityGroup", groups: Teardown},
	{action: "ec2:DeleteSnapshot", groups: Deploy | Teardown, implied: "an image's snapshots are deleted with it"},
	{action: "ec2:DeleteSubnet", groups: Deploy, rare: deletesSecond},
	{action: "ec2:DeleteSubnet", groups: Teardown},
	{action: "ec2:DeleteVpc", groups: Deploy, rare: deletesSecond},
	{action: "ec2:DeleteVpc", groups: Teardown},
	{action: "ec2:DeregisterImage", groups: Deploy | Teardown},
	{action: "ec2:DescribeAvailabilityZones", groups: Read | Deploy | Operate},
	{action: "ec2:DescribeIamInstanceProfileAssociations", groups: Deploy, rare: givesRole},
	{action: "ec2:DescribeImages", groups: everyone},
	{action: "ec2:DescribeInstanceTypeOfferings", groups: Read | Deploy | Operate},
	{action: "ec2:DescribeInstanceTypes", groups: Read | Deploy | Operate},
	{action: "ec2:DescribeInstances", groups: everyone},
	{action: "ec2:DescribeInternetGateways", groups: everyone},
	{action: "ec2:DescribeKeyPairs", groups: everyone},
	{action: "ec2:DescribeLaunchTemplateVersions", groups: everyone},
	{action: "ec2:DescribeLaunchTemplates", groups: everyone},
	{action: "ec2:DescribeNetworkAcls", groups: Operate},
	{
		action: "ec2:DescribeNetworkInterfaces", groups: Deploy | Teardown,
		rare: "names what still uses a subnet or a group",
	},
	{action: "ec2:DescribeRegions", groups: Read | Deploy | Operate},
	{action: "ec2:DescribeRouteTables", groups: everyone},
	{action: "ec2:DescribeSecurityGroups", groups: everyone},
	{action: "ec2:DescribeSubnets", groups: everyone},
	{action: "ec2:DescribeTags", groups: Teardown},
	{action: "ec2:DescribeVpcAttribute", groups: everyone},
	{action: "ec2:DescribeVpcs", groups: everyone},
	{action: "ec2:DetachInternetGateway", groups: Deploy, rare: deletesSecond},
	{action: "ec2:DetachInternetGateway", groups: Teardown},
	{action: "ec2:DisassociateRouteTable", groups: Deploy, rare: deletesSecond},
	{action: "ec2:DisassociateRouteTable", groups: Teardown},
	{action: "ec2:GetConsoleOutput", groups: Deploy | Operate},
	{action: "ec2:ImportKeyPair", groups: Deploy},
	{action: "ec2:ModifyInstanceAttribute", groups: Deploy},
	{action: "ec2:ModifyLaunchTemplate", groups: Deploy},
	{action: "ec2:ModifySubnetAttribute", groups: Deploy},
	{action: "ec2:ModifyVpcAttribute", groups: Deploy},
	{action: "ec2:ReplaceIamInstanceProfileAssociation", groups: Deploy, rare: givesRole},
	{action: "ec2:ReplaceNetworkAclAssociation", groups: Operate},
	{action: "ec2:ReplaceRoute", groups: Deploy, rare: "restores the route to the internet"},
	{action: "ec2:RevokeSecurityGroupEgress", groups: Deploy, rare: "removes outbound rules that somebody added"},
	{action: "ec2:RevokeSecurityGroupIngress", groups: Deploy | Operate | Teardown},
	{action: "ec2:RunInstances", groups: Deploy | Operate},
	{action: "ec2:StartInstances", groups: Deploy, rare: "starts a server that somebody stopped"},
	{action: terminate, groups: Deploy | Operate | Teardown},
	{
		action: "elasticloadbalancing:AddTags", groups: Deploy,
		implied: "load balancer, listener and target group are tagged as they are created",
	},
	{action: "elasticloadbalancing:CreateListener", groups: Deploy},
	{action: "elasticloadbalancing:CreateLoadBalancer", groups: Deploy},
	{action: "elasticloadbalancing:CreateTargetGroup", groups: Deploy},
	{action: "elasticloadbalancing:DeleteListener", groups: Deploy, rare: replaces},
	{action: "elasticloadbalancing:DeleteListener", groups: Teardown},
	{action: "elasticloadbalancing:DeleteLoadBalancer", groups: Deploy, rare: replaces},
	{action: "elasticloadbalancing:DeleteLoadBalancer", groups: Teardown},
	{action: "elasticloadbalancing:DeleteTargetGroup", groups: Deploy, rare: replaces},
	{action: "elasticloadbalancing:DeleteTargetGroup", groups: Teardown},
	{action: "elasticloadbalancing:DeregisterTargets", groups: Deploy},
	{action: "elasticloadbalancing:DescribeListeners", groups: everyone},
	{action: "elasticloadbalancing:DescribeLoadBalancers", groups: everyone},
	{action: "elasticloadbalancing:DescribeTags", groups: everyone},
	{action: "elasticloadbalancing:DescribeTargetGroupAttributes", groups: everyone},
	{action: "elasticloadbalancing:DescribeTargetGroups", groups: everyone},
	{action: "elasticloadbalancing:DescribeTargetHealth", groups: everyone},
	{
		action: "elasticloadbalancing:ModifyListener", groups: Deploy,
		rare: "changes the listener's port or target group",
	},
	{action: "elasticloadbalancing:ModifyTargetGroup", groups: Deploy},
	{action: "elasticloadbalancing:ModifyTargetGroupAttributes", groups: Deploy},
	{action: "elasticloadbalancing:RegisterTargets", groups: Deploy | Operate},
	{
		action: "elasticloadbalancing:SetSecurityGroups", groups: Deploy,
		rare: "restores the load balancer's security groups",
	},
	{action: "elasticloadbalancing:SetSubnets", groups: Deploy, rare: "restores the load balancer's subnets"},
	{action: "iam:AddRoleToInstanceProfile", groups: Deploy},
	{action: "iam:CreateInstanceProfile", groups: Deploy},
	{action: "iam:CreateRole", groups: Deploy},
	{
		action: createRole, groups: Deploy,
		implied: "AWS creates the roles of its services with the first load balancer and the first group of an account",
	},
	{action: "iam:DeleteInstanceProfile", groups: Deploy, rare: unneeded},
	{action: "iam:DeleteInstanceProfile", groups: Teardown},
	{action: "iam:DeleteRole", groups: Deploy, rare: unneeded},
	{action: "iam:DeleteRole", groups: Teardown},
	{action: "iam:DeleteRolePolicy", groups: Deploy, rare: unneeded},
	{action: "iam:DeleteRolePolicy", groups: Teardown},
	{action: "iam:DetachRolePolicy", groups: Deploy | Teardown, rare: detaches},
	{action: "iam:GetInstanceProfile", groups: everyone},
	{action: "iam:GetRole", groups: everyone},
	{action: "iam:GetRolePolicy", groups: everyone},
	{action: "iam:ListAttachedRolePolicies", groups: Deploy | Teardown, rare: detaches},
	{action: "iam:ListRolePolicies", groups: Deploy | Teardown, rare: detaches},
	{action: passRole, groups: Deploy | Operate, implied: "servers are launched with a role"},
	{action: "iam:PutRolePolicy", groups: Deploy},
	{action: "iam:RemoveRoleFromInstanceProfile", groups: Deploy, rare: unneeded},
	{action: "iam:RemoveRoleFromInstanceProfile", groups: Teardown},
	{
		action: "iam:TagInstanceProfile", groups: Deploy,
		implied: "an instance profile is tagged as it is created",
	},
	{action: "iam:TagRole", groups: Deploy, implied: "a role is tagged as it is created"},
	{
		action: "iam:UpdateAssumeRolePolicy", groups: Deploy,
		rare: "restores who may assume the role of the servers",
	},
	{action: "logs:CreateLogGroup", groups: Deploy},
	{action: "logs:DeleteLogGroup", groups: Deploy, rare: "deletes the log when logs is removed from aloft.yaml"},
	{action: "logs:DeleteLogGroup", groups: Teardown},
	{action: "logs:DescribeLogGroups", groups: everyone},
	{action: "logs:FilterLogEvents", groups: Operate},
	{action: "logs:ListTagsForResource", groups: everyone},
	{action: "logs:PutRetentionPolicy", groups: Deploy},
	{action: "logs:TagResource", groups: Deploy, implied: "a log group is tagged as it is created"},
	{action: "pricing:GetProducts", groups: Read},
	{
		action: "servicequotas:GetAWSDefaultServiceQuota", groups: Read | Deploy | Operate,
		rare: "reads a quota that was never changed in the account",
	},
	{action: "servicequotas:GetServiceQuota", groups: Read | Deploy | Operate},
	{action: "ssm:DeleteParameter", groups: Deploy | Operate | Teardown},
	{action: "ssm:DeleteParameters", groups: Teardown},
	{action: "ssm:GetParameter", groups: everyone},
	{action: "ssm:GetParametersByPath", groups: everyone},
	{action: "ssm:PutParameter", groups: Deploy | Operate | Teardown},
	{action: "sts:GetCallerIdentity", groups: everyone},
}
