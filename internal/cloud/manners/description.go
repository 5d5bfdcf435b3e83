package manners

// Description explains a manner to people.
type Description struct {
	Manner Manner `json:"manner"`
	What   string `json:"what"`   // what the cloud does
	Source string `json:"source"` // where it is known from that AWS does so
}

// Descriptions returns the descriptions of all manners, in the order of All.
func Descriptions() []Description {
	return []Description{
		{
			Consistency, "a read shows the state of a moment ago; new ids are not found at first",
			"Amazon EC2 API Reference, Eventual consistency",
		},
		{
			Times, "load balancers, images and machines take minutes, and so do their removal and their metrics",
			"logs of real deployments; Elastic Load Balancing and CloudWatch user guides",
		},
		{
			Zones, "zone names differ by account, and some zones lack instance types",
			"AWS RAM User Guide, Availability Zone IDs; EC2 DescribeInstanceTypeOfferings",
		},
		{
			Room, "a zone has no capacity for a type for a while",
			"Amazon EC2 User Guide, Troubleshoot instance launch issues",
		},
		{
			Load, "calls are throttled or fail, and answers are lost",
			"Amazon EC2 API Reference, Request throttling and Error codes",
		},
		{
			Limits, "the default quotas of a new account apply",
			"AWS General Reference, Service endpoints and quotas",
		},
		{
			Machines, "another apt holds the locks of apt and dpkg after each boot",
			"Debian wiki, UnattendedUpgrades; systemd's tmp.mount",
		},
	}
}
