package dnsname

import "fmt"

// LoadBalancer returns the name of a load balancer: its name and a number, which
// keeps it unique, in its region below suffix. Names of internal load balancers
// begin with "internal-".
func LoadBalancer(name string, number int, region, suffix string, internal bool) string {
	dnsName := fmt.Sprintf("%s-%d.%s.%s", name, number, region, suffix)
	if internal {
		return "internal-" + dnsName
	}
	return dnsName
}
