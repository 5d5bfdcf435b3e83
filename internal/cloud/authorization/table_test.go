package authorization

import (
	"reflect"
	"strings"
	"testing"

	acmclient "github.com/aws/aws-sdk-go-v2/service/acm"
	scalingclient "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	watchclient "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	logsclient "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	ec2client "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	connectclient "github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect"
	elbclient "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	iamclient "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	zoneclient "github.com/aws/aws-sdk-go-v2/service/route53"
	bucketclient "github.com/aws/aws-sdk-go-v2/service/s3"
	secretsclient "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	quotaclient "github.com/aws/aws-sdk-go-v2/service/servicequotas"
	snsclient "github.com/aws/aws-sdk-go-v2/service/sns"
	ssmclient "github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	stsclient "github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/api/acm"
	"aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/api/cloudwatch"
	"aloft.dev/aloft/internal/cloud/api/cloudwatchlogs"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/api/ec2instanceconnect"
	"aloft.dev/aloft/internal/cloud/api/ec2messages"
	"aloft.dev/aloft/internal/cloud/api/elbv2"
	"aloft.dev/aloft/internal/cloud/api/iam"
	"aloft.dev/aloft/internal/cloud/api/route53"
	"aloft.dev/aloft/internal/cloud/api/s3"
	"aloft.dev/aloft/internal/cloud/api/secretsmanager"
	"aloft.dev/aloft/internal/cloud/api/servicequotas"
	"aloft.dev/aloft/internal/cloud/api/sns"
	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/api/sts"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/tunnel"
	"aloft.dev/aloft/internal/cloud/wire"
)

// clients are the SDK's clients of the services.
var clients = map[string]reflect.Type{
	"ec2": reflect.TypeFor[*ec2client.Client](), "elasticloadbalancing": reflect.TypeFor[*elbclient.Client](),
	"autoscaling": reflect.TypeFor[*scalingclient.Client](), "monitoring": reflect.TypeFor[*watchclient.Client](),
	"ssm": reflect.TypeFor[*ssmclient.Client](), "secretsmanager": reflect.TypeFor[*secretsclient.Client](),
	"iam": reflect.TypeFor[*iamclient.Client](), "sts": reflect.TypeFor[*stsclient.Client](),
	"acm": reflect.TypeFor[*acmclient.Client](), "servicequotas": reflect.TypeFor[*quotaclient.Client](),
	"route53": reflect.TypeFor[*zoneclient.Client](), "ec2-instance-connect": reflect.TypeFor[*connectclient.Client](),
	"sns": reflect.TypeFor[*snsclient.Client](), "logs": reflect.TypeFor[*logsclient.Client](),
	"s3": reflect.TypeFor[*bucketclient.Client](),
}

// served are the local cloud's APIs.
var served = map[string]reflect.Type{
	"ec2": reflect.TypeFor[*ec2.API](), "elasticloadbalancing": reflect.TypeFor[*elbv2.API](),
	"autoscaling": reflect.TypeFor[*autoscaling.API](), "monitoring": reflect.TypeFor[*cloudwatch.API](),
	"ssm": reflect.TypeFor[*ssm.API](), "sts": reflect.TypeFor[*sts.API](), "acm": reflect.TypeFor[*acm.API](),
	"servicequotas": reflect.TypeFor[*servicequotas.API](), "iam": reflect.TypeFor[*iam.API](),
	"secretsmanager": reflect.TypeFor[*secretsmanager.API](), "route53": reflect.TypeFor[*route53.API](),
	"ec2-instance-connect": reflect.TypeFor[*ec2instanceconnect.API](), "sns": reflect.TypeFor[*sns.API](),
	"logs": reflect.TypeFor[*cloudwatchlogs.API](), "ec2messages": reflect.TypeFor[*ec2messages.API](),
	"s3": reflect.TypeFor[*s3.API](),
}

// agentOperation reports whether the SDK lacks an operation because only agents call it.
func agentOperation(service, name string) bool {
	return service == "ec2messages" || service == "ssm" && name == "UpdateInstanceInformation"
}

// inputOf returns the type of an operation's input, or nil if there is no such operation.
func inputOf(service, name string) reflect.Type {
	if service == tunnel.Service && name == "OpenTunnel" {
		return reflect.TypeFor[tunnel.OpenTunnelInput]()
	}
	if agentOperation(service, name) {
		m, _ := served[service].MethodByName(name)
		return m.Type.In(2).Elem()
	}
	m, ok := clients[service].MethodByName(name)
	if !ok || m.Type.NumIn() < 3 || m.Type.In(2).Kind() != reflect.Pointer {
		return nil
	}
	return m.Type.In(2).Elem()
}

func TestTablesNameFieldsThatExist(t *testing.T) {
	for service, table := range tables {
		for name, op := range table {
			input := inputOf(service, name)
			if input == nil {
				t.Errorf("%s has no operation %s", service, name)
				continue
			}
			for _, r := range op.resources {
				for _, path := range r.fields {
					if !hasText(input, strings.Split(path, ".")) {
						t.Errorf("%s %s has no text %s", service, name, path)
					}
				}
			}
		}
	}
}

// hasText reports whether there is a text at a path below a type.
func hasText(at reflect.Type, path []string) bool {
	for at.Kind() == reflect.Pointer || at.Kind() == reflect.Slice {
		at = at.Elem()
	}
	if len(path) == 0 {
		return at.Kind() == reflect.String
	}
	if at.Kind() != reflect.Struct {
		return false
	}
	field, ok := at.FieldByName(path[0])
	return ok && hasText(field.Type, path[1:])
}

func TestEveryServedOperationIsDescribed(t *testing.T) {
	seen := 0
	for service, api := range served {
		for i := range api.NumMethod() {
			name := api.Method(i).Name
			if inputOf(service, name) == nil {
				continue
			}
			seen++
			if _, ok := tables[service][name]; !ok && !(describesAll[service] && strings.HasPrefix(name, "Describe")) {
				t.Errorf("%s %s has no entry", service, name)
			}
		}
	}
	if seen < 150 {
		t.Errorf("found only %d operations", seen)
	}
}

func TestNeeds(t *testing.T) {
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(tx *store.Tx) error { put(tx); return nil }); err != nil {
		t.Fatal(err)
	}
	text := func(s string) *string { return &s }
	const account, secretARNs = "000000000000", "arn:aws:secretsmanager:us-east-1:000000000000:secret:"
	for _, test := range []struct {
		service string
		input   any
		want    string // actions and resources
	}{
		{
			"secretsmanager", &secretsclient.GetSecretValueInput{SecretId: text("db")},
			"secretsmanager:GetSecretValue " + secretARNs + "db-AbCdEf",
		},
		{
			"secretsmanager", &secretsclient.GetSecretValueInput{SecretId: text(secretARNs + "db")},
			"secretsmanager:GetSecretValue " + secretARNs + "db-AbCdEf",
		},
		{
			// The name of one secret is another's without the last characters of its ARN.
			"secretsmanager", &secretsclient.GetSecretValueInput{SecretId: text(secretARNs + "db-AbCdEf")},
			"secretsmanager:GetSecretValue " + secretARNs + "db-AbCdEf\n" +
				"secretsmanager:GetSecretValue " + secretARNs + "db-AbCdEf-GhIjKl",
		},
		{
			"secretsmanager", &secretsclient.BatchGetSecretValueInput{SecretIdList: []string{"no"}},
			"secretsmanager:BatchGetSecretValue *\n" +
				"secretsmanager:GetSecretValue " + secretARNs + "no-??????",
		},
		{
			"ssm", &ssmclient.GetParameterInput{Name: text("/aws/reference/secretsmanager/no:AWSPREVIOUS")},
			"ssm:GetParameter arn:aws:ssm:us-east-1:" + account + ":parameter/aws/reference/secretsmanager/no\n" +
				"secretsmanager:GetSecretValue " + secretARNs + "no-??????",
		},
		{
			"secretsmanager", &secretsclient.BatchGetSecretValueInput{},
			"secretsmanager:BatchGetSecretValue *\nsecretsmanager:GetSecretValue unknown",
		},
		{
			"iam", &iamclient.CreateRoleInput{RoleName: text("new"), Path: text("/a/")},
			"iam:CreateRole arn:aws:iam::" + account + ":role/a/new",
		},
		{
			"iam", &iamclient.DeleteRoleInput{RoleName: text("WEB")},
			"iam:DeleteRole arn:aws:iam::" + account + ":role/apps/web",
		},
		{
			"iam", &iamclient.AddRoleToInstanceProfileInput{InstanceProfileName: text("p"), RoleName: text("web")},
			"iam:AddRoleToInstanceProfile arn:aws:iam::" + account + ":instance-profile/p\n" +
				"iam:PassRole arn:aws:iam::" + account + ":role/apps/web",
		},
		{
			"iam", &iamclient.CreateRoleInput{RoleName: text("new"), Tags: []iamtypes.Tag{{Key: text("k")}}},
			"iam:CreateRole arn:aws:iam::" + account + ":role/new\niam:TagRole arn:aws:iam::" + account + ":role/new",
		},
		{
			"logs", &logsclient.PutLogEventsInput{LogGroupName: text("/a"), LogStreamName: text("b")},
			"logs:PutLogEvents arn:aws:logs:us-east-1:" + account + ":log-group:/a:log-stream:b",
		},
		{
			"logs", &logsclient.CreateLogGroupInput{LogGroupName: text("/a"), Tags: map[string]string{"k": "v"}},
			"logs:CreateLogGroup arn:aws:logs:us-east-1:" + account + ":log-group:/a:log-stream:\n" +
				"logs:TagResource arn:aws:logs:us-east-1:" + account + ":log-group:/a:log-stream:",
		},
		{
			"logs", &logsclient.FilterLogEventsInput{
				LogGroupIdentifier: text("arn:aws:logs:us-east-1:" + account + ":log-group:/a"),
			},
			"logs:FilterLogEvents arn:aws:logs:us-east-1:" + account + ":log-group:/a:log-stream:",
		},
		{
			"logs", &logsclient.ListTagsForResourceInput{
				ResourceArn: text("arn:aws:logs:us-east-1:" + account + ":log-group:/a"),
			},
			"logs:ListTagsForResource arn:aws:logs:us-east-1:" + account + ":log-group:/a",
		},
		{"logs", &logsclient.DescribeLogGroupsInput{}, "logs:DescribeLogGroups arn:aws:logs:us-east-1:" + account +
			":log-group::log-stream:"},
		{"iam", &iamclient.ListRolesInput{}, "iam:ListRoles arn:aws:iam::" + account + ":role/"},
		{
			"elasticloadbalancing", &elbclient.CreateLoadBalancerInput{Name: text("new")},
			"elasticloadbalancing:CreateLoadBalancer arn:aws:elasticloadbalancing:us-east-1:" + account +
				":loadbalancer/app/new/*\niam:CreateServiceLinkedRole arn:aws:iam::" + account +
				":role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing",
		},
		{
			"iam", &iamclient.CreateServiceLinkedRoleInput{
				AWSServiceName: text("autoscaling.amazonaws.com"), CustomSuffix: text("mine"),
			},
			"iam:CreateServiceLinkedRole arn:aws:iam::" + account +
				":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_mine",
		},
		{
			"iam", &iamclient.GetServiceLinkedRoleDeletionStatusInput{
				DeletionTaskId: text("task/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot/1"),
			},
			"iam:GetServiceLinkedRoleDeletionStatus arn:aws:iam::" + account +
				":role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot",
		},
		{
			"iam", &iamclient.SimulatePrincipalPolicyInput{PolicySourceArn: text("arn:aws:iam::0:user/a")},
			"iam:SimulatePrincipalPolicy arn:aws:iam::0:user/a",
		},
		{
			"iam", &iamclient.CreateOpenIDConnectProviderInput{Url: text("https://a.example/b")},
			"iam:CreateOpenIDConnectProvider arn:aws:iam::" + account + ":oidc-provider/a.example/b",
		},
		{"iam", &iamclient.ListSAMLProviderTagsInput{}, "iam:ListSAMLProviderTags unknown\n* *"},
		{"ec2", &ec2client.CreateTransitGatewayInput{}, "ec2:CreateTransitGateway unknown\n* *"},
		{
			"ec2-instance-connect", &connectclient.SendSSHPublicKeyInput{InstanceId: text("i-1")},
			"ec2-instance-connect:SendSSHPublicKey arn:aws:ec2:us-east-1:" + account + ":instance/i-1",
		},
		{
			"ec2-instance-connect", &tunnel.OpenTunnelInput{InstanceConnectEndpointId: "eice-1"},
			"ec2-instance-connect:OpenTunnel arn:aws:ec2:us-east-1:" + account + ":instance-connect-endpoint/eice-1",
		},
		{"ec2", &ec2client.TerminateInstancesInput{}, "ec2:TerminateInstances unknown"},
		{"ec2", &ec2client.DescribeImagesInput{ImageIds: []string{"ami-1"}}, "ec2:DescribeImages *"},
		{
			"ec2", &ec2client.CreateTagsInput{Resources: []string{"ami-1", "key-1", "x"}},
			"ec2:CreateTags arn:aws:ec2:us-east-1::image/ami-1\n" +
				"ec2:CreateTags arn:aws:ec2:us-east-1:" + account + ":key-pair/deploy\n" +
				"ec2:CreateTags arn:aws:ec2:us-east-1:" + account + ":key-pair/key-1\nec2:CreateTags unknown",
		},
		{
			"ec2", &ec2client.DisassociateIamInstanceProfileInput{AssociationId: text("iip-assoc-1")},
			"ec2:DisassociateIamInstanceProfile arn:aws:ec2:us-east-1:" + account + ":instance/i-1",
		},
		{
			"ec2", &ec2client.DisassociateIamInstanceProfileInput{AssociationId: text("iip-assoc-2")},
			"ec2:DisassociateIamInstanceProfile unknown",
		},
		{
			"ec2", &ec2client.DeleteSecurityGroupInput{GroupName: text("web")},
			"ec2:DeleteSecurityGroup arn:aws:ec2:us-east-1:" + account + ":security-group/sg-1\n" +
				"ec2:DeleteSecurityGroup arn:aws:ec2:us-east-1:" + account + ":security-group/sg-2",
		},
		{
			// Users choose names that are other resources' ids.
			"ec2", &ec2client.DeleteLaunchTemplateInput{LaunchTemplateName: text("lt-1")},
			"ec2:DeleteLaunchTemplate arn:aws:ec2:us-east-1:" + account + ":launch-template/lt-1\n" +
				"ec2:DeleteLaunchTemplate arn:aws:ec2:us-east-1:" + account + ":launch-template/lt-2",
		},
		{
			"ec2", &ec2client.DeleteKeyPairInput{KeyName: text("key-1")},
			"ec2:DeleteKeyPair arn:aws:ec2:us-east-1:" + account + ":key-pair/deploy\n" +
				"ec2:DeleteKeyPair arn:aws:ec2:us-east-1:" + account + ":key-pair/key-1",
		},
		{
			"autoscaling", &scalingclient.SetDesiredCapacityInput{AutoScalingGroupName: text("g")},
			"autoscaling:SetDesiredCapacity arn:aws:autoscaling:us-east-1:" + account +
				":autoScalingGroup:1:autoScalingGroupName/g",
		},
		{"autoscaling", &scalingclient.ExecutePolicyInput{PolicyName: text("p")}, "autoscaling:ExecutePolicy unknown"},
		{
			"elasticloadbalancing", &elbclient.RegisterTargetsInput{TargetGroupArn: text("arn:t")},
			"elasticloadbalancing:RegisterTargets arn:t",
		},
		{
			"monitoring", &watchclient.DescribeAlarmsInput{},
			"cloudwatch:DescribeAlarms arn:aws:cloudwatch:us-east-1:" + account + ":alarm:*",
		},
		{"monitoring", &watchclient.PutMetricDataInput{}, "cloudwatch:PutMetricData *"},
		{
			"acm", &acmclient.ImportCertificateInput{},
			"acm:ImportCertificate arn:aws:acm:us-east-1:" + account + ":certificate/*",
		},
		{
			"route53", &zoneclient.ListResourceRecordSetsInput{HostedZoneId: text("/hostedzone/Z1")},
			"route53:ListResourceRecordSets arn:aws:route53:::hostedzone/Z1",
		},
		{"servicequotas", &quotaclient.ListServiceQuotasInput{}, "servicequotas:ListServiceQuotas *"},
		{"ssm", &ssmclient.DescribeParametersInput{}, "ssm:DescribeParameters arn:aws:ssm:us-east-1:" + account + ":*"},
		{
			"ssm", &ssmclient.PutParameterInput{Name: text("/a/b"), Tags: []ssmtypes.Tag{{Key: text("k")}}},
			"ssm:PutParameter arn:aws:ssm:us-east-1:" + account + ":parameter/a/b\n" +
				"ssm:AddTagsToResource arn:aws:ssm:us-east-1:" + account + ":parameter/a/b",
		},
		{
			"ssm", &ssmclient.GetParameterInput{Name: text("/aws/service/debian")},
			"ssm:GetParameter arn:aws:ssm:us-east-1::parameter/aws/service/debian",
		},
		{
			"ssm",
			&ssmclient.SendCommandInput{DocumentName: text("AWS-RunShellScript"), InstanceIds: []string{"i-1", "i-2"}},
			"ssm:SendCommand arn:aws:ssm:us-east-1::document/AWS-RunShellScript\n" +
				"ssm:SendCommand arn:aws:ec2:us-east-1:" + account + ":instance/i-1\n" +
				"ssm:SendCommand arn:aws:ec2:us-east-1:" + account + ":instance/i-2",
		},
		{
			"ssm", &ssmclient.SendCommandInput{
				DocumentName: text("AWS-RunShellScript"),
				Targets:      []ssmtypes.Target{{Key: text("tag:role"), Values: []string{"web", "db"}}},
			},
			"ssm:SendCommand arn:aws:ssm:us-east-1::document/AWS-RunShellScript\n" +
				"ssm:SendCommand arn:aws:ec2:us-east-1:" + account + ":instance/i-1",
		},
		{"ssm", &ssmclient.GetCommandInvocationInput{}, "ssm:GetCommandInvocation *"},
		{
			"ssm", &ssm.UpdateInstanceInformationInput{InstanceId: text("i-1")},
			"ssm:UpdateInstanceInformation arn:aws:ec2:us-east-1:" + account + ":instance/i-1",
		},
		{"ec2messages", &ec2messages.GetMessagesInput{Destination: text("i-1")}, "ec2messages:GetMessages *"},
		{
			"monitoring", &watchclient.PutMetricAlarmInput{
				AlarmName: text("a"), OKActions: []string{"arn:aws:automate:us-east-1:ec2:terminate"},
			},
			"cloudwatch:PutMetricAlarm arn:aws:cloudwatch:us-east-1:" + account + ":alarm:a\n" +
				"iam:CreateServiceLinkedRole arn:aws:iam::" + account +
				":role/aws-service-role/events.amazonaws.com/AWSServiceRoleForCloudWatchEvents",
		},
		{
			"monitoring", &watchclient.PutMetricAlarmInput{
				AlarmName: text("a"), AlarmActions: []string{"arn:aws:sns:us-east-1:" + account + ":topic"},
			},
			"cloudwatch:PutMetricAlarm arn:aws:cloudwatch:us-east-1:" + account + ":alarm:a",
		},
		{"sts", &stsclient.GetCallerIdentityInput{}, ""},
		{"sts", &stsclient.DecodeAuthorizationMessageInput{}, "sts:DecodeAuthorizationMessage unknown\n* *"},
	} {
		if got := needsOf(s, test.service, test.input); got != test.want {
			t.Errorf("%T: got\n%s\nwant\n%s", test.input, got, test.want)
		}
	}
}

func TestConditionKeysOfCalls(t *testing.T) {
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(tx *store.Tx) error { put(tx); return nil }); err != nil {
		t.Fatal(err)
	}
	text, yes := func(s string) *string { return &s }, true
	for _, test := range []struct {
		service string
		input   any
		want    map[string]string // of the first permission
	}{
		{
			"iam", &iamclient.AttachRolePolicyInput{RoleName: text("web"), PolicyArn: text("arn:p")},
			map[string]string{"iam:PolicyARN": "arn:p", "iam:PermissionsBoundary": "arn:b", "iam:ResourceTag/a": "b"},
		},
		{
			"iam", &iamclient.CreateRoleInput{RoleName: text("new"), PermissionsBoundary: text("arn:c")},
			map[string]string{"iam:PermissionsBoundary": "arn:c", "iam:PolicyARN": ""},
		},
		{
			"secretsmanager", &secretsclient.GetSecretValueInput{SecretId: text("db")},
			map[string]string{
				"secretsmanager:Name": "db", "secretsmanager:ResourceTag/a": "b", "aws:ResourceTag/a": "b",
			},
		},
		{
			"secretsmanager", &secretsclient.UntagResourceInput{SecretId: text("db"), TagKeys: []string{"x"}},
			map[string]string{"aws:TagKeys": "x"},
		},
		{
			"ec2", &ec2client.DeleteTagsInput{Resources: []string{"i-1"}, Tags: []ec2types.Tag{{Key: text("x")}}},
			map[string]string{"aws:TagKeys": "x", "ec2:InstanceProfile": "arn:i"},
		},
		{
			"ssm", &ssmclient.GetParametersByPathInput{Path: text("/a"), Recursive: &yes},
			map[string]string{"ssm:Recursive": "true"},
		},
		{"ssm", &ssmclient.PutParameterInput{Name: text("/a")}, map[string]string{"ssm:Overwrite": "false"}},
		{
			"secretsmanager",
			&secretsclient.GetSecretValueInput{SecretId: text("db"), VersionStage: text("AWSPREVIOUS")},
			map[string]string{"secretsmanager:VersionStage": "AWSPREVIOUS"},
		},
		{
			"ec2-instance-connect",
			&connectclient.SendSSHPublicKeyInput{InstanceId: text("i-1"), InstanceOSUser: text("admin")},
			map[string]string{"ec2:osuser": "admin", "ec2:InstanceProfile": "arn:i"},
		},
		{
			"ec2-instance-connect",
			&tunnel.OpenTunnelInput{
				InstanceConnectEndpointId: "eice-1", PrivateIpAddress: "10.0.1.5", RemotePort: "22",
				MaxTunnelDuration: "60",
			},
			map[string]string{
				"ec2-instance-connect:remotePort": "22", "ec2-instance-connect:privateIpAddress": "10.0.1.5",
				"ec2-instance-connect:maxTunnelDuration": "60", "ec2:ResourceTag/a": "b", "aws:ResourceTag/a": "b",
			},
		},
		{
			"monitoring", &watchclient.PutMetricDataInput{Namespace: text("app")},
			map[string]string{"cloudwatch:namespace": "app"},
		},
	} {
		name := strings.TrimSuffix(reflect.TypeOf(test.input).Elem().Name(), "Input")
		call := wire.Call{Service: test.service, Operation: name, Input: test.input}
		keys := newSubject(s.View(), wire.Caller{Region: "us-east-1"}, call).needs()[0].keys
		for key, values := range keys {
			if len(values) > 0 && !modelled(strings.ToLower(key)) {
				t.Errorf("%s has the key %s, which is not modelled", name, key)
			}
		}
		for key, want := range test.want {
			if got := strings.Join(keys[key], ","); got != want {
				t.Errorf("%s: %s is %q, want %q", name, key, got, want)
			}
		}
	}
}

func put(tx *store.Tx) {
	const home = "us-east-1"
	arn := "arn:aws:secretsmanager:us-east-1:000000000000:secret:"
	store.Secrets.Put(tx, &store.Secret{Region: home, Name: "db", ARN: arn + "db-AbCdEf", Tags: store.Tags{"a": "b"}})
	store.Secrets.Put(tx, &store.Secret{Region: home, Name: "db-AbCdEf", ARN: arn + "db-AbCdEf-GhIjKl"})
	store.Roles.Put(tx, &store.Role{
		Name: "web", ID: "AROAweb", ARN: "arn:aws:iam::000000000000:role/apps/web",
		Permissions: store.Permissions{Boundary: "arn:b"},
		Tags:        store.Tags{"a": "b"},
	})
	store.InstanceConnectEndpoints.Put(tx, &store.InstanceConnectEndpoint{
		ID: "eice-1", Region: home, Tags: store.Tags{"a": "b"},
	})
	store.KeyPairs.Put(tx, &store.KeyPair{ID: "key-1", Region: home, Name: "deploy"})
	store.KeyPairs.Put(tx, &store.KeyPair{ID: "key-2", Region: home, Name: "key-1"})
	store.LaunchTemplates.Put(tx, &store.LaunchTemplate{ID: "lt-1", Region: home, Name: "web"})
	store.LaunchTemplates.Put(tx, &store.LaunchTemplate{ID: "lt-2", Region: home, Name: "lt-1"})
	store.Instances.Put(tx, &store.Instance{
		ID: "i-1", Region: home, ProfileAssociationID: "iip-assoc-1", ProfileARN: "arn:i",
		Tags: store.Tags{"role": "web"},
	})
	store.ManagedInstances.Put(tx, &store.ManagedInstance{ID: "i-1", Region: home})
	store.SecurityGroups.Put(tx, &store.SecurityGroup{ID: "sg-1", Region: home, VPCID: "vpc-1", Name: "web"})
	store.SecurityGroups.Put(tx, &store.SecurityGroup{ID: "sg-2", Region: home, VPCID: "vpc-2", Name: "web"})
	store.ScalingGroups.Put(tx, &store.ScalingGroup{
		Region: home, Name: "g",
		ARN: "arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:1:autoScalingGroupName/g",
	})
}
