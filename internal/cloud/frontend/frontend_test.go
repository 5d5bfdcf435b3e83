package frontend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// newFrontEnd returns a front end with manners, and its store.
func newFrontEnd(t *testing.T, seed uint64, on ...manners.Manner) (*FrontEnd, *store.Store) {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var set manners.Set
	set.Use(manners.Settings{Manners: on, Seed: seed})
	return New(Config{
		Store: s, Manners: &set, Log: slog.New(slog.DiscardHandler),
		NotFound: map[string]func(field, id string) error{
			"ec2": func(field, id string) error { return fmt.Errorf("%s: %s is unknown", field, id) },
		},
	}), s
}

// outcomes counts how calls of an operation end, and how often the operation ran.
func outcomes(t *testing.T, f *FrontEnd, call wire.Call, calls int) (ended map[string]int, ran int) {
	t.Helper()
	ended = map[string]int{}
	for range calls {
		_, err := f.Around(t.Context(), call, func(context.Context) (any, error) { ran++; return nil, nil })
		refusal, _ := errors.AsType[*wire.Error](err)
		switch {
		case err == nil:
			ended["answered"]++
		case errors.Is(err, wire.ErrHangUp):
			ended["closed"]++
		case refusal != nil:
			ended[fmt.Sprint(refusal.Code, " ", refusal.Status)]++
		default:
			t.Fatal(err)
		}
	}
	return ended, ran
}

func TestLoadEndsCallsInTheWaysOfTheService(t *testing.T) {
	for service, codes := range map[string][3]string{
		"ec2":                  {"RequestLimitExceeded 503", "InternalError 500", "Unavailable 503"},
		"elasticloadbalancing": {"Throttling 400", "InternalFailure 500", "ServiceUnavailable 503"},
		"autoscaling":          {"Throttling 400", "InternalFailure 500", "ServiceUnavailable 503"},
		"ssm":                  {"ThrottlingException 400", "InternalFailure 500", "ServiceUnavailable 503"},
	} {
		f, _ := newFrontEnd(t, 1, manners.Load)
		const calls = 5000
		call := wire.Call{Service: service, Operation: "CreateThing"}
		ended, ran := outcomes(t, f, call, calls)
		for code, rate := range map[string]float64{
			codes[0]: changeRates.throttled, codes[1]: changeRates.fault, codes[2]: changeRates.unavailable,
			"closed": changeRates.cut + changeRates.lost,
		} {
			if got, want := float64(ended[code]), rate*calls; got < want/2 || got > want*2 {
				t.Errorf("%s: %d of %d calls ended with %s, want about %.0f", service, ended[code], calls, code, want)
			}
		}
		if len(ended) != 5 || ran <= ended["answered"] {
			t.Errorf("%s: %d operations ran, calls ended with %v", service, ran, ended)
		}
		again, _ := newFrontEnd(t, 1, manners.Load)
		if repeated, _ := outcomes(t, again, call, calls); !cmp.Equal(ended, repeated) {
			t.Errorf("the same seed decides %v, then %v", ended, repeated)
		}
	}
}

func TestAKindFrontEndOnlyPassesCallsOn(t *testing.T) {
	f, s := newFrontEnd(t, 1)
	putVPC(t, s, "vpc-1")
	for _, operation := range []string{"DescribeVpcs", "DeleteVpc"} {
		call := wire.Call{Service: "ec2", Operation: operation, Input: &ec2.DeleteVpcInput{VpcId: aws.String("vpc-1")}}
		if ended, ran := outcomes(t, f, call, 1000); ended["answered"] != 1000 || ran != 1000 {
			t.Errorf("calls ended with %v", ended)
		}
	}
}

func putVPC(t *testing.T, s *store.Store, id string) {
	t.Helper()
	if err := s.Update(func(tx *store.Tx) error {
		store.VPCs.Put(tx, &store.VPC{ID: id, Region: "r"})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// lagging returns how many of the calls do not know a VPC at a time after its
// creation.
func lagging(t *testing.T, f *FrontEnd, s *store.Store, call wire.Call, id string, calls int) int {
	t.Helper()
	count := 0
	for range calls {
		_, err := f.Around(t.Context(), call, func(ctx context.Context) (any, error) {
			if _, ok := store.VPCs.Get(s.Read(ctx), id); !ok {
				count++
			}
			return nil, nil
		})
		if err != nil {
			count++
		}
	}
	return count
}

func TestSomeCallsSeeThePast(t *testing.T) {
	for _, call := range []wire.Call{
		{Service: "ec2", Operation: "DescribeVpcs", Input: &ec2.DescribeVpcsInput{}},
		{Service: "ec2", Operation: "CreateSubnet", Input: &ec2.CreateSubnetInput{VpcId: aws.String("vpc-1")}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f, s := newFrontEnd(t, 3, manners.Consistency)
			putVPC(t, s, "vpc-0")
			time.Sleep(time.Minute)
			putVPC(t, s, "vpc-1")
			time.Sleep(time.Millisecond)
			const calls = 1000
			if n := lagging(t, f, s, call, "vpc-1", calls); n < calls/5 || n > calls/2 {
				t.Errorf("%s: %d of %d calls do not know a new VPC, want about a third", call.Operation, n, calls)
			}
			old := wire.Call{Service: "ec2", Operation: "DescribeVpcs"}
			if n := lagging(t, f, s, old, "vpc-0", calls); n != 0 {
				t.Errorf("%d calls do not know an old VPC", n)
			}
			time.Sleep(shortLag.Max)
			if n := lagging(t, f, s, call, "vpc-1", calls); n == 0 || n > calls/15 {
				t.Errorf("%s: %d of %d calls do not know it 2s later, want a few", call.Operation, n, calls)
			}
			time.Sleep(longestLag)
			if n := lagging(t, f, s, call, "vpc-1", calls); n != 0 {
				t.Errorf("%s: %d calls do not know it 14s later", call.Operation, n)
			}
		})
	}
}

func TestANewInstanceProfileReachesEC2InSeconds(t *testing.T) {
	profile := func(name, arn string) wire.Call {
		in := &types.IamInstanceProfileSpecification{}
		if name != "" {
			in.Name = &name
		}
		if arn != "" {
			in.Arn = &arn
		}
		return wire.Call{
			Service: "ec2", Operation: "RunInstances", Input: &ec2.RunInstancesInput{IamInstanceProfile: in},
		}
	}
	for want, call := range map[string]wire.Call{
		"iamInstanceProfile.name: New is unknown": profile("New", ""),
		"iamInstanceProfile.arn: arn:aws:iam::0:instance-profile/a/New is unknown": profile(
			"", "arn:aws:iam::0:instance-profile/a/New",
		),
	} {
		synctest.Test(t, func(t *testing.T) {
			f, s := newFrontEnd(t, 1, manners.Consistency)
			run := func() error {
				_, err := f.Around(t.Context(), call, func(context.Context) (any, error) { return nil, nil })
				return err
			}
			if err := s.Update(func(tx *store.Tx) error {
				store.InstanceProfiles.Put(tx, &store.InstanceProfile{Name: "New"})
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(propagation.Min - time.Millisecond)
			if err := run(); err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			time.Sleep(propagation.Max - propagation.Min + time.Second)
			if err := run(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestServicesThatDoNotLagSeeThePresent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newFrontEnd(t, 3, manners.Consistency)
		putVPC(t, s, "vpc-1")
		if n := lagging(t, f, s, wire.Call{Service: "sts", Operation: "GetCallerIdentity"}, "vpc-1", 1000); n > 0 {
			t.Errorf("%d calls see the past", n)
		}
	})
}

func TestReferencesOfAnInput(t *testing.T) {
	for _, test := range []struct {
		call wire.Call
		want []string
	}{
		{
			wire.Call{Operation: "RunInstances", Input: &ec2.RunInstancesInput{
				ImageId: aws.String("ami-1"), KeyName: aws.String("key"), SecurityGroupIds: []string{"sg-1", "sg-2"},
				LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")},
				NetworkInterfaces: []types.InstanceNetworkInterfaceSpecification{
					{SubnetId: aws.String("subnet-1"), Groups: []string{"sg-3"}},
				},
				TagSpecifications: []types.TagSpecification{
					{Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}},
				},
			}},
			[]string{"ImageId ami-1", "KeyName key", "LaunchTemplateName web", "Groups sg-3", "SubnetId subnet-1",
				"SecurityGroupIds sg-1", "SecurityGroupIds sg-2"},
		},
		{
			wire.Call{Operation: "CreateAutoScalingGroup", Input: &autoscaling.CreateAutoScalingGroupInput{
				AutoScalingGroupName: aws.String("web"), VPCZoneIdentifier: aws.String("subnet-1, subnet-2"),
				TargetGroupARNs: []string{"arn:aws:elasticloadbalancing:r:0:targetgroup/a/1"},
				LaunchTemplate: &astypes.LaunchTemplateSpecification{
					LaunchTemplateId: aws.String("lt-1"), Version: aws.String("2"),
				},
			}},
			[]string{"Version lt-1/00000002", "LaunchTemplateId lt-1",
				"TargetGroupARNs arn:aws:elasticloadbalancing:r:0:targetgroup/a/1",
				"VPCZoneIdentifier subnet-1", "VPCZoneIdentifier subnet-2"},
		},
		{
			wire.Call{Operation: "UpdateAutoScalingGroup", Input: &autoscaling.UpdateAutoScalingGroupInput{
				AutoScalingGroupName: aws.String("web"),
			}},
			[]string{"AutoScalingGroupName web"},
		},
		{
			wire.Call{Operation: "AttachRolePolicy", Input: &iam.AttachRolePolicyInput{
				RoleName: aws.String("web"), PolicyArn: aws.String("arn:aws:iam::0:policy/p"),
			}},
			[]string{"PolicyArn arn:aws:iam::0:policy/p", "RoleName web"},
		},
		{wire.Call{Operation: "CreateRole", Input: &iam.CreateRoleInput{RoleName: aws.String("web")}}, nil},
		{wire.Call{Operation: "CreateKeyPair", Input: &ec2.CreateKeyPairInput{KeyName: aws.String("key")}}, nil},
	} {
		var got []string
		for _, ref := range references(test.call) {
			got = append(got, ref.field+" "+ref.id)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.call.Operation, diff)
		}
	}
}
