package stack

import (
	"fmt"
	"math"
)

// Prices in us-east-1 in US dollars, as AWS listed them in November 2026: Linux
// on demand by the hour ("Amazon EC2 On-Demand Pricing"), a public IPv4 address
// ("Amazon VPC pricing") and a gp3 disk of 8 GB ("Amazon EBS pricing") by the
// month. Prices in other regions differ by up to half, so the sums are estimates.
const (
	hoursPerMonth = 730
	addressCost   = 3.65
	diskCost      = 0.64
)

var hourly = map[string]float64{
	"t2.nano": 0.0058, "t2.micro": 0.0116, "t2.small": 0.023, "t2.medium": 0.0464, "t2.large": 0.0928,
	"t3.nano": 0.0052, "t3.micro": 0.0104, "t3.small": 0.0208, "t3.medium": 0.0416, "t3.large": 0.0832,
	"t3.xlarge": 0.1664, "t3.2xlarge": 0.3328,
	"t3a.nano": 0.0047, "t3a.micro": 0.0094, "t3a.small": 0.0188, "t3a.medium": 0.0376, "t3a.large": 0.0752,
	"m5.large": 0.096, "m5.xlarge": 0.192, "m6i.large": 0.096, "m6i.xlarge": 0.192,
	"m7i.large": 0.1008, "m7i.xlarge": 0.2016,
	"c5.large": 0.085, "c5.xlarge": 0.17, "c6i.large": 0.085, "c6i.xlarge": 0.17,
	"r5.large": 0.126, "r6i.large": 0.126,
}

// MonthlyCost returns the approximate monthly cost of instances of a type, or ""
// if the type's price is not known here.
func MonthlyCost(instances int, instanceType string) string {
	price, ok := hourly[instanceType]
	if !ok {
		return ""
	}
	cost := float64(instances) * (price*hoursPerMonth + addressCost + diskCost)
	return fmt.Sprintf("about $%.0f a month", math.Ceil(cost))
}
