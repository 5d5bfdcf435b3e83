package price_test

import (
	"math"
	"testing"

	"aloft.dev/aloft/internal/price"
)

// The prices of single types, as AWS lists them.
func TestSizesOfAFamilyHaveAWSsPrices(t *testing.T) {
	for _, test := range []struct {
		region, instanceType string
		hourly               float64
	}{
		{"us-east-1", "t2.micro", 0.0116},
		{"us-east-1", "t2.small", 0.023},
		{"us-east-1", "t3.nano", 0.0052},
		{"us-east-1", "t3.micro", 0.0104},
		{"us-east-1", "t3a.2xlarge", 0.3008},
		{"us-east-1", "t4g.small", 0.0168},
		{"us-east-1", "m7i.xlarge", 0.2016},
		{"us-east-1", "c7g.medium", 0.0363},
		{"us-east-1", "r6i.24xlarge", 6.048},
		{"us-east-1", "c5.4xlarge", 0.68},
		{"us-west-2", "t3.micro", 0.0104},
		{"us-west-2", "m5.xlarge", 0.192},
		{"eu-west-1", "t3.micro", 0.0114},
		{"eu-west-1", "t3.xlarge", 0.1824},
		{"eu-west-1", "m5.xlarge", 0.214},
		{"eu-central-1", "t3.micro", 0.012},
		{"ap-southeast-1", "t3.small", 0.0264},
		{"ap-southeast-1", "t3.xlarge", 0.2112},
		{"ap-northeast-1", "t3.medium", 0.0544},
		{"ap-northeast-1", "t4g.small", 0.0216},
	} {
		got, ok := price.Table(test.region).Of(price.Instance(test.instanceType))
		if !ok || math.Abs(got-test.hourly) > 0.0001 {
			t.Errorf("%s in %s: got %v, want %v", test.instanceType, test.region, got, test.hourly)
		}
	}
}

func TestNoPriceIsMadeUp(t *testing.T) {
	for _, test := range []struct {
		region string
		item   price.Item
	}{
		{"us-east-1", price.Instance("x9.large")},
		{"us-east-1", price.Instance("t3.huge")},
		{"us-east-1", price.Instance("t3")},
		{"eu-west-1", price.Instance("c5.large")},
		{"eu-west-1", price.Snapshot},
		{"mars-north-1", price.Instance("t3.micro")},
		{"mars-north-1", price.LoadBalancer},
	} {
		if got, ok := price.Table(test.region).Of(test.item); ok {
			t.Errorf("%s in %s: got %v", test.item, test.region, got)
		}
	}
	if got, ok := price.Table("mars-north-1").Of(price.Address); !ok || got != 0.005 {
		t.Errorf("an address costs the same everywhere: got %v", got)
	}
}
