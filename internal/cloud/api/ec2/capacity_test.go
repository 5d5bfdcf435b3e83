package ec2

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// scarce makes a cloud in which us-east-1a has no room for t3.micro, and us-east-1e
// does not offer it.
func scarce(t *testing.T) *cloud {
	c := newCloud(t)
	c.Capacity = func(zone string, instanceType types.InstanceType) Capacity {
		switch {
		case instanceType == "t3.micro" && zone == "us-east-1a":
			return Insufficient
		case instanceType == "t3.micro" && zone == "us-east-1e":
			return NotOffered
		}
		return Sufficient
	}
	return c
}

func TestLaunchInAZoneWithoutCapacityFailsInEC2sWords(t *testing.T) {
	c := scarce(t)
	image, vpc := c.availableImage(), c.vpc("10.0.0.0/16")
	for zone, want := range map[string]wire.Error{
		"us-east-1a": {
			Code: "InsufficientInstanceCapacity", Status: http.StatusInternalServerError,
			Message: "We currently do not have sufficient t3.micro capacity in the Availability Zone you requested " +
				"(us-east-1a). Our system will be working on provisioning additional capacity. You can currently get " +
				"t3.micro capacity by not specifying an Availability Zone in your request or choosing us-east-1b, " +
				"us-east-1c, us-east-1d, us-east-1f.",
		},
		"us-east-1e": {
			Code: "Unsupported", Status: http.StatusBadRequest,
			Message: "Your requested instance type (t3.micro) is not supported in your requested Availability Zone " +
				"(us-east-1e). Please retry your request by not specifying an Availability Zone or choosing " +
				"us-east-1b, us-east-1c, us-east-1d, us-east-1f.",
		},
	} {
		in := launchOne(image)
		in.SubnetId = aws.String(c.subnet(vpc, map[string]string{
			"us-east-1a": "10.0.1.0/24", "us-east-1e": "10.0.2.0/24",
		}[zone], zone))
		in.InstanceType = "t3.micro"
		_, err := c.RunInstances(c.ctx, in)
		if refusal, ok := errors.AsType[*wire.Error](err); !ok || *refusal != want {
			t.Errorf("%s: %v", zone, err)
		}
		in.InstanceType = "t3.small"
		do(c, c.RunInstances, in)
	}
}

func TestLaunchWithoutAZoneGoesWhereCapacityIs(t *testing.T) {
	c := scarce(t)
	in := launchOne(c.availableImage())
	in.InstanceType = "t3.micro"
	if zone := *do(c, c.RunInstances, in).Instances[0].Placement.AvailabilityZone; zone == "us-east-1a" ||
		zone == "us-east-1e" {
		t.Errorf("launched in %s", zone)
	}
	c.Capacity = func(string, types.InstanceType) Capacity { return Insufficient }
	wantError(c, c.RunInstances, in, "InsufficientInstanceCapacity: Insufficient capacity.")
}

func TestStoppedInstanceStartsOnlyWhereCapacityIs(t *testing.T) {
	c := newCloud(t)
	in := launchOne(c.availableImage())
	id := *do(c, c.RunInstances, in).Instances[0].InstanceId
	c.observe(id, "running")
	do(c, c.StopInstances, &ec2.StopInstancesInput{InstanceIds: []string{id}})
	c.observe(id, "stopped")
	c.Capacity = func(string, types.InstanceType) Capacity { return Insufficient }
	if _, err := c.StartInstances(c.ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}}); code(err) !=
		"InsufficientInstanceCapacity" {
		t.Error(err)
	}
	c.Capacity = nil
	do(c, c.StartInstances, &ec2.StartInstancesInput{InstanceIds: []string{id}})
}

func TestZoneWithoutATypeDoesNotOfferIt(t *testing.T) {
	c := scarce(t)
	offered := func(kind types.LocationType) []string {
		out := do(c, c.DescribeInstanceTypeOfferings, &ec2.DescribeInstanceTypeOfferingsInput{
			LocationType: kind, Filters: []types.Filter{filter("instance-type", "t3.micro")},
		})
		return list(out.InstanceTypeOfferings, func(o types.InstanceTypeOffering) string { return *o.Location })
	}
	for kind, want := range map[types.LocationType][]string{
		"region":               {"us-east-1"},
		"availability-zone":    {"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d", "us-east-1f"},
		"availability-zone-id": {"use1-az1", "use1-az2", "use1-az3", "use1-az4", "use1-az6"},
	} {
		if got := offered(kind); !slices.Equal(got, want) {
			t.Errorf("%s: %v", kind, got)
		}
	}
	c.Capacity = func(string, types.InstanceType) Capacity { return NotOffered }
	if got := offered("region"); len(got) != 0 {
		t.Errorf("a type that no zone offers is in %v", got)
	}
}
