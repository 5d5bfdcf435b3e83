package ec2

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
)

// with makes a cloud with one manner and a clock that the test sets.
func with(t *testing.T, m manners.Manner, seed uint64) (*cloud, *time.Time) {
	c, now := newCloud(t), noon
	c.Now = func() time.Time { return now }
	c.Manners = new(manners.Set)
	c.Manners.Use(manners.Settings{Manners: []manners.Manner{m}, Seed: seed})
	return c, &now
}

func TestShortagesEndWithinMinutesAndTypesAndZonesDiffer(t *testing.T) {
	short := 0
	for seed := range uint64(20) {
		c, now := with(t, manners.Room, seed)
		image, vpc := c.availableImage(), c.vpc("10.0.0.0/16")
		for i, letter := range "abc" {
			subnet := c.subnet(vpc, fmt.Sprintf("10.0.%d.0/24", i), "us-east-1"+string(letter))
			for _, name := range []types.InstanceType{"t3.micro", "t3a.micro"} {
				in := launchOne(image)
				in.SubnetId, in.InstanceType = &subnet, name
				_, err := c.RunInstances(c.ctx, in)
				if err == nil {
					continue
				}
				if short++; code(err) != "InsufficientInstanceCapacity" {
					t.Error(err)
				}
				*now = now.Add(3*time.Minute - 1)
				if _, err := c.RunInstances(c.ctx, in); err == nil {
					t.Error("a shortage lasts less than three minutes")
				}
				*now = now.Add(7*time.Minute + 1)
				if _, err := c.RunInstances(c.ctx, in); err != nil && shortAgain(c, in, now) {
					t.Errorf("ten minutes later: %v", err)
				}
			}
		}
	}
	if short < 12 || short > 36 { // a fifth of 120
		t.Errorf("%d of 120 launches met a shortage", short)
	}
}

// shortAgain reports whether a launch still fails after another shortage that followed
// at once, which is rare.
func shortAgain(c *cloud, in *ec2.RunInstancesInput, now *time.Time) bool {
	*now = now.Add(10 * time.Minute)
	_, err := c.RunInstances(c.ctx, in)
	return err != nil
}

func TestAnotherZoneHasRoomDuringAShortage(t *testing.T) {
	for seed := range uint64(50) {
		c, _ := with(t, manners.Room, seed)
		if len(c.zonesWithCapacity(home, "t3.micro")) == 0 {
			t.Errorf("seed %d: no zone has room", seed)
		}
	}
}

func TestOneZoneLacksAFamily(t *testing.T) {
	for seed := range uint64(5) {
		c, _ := with(t, manners.Zones, seed)
		zones := func(name string) []string {
			return list(do(c, c.DescribeInstanceTypeOfferings, &ec2.DescribeInstanceTypeOfferingsInput{
				LocationType: types.LocationTypeAvailabilityZone,
				Filters:      []types.Filter{filter("instance-type", name)},
			}).InstanceTypeOfferings, func(o types.InstanceTypeOffering) string { return *o.Location })
		}
		micro, small := zones("t3.micro"), zones("t3.small")
		if len(micro) != 5 || !slices.Equal(micro, small) {
			t.Errorf("seed %d: t3.micro in %v, t3.small in %v", seed, micro, small)
		}
		in, vpc := launchOne(c.availableImage()), c.vpc("10.0.0.0/16")
		for _, zone := range c.zones(home) {
			if slices.Contains(micro, zone.name) {
				continue
			}
			in.SubnetId = aws.String(c.subnet(vpc, "10.0.1.0/24", zone.name))
			if _, err := c.RunInstances(c.ctx, in); code(err) != "Unsupported" {
				t.Errorf("seed %d: launch in %s: %v", seed, zone.name, err)
			}
		}
	}
}

func TestAccountsHaveTheirOwnZones(t *testing.T) {
	ids := func(c *cloud, region identity.Region) (names, ids []string) {
		for _, z := range do(c, func(_ context.Context, z *ec2.DescribeAvailabilityZonesInput) (
			*ec2.DescribeAvailabilityZonesOutput, error,
		) {
			return c.DescribeAvailabilityZones(in(region), z)
		}, &ec2.DescribeAvailabilityZonesInput{}).AvailabilityZones {
			names, ids = append(names, *z.ZoneName), append(ids, *z.ZoneId)
		}
		return names, ids
	}
	orders := map[string]bool{}
	for seed := range uint64(10) {
		c, _ := with(t, manners.Zones, seed)
		names, all := ids(c, home)
		orders[fmt.Sprint(all)] = true
		if slices.Sort(all); !slices.Equal(all, []string{
			"use1-az1", "use1-az2", "use1-az3", "use1-az4", "use1-az5", "use1-az6",
		}) || !slices.IsSorted(names) {
			t.Errorf("seed %d: %v %v", seed, names, all)
		}
		if names, _ := ids(c, "us-west-1"); len(names) != 2 {
			t.Errorf("seed %d: %v in us-west-1", seed, names)
		}
		if names, _ := ids(c, "ap-northeast-1"); !slices.Equal(names, []string{
			"ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d",
		}) {
			t.Errorf("seed %d: %v in ap-northeast-1", seed, names)
		}
	}
	if len(orders) < 9 {
		t.Errorf("ten accounts have %d different orders of zones", len(orders))
	}
}

func TestDryRunAsksForPermissionAndNotForRoom(t *testing.T) {
	c := newCloud(t)
	c.Capacity = func(string, types.InstanceType) Capacity { return Insufficient }
	in := launchOne(c.availableImage())
	in.Placement = &types.Placement{AvailabilityZone: aws.String("us-east-1a")}
	in.DryRun = aws.Bool(true)
	if _, err := c.RunInstances(c.ctx, in); code(err) != "DryRunOperation" {
		t.Error(err)
	}
}
