package ec2

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const profileARNs = "arn:aws:iam::000000000000:instance-profile/"

// profile creates an instance profile with a role of the same name and returns the name.
func (c *cloud) profile(name string) string {
	c.t.Helper()
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Roles.Put(tx, &store.Role{Name: name, ID: "AROA" + name, ARN: "arn:aws:iam::000000000000:role/" + name})
		store.InstanceProfiles.Put(tx, &store.InstanceProfile{
			Name: name, Path: "/", ID: "AIPA" + name, ARN: profileARNs + name, Role: name,
		})
		store.InstanceProfiles.Put(tx, &store.InstanceProfile{
			Name: "empty", ID: "AIPAempty", ARN: profileARNs + "empty",
		})
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
	return name
}

func byName(name string) *types.IamInstanceProfileSpecification {
	return &types.IamInstanceProfileSpecification{Name: &name}
}

func byARN(arn string) *types.IamInstanceProfileSpecification {
	return &types.IamInstanceProfileSpecification{Arn: &arn}
}

func TestLaunchWithAnInstanceProfile(t *testing.T) {
	c := newCloud(t)
	name := c.profile("web")
	in := launchOne(c.availableImage())
	in.IamInstanceProfile = byARN(profileARNs + name)
	item := do(c, c.RunInstances, in).Instances[0]
	if p := item.IamInstanceProfile; p == nil || *p.Arn != profileARNs+"web" || *p.Id != "AIPAweb" {
		t.Fatalf("got %+v", p)
	}
	found := do(c, c.DescribeIamInstanceProfileAssociations, &ec2.DescribeIamInstanceProfileAssociationsInput{})
	if all := found.IamInstanceProfileAssociations; len(all) != 1 || *all[0].InstanceId != *item.InstanceId ||
		all[0].State != "associated" || !strings.HasPrefix(*all[0].AssociationId, "iip-assoc-") ||
		!all[0].Timestamp.Equal(noon) {
		t.Errorf("got %+v", all)
	}
	data := do(c, c.GetLaunchTemplateData, &ec2.GetLaunchTemplateDataInput{InstanceId: item.InstanceId})
	if p := data.LaunchTemplateData.IamInstanceProfile; p == nil || *p.Arn != profileARNs+"web" {
		t.Errorf("the data of a template like the instance has profile %+v", p)
	}
}

func TestALaunchTemplateNamesAnInstanceProfile(t *testing.T) {
	c := newCloud(t)
	c.profile("web")
	c.profile("other")
	template := do(c, c.CreateLaunchTemplate, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			IamInstanceProfile: &types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: aws.String("web")},
		},
	}).LaunchTemplate.LaunchTemplateId
	in := launchOne(c.availableImage())
	in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateId: template}
	if got := *do(c, c.RunInstances, in).Instances[0].IamInstanceProfile.Arn; got != profileARNs+"web" {
		t.Errorf("the template's profile: got %s", got)
	}
	in.IamInstanceProfile = byARN(profileARNs + "other")
	if got := *do(c, c.RunInstances, in).Instances[0].IamInstanceProfile.Arn; got != profileARNs+"other" {
		t.Errorf("the request's profile: got %s", got)
	}
}

func TestInstanceProfilesThatCannotBeUsed(t *testing.T) {
	c := newCloud(t)
	c.profile("web")
	image := c.availableImage()
	for want, spec := range map[string]*types.IamInstanceProfileSpecification{
		"InvalidParameterValue: Value (no) for parameter iamInstanceProfile.name is invalid. " +
			"Invalid IAM Instance Profile name": byName("no"),
		"InvalidParameterValue: Value (" + profileARNs + "x/web) for parameter iamInstanceProfile.arn is invalid. " +
			"Invalid IAM Instance Profile ARN": byARN(profileARNs + "x/web"),
		"InvalidParameterValue: IAM Instance Profile \"" + profileARNs + "empty\" has no associated IAM Roles": byName(
			"empty",
		),
		"InvalidParameterCombination: The parameter 'iamInstanceProfile.name' may not be used in combination with " +
			"'iamInstanceProfile.arn'": {Name: aws.String("web"), Arn: aws.String(profileARNs + "web")},
	} {
		in := launchOne(image)
		in.IamInstanceProfile = spec
		wantError(c, c.RunInstances, in, want)
	}
}

func TestTheRoleOfAProfileMustBePassed(t *testing.T) {
	c := newCloud(t)
	c.profile("web")
	image := c.availableImage()
	plain := *do(c, c.RunInstances, launchOne(image)).Instances[0].InstanceId
	c.observe(plain, store.Running)
	c.PassRole = func(_ context.Context, role *store.Role, _ string) error {
		return wire.Errorf("UnauthorizedOperation", "not %s", role.Name)
	}
	want := "UnauthorizedOperation: not web"
	template := do(c, c.CreateLaunchTemplate, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: &image, InstanceType: types.InstanceTypeT3Micro,
			IamInstanceProfile: &types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: aws.String("web")},
		},
	}).LaunchTemplate.LaunchTemplateId
	for _, dry := range []bool{true, false} {
		in := launchOne(image)
		in.IamInstanceProfile, in.DryRun = byName("web"), &dry
		wantError(c, c.RunInstances, in, want)
		in = launchOne(image)
		in.LaunchTemplate, in.DryRun = &types.LaunchTemplateSpecification{LaunchTemplateId: template}, &dry
		wantError(c, c.RunInstances, in, want)
	}
	wantError(c, c.AssociateIamInstanceProfile, &ec2.AssociateIamInstanceProfileInput{
		InstanceId: &plain, IamInstanceProfile: byName("web"),
	}, want)
	l := Launch{Template: store.TemplateRef{ID: *template}}
	if err := c.CheckLaunch(c.ctx, home, l); fmt.Sprint(err) != want {
		t.Errorf("CheckLaunch: got %v, want %s", err, want)
	}
	if n := len(store.Instances.List(c.Store.View())); n != 1 {
		t.Errorf("%d instances, want 1", n)
	}
}

func TestTheProfileOfAnInstanceChanges(t *testing.T) {
	c := newCloud(t)
	c.profile("web")
	c.profile("other")
	id := do(c, c.RunInstances, launchOne(c.availableImage())).Instances[0].InstanceId
	c.observe(*id, store.Running)
	profileOf := func() string {
		item := do(c, c.DescribeInstances, &ec2.DescribeInstancesInput{}).Reservations[0].Instances[0]
		if item.IamInstanceProfile == nil {
			return ""
		}
		return *item.IamInstanceProfile.Arn
	}
	associate := &ec2.AssociateIamInstanceProfileInput{InstanceId: id, IamInstanceProfile: byName("web")}
	first := do(c, c.AssociateIamInstanceProfile, associate).IamInstanceProfileAssociation
	if first.State != "associating" || *first.IamInstanceProfile.Id != "AIPAweb" || profileOf() != profileARNs+"web" {
		t.Errorf("after Associate: %+v, %s", first, profileOf())
	}
	wantError(c, c.AssociateIamInstanceProfile, associate,
		"IncorrectState: There is an existing association for instance "+*id)
	replace := &ec2.ReplaceIamInstanceProfileAssociationInput{
		AssociationId: first.AssociationId, IamInstanceProfile: byName("other"),
	}
	second := do(c, c.ReplaceIamInstanceProfileAssociation, replace).IamInstanceProfileAssociation
	if *second.AssociationId == *first.AssociationId || profileOf() != profileARNs+"other" {
		t.Errorf("after Replace: %+v, %s", second, profileOf())
	}
	gone := "InvalidAssociationID.NotFound: An invalid association-id of '" + *first.AssociationId + "' was given"
	wantError(c, c.ReplaceIamInstanceProfileAssociation, replace, gone)
	wantError(c, c.DisassociateIamInstanceProfile, &ec2.DisassociateIamInstanceProfileInput{
		AssociationId: id,
	}, "InvalidParameterValue: Invalid value for associationId.")
	replace.AssociationId, replace.IamInstanceProfile = second.AssociationId, nil
	wantError(c, c.ReplaceIamInstanceProfileAssociation, replace,
		"MissingParameter: The request must contain the parameter IamInstanceProfile")
	c.observe(*id, store.Stopped)
	replace.IamInstanceProfile = byName("web")
	wantError(c, c.ReplaceIamInstanceProfileAssociation, replace,
		"IncorrectState: The association "+*second.AssociationId+" is not the active association")
	ended := do(c, c.DisassociateIamInstanceProfile, &ec2.DisassociateIamInstanceProfileInput{
		AssociationId: second.AssociationId,
	}).IamInstanceProfileAssociation
	if ended.State != "disassociating" || *ended.IamInstanceProfile.Arn != profileARNs+"other" || profileOf() != "" {
		t.Errorf("after Disassociate: %+v, %s", ended, profileOf())
	}
	c.observe(*id, store.Terminated)
	wantError(c, c.AssociateIamInstanceProfile, associate, "IncorrectInstanceState: The instance '"+*id+
		"' is not in a state from which it can be associated with an IAM instance profile.")
}

func TestProfileAssociationsAreSelected(t *testing.T) {
	c := newCloud(t)
	c.profile("web")
	in := launchOne(c.availableImage())
	in.IamInstanceProfile, in.MinCount, in.MaxCount = byName("web"), aws.Int32(6), aws.Int32(6)
	launched := do(c, c.RunInstances, in).Instances
	type input = ec2.DescribeIamInstanceProfileAssociationsInput
	describe := func(in *input) ([]types.IamInstanceProfileAssociation, *string) {
		out := do(c, c.DescribeIamInstanceProfileAssociations, in)
		return out.IamInstanceProfileAssociations, out.NextToken
	}
	page, next := describe(&input{MaxResults: aws.Int32(5)})
	rest, last := describe(&input{MaxResults: aws.Int32(5), NextToken: next})
	if len(page) != 5 || len(rest) != 1 || last != nil {
		t.Errorf("pages of %d and %d", len(page), len(rest))
	}
	one := rest[0]
	for name, in := range map[string]*input{
		"id":       {AssociationIds: []string{*one.AssociationId, *one.AssociationId}},
		"instance": {Filters: []types.Filter{filter("instance-id", *one.InstanceId), filter("state", "associated")}},
	} {
		if got, _ := describe(in); len(got) != 1 || *got[0].InstanceId != *one.InstanceId {
			t.Errorf("by %s: got %+v", name, got)
		}
	}
	wantError(c, c.DescribeIamInstanceProfileAssociations, &input{
		Filters: []types.Filter{filter("colour", "red")},
	}, "InvalidParameterValue: The filter 'colour' is invalid")
	for _, item := range launched {
		c.observe(*item.InstanceId, store.Terminated)
	}
	if got, _ := describe(&input{}); len(got) != 0 {
		t.Errorf("terminated instances have associations: %+v", got)
	}
}
