package authorization_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	scalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/store"
)

const (
	me         = "arn:aws:sts::000000000000:assumed-role/web/test"
	managedBy  = "arn:aws:iam::aws:policy/"
	parameters = "arn:aws:ssm:us-east-1:000000000000:parameter"
)

// deniedSSM is the error of Systems Manager for an action that no policy allows.
func deniedSSM(action, resource string) string {
	return "AccessDeniedException: User: " + me + " is not authorized to perform: " + action + " on resource: " +
		resource + " because no identity-based policy allows the " + action + " action"
}

func deniedEC2(action, resource string) string {
	on := ""
	if resource != "" {
		on = " on resource: " + resource
	}
	return "UnauthorizedOperation: You are not authorized to perform this operation. User: " + me +
		" is not authorized to perform: " + action + on + " because no identity-based policy allows the " + action +
		" action"
}

func TestARoleReadsItsOwnParametersOnly(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/shop/key", "shop")
	w.parameter("/bank/key", "bank")
	w.parameter("plain", "shop")
	c := w.assume(w.role("web", allow("ssm:Get*", parameters+"/shop/*")))
	client := ssm.NewFromConfig(c)
	for _, name := range []string{
		"/shop/key", "/shop/key:1", parameters + "/shop/key", parameters + "/shop/key:1",
	} {
		w.want(name, getParameter(ctx, c, name), "")
	}
	bank := deniedSSM("ssm:GetParameter", parameters+"/bank/key")
	for _, name := range []string{
		"/bank/key", "/bank/key:1", parameters + "/bank/key", parameters + "/bank/key:1",
		"arn:aws:ssm:us-east-1:999999999999:parameter/bank/key", "arn:aws:ssm:us-east-1::parameter/bank/key",
	} {
		w.want(name, getParameter(ctx, c, name), bank)
	}
	w.want("a name without a path", getParameter(ctx, c, "plain"), deniedSSM("ssm:GetParameter", parameters+"/plain"))
	w.want("a name without a path and with a slash", getParameter(ctx, c, "/plain"),
		deniedSSM("ssm:GetParameter", parameters+"/plain"))
	w.want("what does not exist", getParameter(ctx, c, "/bank/no"),
		deniedSSM("ssm:GetParameter", parameters+"/bank/no"))
	_, err := client.GetParameters(ctx, &ssm.GetParametersInput{Names: []string{"/shop/key", "/bank/key"}})
	w.want("one of two", err, deniedSSM("ssm:GetParameters", parameters+"/bank/key"))
	_, err = client.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: aws.String("/shop/")})
	w.want("own path", err, "")
	for path, resource := range map[string]string{"/": "/", "/bank": "/bank", "/shop": "/shop"} {
		_, err = client.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: &path, Recursive: aws.Bool(true)})
		w.want(path, err, deniedSSM("ssm:GetParametersByPath", parameters+resource))
	}
	_, err = client.PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String("/shop/key"), Value: aws.String("x"), Overwrite: aws.Bool(true),
	})
	w.want("write", err, deniedSSM("ssm:PutParameter", parameters+"/shop/key"))
	w.want("another service", describeInstances(ctx, c), deniedEC2("ec2:DescribeInstances", ""))
	w.want("the account's own key", getParameter(ctx, w.root(), "/bank/key"), "")
	_, err = sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	w.want("GetCallerIdentity", err, "")
}

func TestReasonsOfDenials(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/shop/key", "shop")
	start := "AccessDeniedException: User: " + me + " is not authorized to perform: ssm:GetParameter on resource: " +
		parameters + "/shop/key "
	w.managed[managedBy+"Nothing"] = policy(allow("ec2:*", "*"))
	w.managed[managedBy+"Damaged"] = `{"Statement":`
	for name, test := range map[string]struct {
		statements string
		change     func(*store.Role)
		want       string
	}{
		"explicit": {
			allow("*", "*") + `,{"Effect":"Deny","Action":"ssm:Get*","Resource":"*"}`, func(*store.Role) {},
			start + "with an explicit deny in an identity-based policy",
		},
		"boundary": {
			allow("*", "*"), func(r *store.Role) { r.Boundary = managedBy + "Nothing" },
			start + "because no permissions boundary allows the ssm:GetParameter action",
		},
	} {
		role := w.role("web", test.statements, test.change)
		w.want(name, getParameter(ctx, w.assume(role), "/shop/key"), test.want)
	}
	for name, change := range map[string]func(*store.Role){
		"a policy that does not exist": func(r *store.Role) { r.Attached = []string{managedBy + "No"} },
		"a damaged managed policy":     func(r *store.Role) { r.Attached = []string{managedBy + "Damaged"} },
		"a damaged policy":             func(r *store.Role) { r.Inline["other"] = "{" },
		"a boundary that is gone":      func(r *store.Role) { r.Boundary = managedBy + "No" },
	} {
		role := w.role("web", allow("*", "*"), change)
		err := getParameter(ctx, w.assume(role), "/shop/key")
		if !strings.HasPrefix(refusal(err), "AccessDeniedException: User: "+me) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	balancing := elb.NewFromConfig(w.assume(w.role("web", "")))
	_, err := balancing.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})
	w.want("a query service", err, "AccessDenied: User: "+me+" is not authorized to perform: "+
		"elasticloadbalancing:DescribeLoadBalancers because no identity-based policy allows the "+
		"elasticloadbalancing:DescribeLoadBalancers action")
}

func TestPoliciesOfAllKindsApply(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/shop/key", "shop")
	w.managed[managedBy+"Read"] = policy(allow("ssm:Get*", "*"))
	w.put(func(tx *store.Tx) {
		store.Policies.Put(tx, &store.Policy{
			ARN: "arn:aws:iam::000000000000:policy/Own", DefaultVersion: "v2",
			Versions: []store.PolicyVersion{
				{ID: "v1", Document: policy(allow("*", "*"))}, {ID: "v2", Document: policy(allow("ec2:*", "*"))},
			},
		})
	})
	c := w.assume(w.role("web", "", func(r *store.Role) {
		r.Attached = []string{managedBy + "Read", "arn:aws:iam::000000000000:policy/Own"}
	}))
	w.want("AWS's policy", getParameter(ctx, c, "/shop/key"), "")
	w.want("the default version of an own policy", describeInstances(ctx, c), "")
	_, err := acm.NewFromConfig(c).ListCertificates(ctx, &acm.ListCertificatesInput{})
	if !strings.HasPrefix(refusal(err), "AccessDeniedException") {
		t.Errorf("an old version applies: %v", err)
	}
}

func TestTagsDecide(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.parameter("/a/key", "shop")
	w.parameter("/b/key", "bank")
	c := w.assume(w.role("web",
		`{"Effect":"Allow","Action":"ssm:*","Resource":"*","Condition":{"StringEquals":
			{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}},
		{"Effect":"Allow","Action":"ssm:AddTagsToResource","Resource":"*","Condition":{
			"StringEquals":{"aws:RequestTag/team":"${aws:PrincipalTag/team}"},
			"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}`,
		func(r *store.Role) { r.Tags = store.Tags{"team": "shop"} }))
	w.want("own tag", getParameter(ctx, c, "/a/key"), "")
	w.want("another tag", getParameter(ctx, c, "/b/key"), deniedSSM("ssm:GetParameter", parameters+"/b/key"))
	w.want("no tag", getParameter(ctx, c, "/c/key"), deniedSSM("ssm:GetParameter", parameters+"/c/key"))
	tag := func(keysAndValues ...string) error {
		in := &ssm.AddTagsToResourceInput{
			ResourceType: ssmtypes.ResourceTypeForTaggingParameter, ResourceId: aws.String("/b/key"),
		}
		for i := 0; i < len(keysAndValues); i += 2 {
			in.Tags = append(in.Tags, ssmtypes.Tag{Key: &keysAndValues[i], Value: &keysAndValues[i+1]})
		}
		_, err := ssm.NewFromConfig(c).AddTagsToResource(ctx, in)
		return err
	}
	denied := deniedSSM("ssm:AddTagsToResource", parameters+"/b/key")
	w.want("another value", tag("team", "bank"), denied)
	w.want("another key", tag("team", "shop", "owner", "me"), denied)
	w.want("the allowed tag", tag("team", "shop"), "")
	w.want("which then opens the parameter", getParameter(ctx, c, "/b/key"), "")
}

// What policies say about a secret holds when it is read like a parameter.
func TestSecretsThatAreParametersKeepTheirConditions(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	arn := "arn:aws:secretsmanager:us-east-1:000000000000:secret:db-AbCdEf"
	w.put(func(tx *store.Tx) {
		store.Secrets.Put(tx, &store.Secret{
			Region: region, Name: "db", ARN: arn, Tags: store.Tags{"level": "top"},
		})
	})
	const name = "/aws/reference/secretsmanager/db"
	for _, c := range []struct{ key, value, name, want string }{
		{"secretsmanager:ResourceTag/level", "top", name, "denied"},
		{"secretsmanager:ResourceTag/level", "low", name, ""},
		{"secretsmanager:VersionStage", "AWSPREVIOUS", name + ":AWSPREVIOUS", "denied"},
		{"secretsmanager:VersionStage", "AWSPREVIOUS", name, ""},
		{"secretsmanager:VersionId", "an-id", name + ":an-id", "denied"},
	} {
		want := "ValidationException: WithDecryption flag must be True for retrieving a Secret Manager secret."
		if c.want == "denied" {
			want = "AccessDeniedException: User: " + me + " is not authorized to perform: " +
				"secretsmanager:GetSecretValue on resource: " + arn +
				" with an explicit deny in an identity-based policy"
		}
		client := w.assume(w.role("web", allow("*", "*")+`,{"Effect":"Deny","Action":"secretsmanager:GetSecretValue",
			"Resource":"*","Condition":{"StringEquals":{"`+c.key+`":"`+c.value+`"}}}`))
		w.want(c.name+" without "+c.key+"="+c.value, getParameter(ctx, client, c.name), want)
	}
}

func TestDryRunsAreAuthorizedFirst(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	client := ec2.NewFromConfig(w.assume(w.role("web", allow("ec2:DescribeInstances", "*"))))
	_, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{DryRun: aws.Bool(true)})
	w.want("allowed", err, "DryRunOperation: Request would have succeeded, but DryRun flag is set.")
	_, err = client.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{DryRun: aws.Bool(true)})
	w.want("denied", err, deniedEC2("ec2:DescribeVpcs", ""))
}

func TestInstancesAreResources(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	run := func(tag string) string {
		out, err := ec2.NewFromConfig(w.root()).RunInstances(ctx, &ec2.RunInstancesInput{
			ImageId: &w.public, InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
			TagSpecifications: []types.TagSpecification{{
				ResourceType: types.ResourceTypeInstance,
				Tags:         []types.Tag{{Key: aws.String("team"), Value: &tag}},
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return *out.Instances[0].InstanceId
	}
	own, other := run("shop"), run("bank")
	client := ec2.NewFromConfig(w.assume(w.role("web", `{"Effect":"Allow",
		"Action":["ec2:TerminateInstances","ec2:CreateTags"],"Resource":"arn:aws:ec2:*:*:instance/*",
		"Condition":{"StringEquals":{"ec2:ResourceTag/team":"shop"}}}`)))
	terminate := func(ids ...string) error {
		_, err := client.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
		return err
	}
	arn := "arn:aws:ec2:us-east-1:000000000000:instance/"
	w.want("another's", terminate(other), deniedEC2("ec2:TerminateInstances", arn+other))
	w.want("both", terminate(own, other), deniedEC2("ec2:TerminateInstances", arn+other))
	tag := func(id string) error {
		_, err := client.CreateTags(ctx, &ec2.CreateTagsInput{
			Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}},
		})
		return err
	}
	w.want("tag another's", tag(other), deniedEC2("ec2:CreateTags", arn+other))
	w.want("tag one's own", tag(own), "")
	w.want("one's own", terminate(own), "")
	volume := store.Volumes.List(w.store.View())[0].ID
	w.want("tag a volume", tag(volume),
		deniedEC2("ec2:CreateTags", "arn:aws:ec2:us-east-1:000000000000:volume/"+volume))
}

func TestLaunchesNeedEverythingThatTheyUse(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.put(func(tx *store.Tx) {
		store.InstanceProfiles.Put(tx, &store.InstanceProfile{
			Name: "admin", ID: "AIPA1", ARN: "arn:aws:iam::000000000000:instance-profile/admin", Role: "admin",
		})
	})
	w.role("admin", allow("*", "*"))
	const instance = "arn:aws:ec2:us-east-1:000000000000:instance/*"
	types3 := `{"Effect":"Allow","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:*:instance/*",
		"Condition":{"StringEquals":{"ec2:InstanceType":"t3.micro"}}}`
	rest := `{"Effect":"Allow","Action":"ec2:RunInstances","NotResource":"arn:aws:ec2:*:*:instance/*"}`
	run := func(statements string, change func(*ec2.RunInstancesInput)) error {
		in := &ec2.RunInstancesInput{
			ImageId: &w.public, InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		}
		if change != nil {
			change(in)
		}
		_, err := ec2.NewFromConfig(w.assume(w.role("web", statements))).RunInstances(ctx, in)
		return err
	}
	image := "arn:aws:ec2:us-east-1::image/" + w.public
	w.want("nothing", run(types3, nil), deniedEC2("ec2:RunInstances", image))
	w.want("everything", run(types3+","+rest, nil), "")
	w.want("another type", run(types3+","+rest, func(in *ec2.RunInstancesInput) {
		in.InstanceType = types.InstanceTypeT3Large
	}), deniedEC2("ec2:RunInstances", instance))
	tagged := func(in *ec2.RunInstancesInput) {
		in.TagSpecifications = []types.TagSpecification{{
			ResourceType: types.ResourceTypeInstance,
			Tags:         []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
		}}
	}
	w.want("tags", run(types3+","+rest, tagged), deniedEC2("ec2:CreateTags", instance))
	tagging := `{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*","Condition":{"StringEquals":
		{"ec2:CreateAction":"RunInstances"},"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}}`
	w.want("tags at the creation", run(types3+","+rest+","+tagging, tagged), "")

	admin := func(in *ec2.RunInstancesInput) {
		in.IamInstanceProfile = &types.IamInstanceProfileSpecification{Name: aws.String("admin")}
	}
	notPassed := deniedEC2("iam:PassRole", "arn:aws:iam::000000000000:role/admin")
	w.want("a profile", run(types3+","+rest, admin), notPassed)
	pass := func(service string) string {
		return `,{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":
			{"iam:PassedToService":"` + service + `"}}}`
	}
	w.want("a profile for another service", run(types3+","+rest+pass("lambda.amazonaws.com"), admin), notPassed)
	w.want("a profile that may be passed", run(types3+","+rest+pass("ec2.amazonaws.com"), admin), "")
	w.want("a profile that the policy excludes", run(allow("*", "*")+`,{"Effect":"Deny","Action":"ec2:RunInstances",
		"Resource":"*","Condition":{"ArnLike":{"ec2:InstanceProfile":"arn:aws:iam::*:instance-profile/admin"}}}`,
		admin),
		"UnauthorizedOperation: You are not authorized to perform this operation. User: "+me+" is not authorized to "+
			"perform: ec2:RunInstances on resource: "+instance+" with an explicit deny in an identity-based policy")
}

// A template's contents count as the request's own.
func TestLaunchTemplatesHideNothing(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.put(func(tx *store.Tx) {
		store.InstanceProfiles.Put(tx, &store.InstanceProfile{
			Name: "admin", ID: "AIPA1", ARN: "arn:aws:iam::000000000000:instance-profile/admin", Role: "admin",
		})
	})
	w.role("admin", allow("*", "*"))
	template := func(name string, data *types.RequestLaunchTemplateData) {
		data.ImageId = &w.public
		if _, err := ec2.NewFromConfig(w.root()).CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: &name, LaunchTemplateData: data,
		}); err != nil {
			t.Fatal(err)
		}
	}
	template("large", &types.RequestLaunchTemplateData{InstanceType: types.InstanceTypeT3Large})
	template("admin", &types.RequestLaunchTemplateData{
		InstanceType:       types.InstanceTypeT3Micro,
		IamInstanceProfile: &types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: aws.String("admin")},
	})
	c := w.assume(w.role("web", `{"Effect":"Allow","Action":["ec2:*","autoscaling:*",
		"iam:CreateServiceLinkedRole"],"Resource":"*"},
		{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:*:instance/*",
		"Condition":{"StringNotEquals":{"ec2:InstanceType":"t3.micro"}}},
		{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"*",
		"Condition":{"StringEquals":{"aws:RequestTag/team":"bank"}}}`))
	run := func(name string, version ...string) error {
		spec := &types.LaunchTemplateSpecification{LaunchTemplateName: &name}
		for i := range version {
			spec.Version = &version[i]
		}
		_, err := ec2.NewFromConfig(c).RunInstances(ctx, &ec2.RunInstancesInput{
			LaunchTemplate: spec, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		})
		return err
	}
	if _, err := ec2.NewFromConfig(w.root()).CreateLaunchTemplateVersion(ctx, &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateName: aws.String("large"), LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: &w.public, InstanceType: types.InstanceTypeT3Micro,
		},
	}); err != nil {
		t.Fatal(err)
	}
	for version, denied := range map[string]bool{"": true, "1": true, "$Default": true, "2": false, "$Latest": false} {
		got := refusal(run("large", version))
		if strings.HasSuffix(got, "with an explicit deny in an identity-based policy") != denied ||
			!denied && got != "" {
			t.Errorf("a type in version %q of the template: got %q", version, got)
		}
	}
	template("tagged", &types.RequestLaunchTemplateData{
		InstanceType: types.InstanceTypeT3Micro,
		TagSpecifications: []types.LaunchTemplateTagSpecificationRequest{{
			ResourceType: types.ResourceTypeInstance,
			Tags:         []types.Tag{{Key: aws.String("team"), Value: aws.String("bank")}},
		}},
	})
	if got := refusal(run("tagged")); !strings.Contains(got, "ec2:RunInstances") ||
		!strings.HasSuffix(got, "with an explicit deny in an identity-based policy") {
		t.Errorf("a tag in the template: got %q", got)
	}
	notPassed := deniedEC2("iam:PassRole", "arn:aws:iam::000000000000:role/admin")
	w.want("a profile in the template", run("admin"), notPassed)
	_, text, _ := strings.Cut(notPassed, ": ")
	_, err := autoscaling.NewFromConfig(c).CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("g"), MinSize: aws.Int32(1), MaxSize: aws.Int32(1),
		AvailabilityZones: []string{"us-east-1a"},
		LaunchTemplate:    &scalingtypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("admin")},
	})
	w.want("a group of the template", err,
		"ValidationError: You must use a valid fully-formed launch template. "+text)
	_, err = autoscaling.NewFromConfig(c).CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("g"), MinSize: aws.Int32(1), MaxSize: aws.Int32(1),
		AvailabilityZones: []string{"us-east-1a"},
		LaunchTemplate:    &scalingtypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("large")},
	})
	if got := refusal(err); !strings.HasPrefix(got, "ValidationError: You must use a valid fully-formed launch") ||
		!strings.HasSuffix(got, "with an explicit deny in an identity-based policy") {
		t.Errorf("a group that launches what the role may not: got %q", got)
	}
	if n := len(store.ScalingGroups.List(w.store.View())); n != 0 {
		t.Errorf("%d groups exist", n)
	}
}

// A fleet launches later in its creator's place. What cannot be launched yet hides no role.
func TestFleetsHideNoRole(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.put(func(tx *store.Tx) {
		store.InstanceProfiles.Put(tx, &store.InstanceProfile{
			Name: "admin", ID: "AIPA1", ARN: "arn:aws:iam::000000000000:instance-profile/admin", Role: "admin",
		})
	})
	w.role("admin", allow("*", "*"))
	if _, err := ec2.NewFromConfig(w.root()).CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("admin"), LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: &w.public, InstanceType: types.InstanceTypeT3Micro, KeyName: aws.String("later"),
			IamInstanceProfile: &types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: aws.String("admin")},
		},
	}); err != nil {
		t.Fatal(err)
	}
	create := func(c aws.Config) error {
		_, err := ec2.NewFromConfig(c).CreateFleet(ctx, &ec2.CreateFleetInput{
			Type: types.FleetTypeMaintain,
			LaunchTemplateConfigs: []types.FleetLaunchTemplateConfigRequest{{
				LaunchTemplateSpecification: &types.FleetLaunchTemplateSpecificationRequest{
					LaunchTemplateName: aws.String("admin"), Version: aws.String("1"),
				},
			}},
			TargetCapacitySpecification: &types.TargetCapacitySpecificationRequest{
				TotalTargetCapacity:       aws.Int32(1),
				DefaultTargetCapacityType: types.DefaultTargetCapacityTypeOnDemand,
			},
		})
		return err
	}
	user := w.assume(w.role("web", allow("ec2:*", "*")))
	w.want("a launch that is not possible yet", create(user),
		"InvalidKeyPair.NotFound: The key pair 'later' does not exist")
	w.want("of the account itself", create(w.root()), "")
	if _, err := ec2.NewFromConfig(w.root()).CreateKeyPair(ctx, &ec2.CreateKeyPairInput{
		KeyName: aws.String("later"),
	}); err != nil {
		t.Fatal(err)
	}
	w.want("a possible launch", create(user), deniedEC2("iam:PassRole", "arn:aws:iam::000000000000:role/admin"))
}

// Operations that no table describes are for those who may do everything.
func TestUnknownOperationsAreDenied(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	for statements, want := range map[string]string{
		allow("ec2:*", "*"):                 "",
		allow("ec2:*", "arn:aws:ec2:*:*:*"): deniedEC2("ec2:DisassociateRouteTable", ""),
	} {
		client := ec2.NewFromConfig(w.assume(w.role("web", statements)))
		_, err := client.DisassociateRouteTable(ctx, &ec2.DisassociateRouteTableInput{
			AssociationId: aws.String("rtbassoc-00000000"), DryRun: aws.Bool(true),
		})
		got := refusal(err)
		if want == "" && strings.HasPrefix(got, "InvalidAssociationID") {
			continue
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", statements, got, want)
		}
	}
}
