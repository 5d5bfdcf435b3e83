package store

// unversioned is the schema version of a database that does not name one. Every
// database was written without a version until version 2.
const unversioned = 1

// migrations lists how the row types have changed: migrations[i] turns the rows
// of version i+1 into rows of version i+2. Append one with every change of a row
// type or a table: nil if old rows are right as they are, as when a field is
// added whose zero value means what its absence meant. The version protects such
// rows too, because an older binary would drop the field. Never change or remove
// a migration.
var migrations = []migration{
	// Version 2 names fields for what they contain.
	renameFields(map[string]map[string]string{
		"alarms": {"Acted": "ActionsRan"},
		"instance_refreshes": {
			"Left":       "Unfinished",
			"Progressed": "LastProgress",
		},
		"instances": {
			"Wanted": "Desired",
			"HasRun": "StartedBefore",
			"Booted": "MachineStarted",
		},
		"launch_templates": {"Given": "HighestNumber"},
		"scaling_groups": {
			"Causes":              "CapacityCauses",
			"Troubles":            "LaunchFailures",
			"LeavingTargetGroups": "DetachedTargetGroups",
		},
		"scaling_instances": {
			"Replace":    "ReplaceCause",
			"Successor":  "ReplacementCause",
			"UserHealth": "HealthSetByUser",
		},
	}),
	// Version 3 keeps when what takes its time is done. Old rows are done at once.
	nil,
	// Version 4 adds IAM, secrets, instance profiles of instances and encrypted parameters.
	nil,
	// Version 5 adds hosted zones, certificates that the local cloud issues, Elastic IP addresses, NAT
	// gateways, EC2 Instance Connect Endpoints, topics with their subscriptions, log groups, buckets
	// with their objects, commands of Run Command, managed prefix lists, when the disk of an instance
	// became read-only, and the state before an alarm's.
	nil,
	// Version 6 adds VPC peering connections, gateway endpoints, further blocks of VPCs, modifications
	// of volumes and who owns a prefix list.
	nil,
	// Version 7 adds the version of a topic's signatures, secondary addresses of network interfaces,
	// routes to interfaces, and Network Load Balancers.
	nil,
	// Version 8 adds IPv6: blocks of VPCs and subnets, addresses of network interfaces and egress-only
	// internet gateways. It adds volumes whose contents are files, and snapshots of them; the topics
	// that Auto Scaling groups tell of their activities, launch configurations and warm pools; and
	// composite alarms. It adds accounts: those of hosted zones and their changes, of the sides of
	// peering connections, of groups that rules refer to, and those that images and snapshots are
	// shared with. Old rows belong to the local cloud's own account.
	nil,
	// Version 9 adds settings of accounts, placement groups and EC2 Fleets; when images are
	// deprecated, protected or disabled; TLS listeners of Network Load Balancers, and Application
	// Load Balancers as their targets; placement groups of Auto Scaling groups and weights of their
	// instances; interface endpoints; IPv6 addresses of load balancers; processors, tenancy,
	// recovery and resource names of instances; server certificates of IAM; dashboards of
	// CloudWatch; the lease time of DHCP option sets; tags of what other accounts share; preferences
	// for Capacity Reservations; buckets without ownership controls; what images say of their
	// software and of the volumes of their instances; requests for Spot Instances; and users,
	// groups, access keys, aliases and password policies of IAM. It adds private hosted zones,
	// delegation sets and routing policies of records; labels of parameters' versions; and the nodes
	// that the names of load balancers do not lead to. It adds SSH public keys, OpenID Connect
	// providers, credential reports and deletions of service-linked roles of IAM; versions of objects,
	// and rules for web pages of other origins; policies of topics and secrets, and filters of
	// subscriptions; metric filters and policies of CloudWatch Logs; the account's settings of ACM;
	// and flow logs.
	nil,
	// Version 10 adds route tables of internet gateways, reserved and former blocks of subnets, reverse
	// names of Elastic IP addresses, EC2 Fleets that maintain their capacity, and persistent requests
	// for Spot Instances. It adds virtual second factors of IAM and hashes of users' passwords; object
	// locks and storage classes of S3, and topics that buckets notify of changes; and delivery
	// policies of Amazon SNS.
	nil,
	// Version 11 adds former blocks of VPCs, the IPv6 address of the metadata service of instances, and
	// replacements of root volumes. It adds ownership of buckets with access control lists, and rules
	// for objects that are not empty; how topics trace messages; saved queries of CloudWatch Logs;
	// documents of Systems Manager; and how load balancers authenticate clients.
	nil,
}

// version returns the schema version that the migrations lead to.
func version(migrations []migration) int { return unversioned + len(migrations) }
