package stack

import (
	"fmt"
	"math"

	"aloft.dev/aloft/internal/price"
)

// MonthlyCost returns the approximate monthly cost of servers of a type in a region,
// or "" if a price is not known.
func MonthlyCost(servers int, instanceType, region string) string {
	each, ok := price.Table(region).Server(instanceType)
	if !ok {
		return ""
	}
	return fmt.Sprintf("about $%.0f a month", math.Ceil(float64(servers)*each))
}
