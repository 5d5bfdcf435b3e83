package store

// The tables. A name is also the bucket on disk: never rename one.
var (
	Regions        = newTable("regions", func(r *Region) string { return r.Name }, nil)
	VPCs           = newTable("vpcs", func(r *VPC) string { return r.ID }, index(in((*VPC).region)))
	DHCPOptionSets = newTable(
		"dhcp_options",
		func(r *DHCPOptions) string { return r.ID },
		index(in((*DHCPOptions).region)),
	)
	Subnets = newTable(
		"subnets",
		func(r *Subnet) string { return r.ID },
		index(in((*Subnet).region), by("vpc", func(r *Subnet) []string { return []string{r.VPCID} })),
	)
	InternetGateways = newTable(
		"internet_gateways",
		func(r *InternetGateway) string { return r.ID },
		index(in((*InternetGateway).region), by("vpc", func(r *InternetGateway) []string { return []string{r.VPCID} })),
	)
	RouteTables = newTable(
		"route_tables",
		func(r *RouteTable) string { return r.ID },
		index(in((*RouteTable).region), by("vpc", func(r *RouteTable) []string { return []string{r.VPCID} })),
	)
	NetworkACLs = newTable(
		"network_acls",
		func(r *NetworkACL) string { return r.ID },
		index(in((*NetworkACL).region), by("vpc", func(r *NetworkACL) []string { return []string{r.VPCID} })),
	)
	SecurityGroups = newTable(
		"security_groups",
		func(r *SecurityGroup) string { return r.ID },
		index(in((*SecurityGroup).region), by("vpc", func(r *SecurityGroup) []string { return []string{r.VPCID} })),
	)
	NetworkInterfaces = newTable(
		"network_interfaces",
		func(r *NetworkInterface) string { return r.ID },
		index(
			in((*NetworkInterface).region),
			by("vpc", func(r *NetworkInterface) []string { return []string{r.VPCID} }),
			by("subnet", func(r *NetworkInterface) []string { return []string{r.SubnetID} }),
			by("instance", func(r *NetworkInterface) []string { return []string{r.InstanceID} }),
			by("group", func(r *NetworkInterface) []string { return r.GroupIDs }),
		),
	)
	KeyPairs = newTable(
		"key_pairs",
		func(r *KeyPair) string { return r.ID },
		index(
			in((*KeyPair).region),
			by("name", func(r *KeyPair) []string { return []string{r.Region + "/" + r.Name} }),
		),
	)
	Instances = newTable(
		"instances",
		func(r *Instance) string { return r.ID },
		index(
			in((*Instance).region),
			by("vpc", func(r *Instance) []string { return []string{r.VPCID} }),
			by("image", func(r *Instance) []string { return []string{r.ImageID} }),
		),
	)
	Images = newTable(
		"images",
		func(r *Image) string { return r.ID },
		index(in((*Image).region), by("name", func(r *Image) []string { return []string{r.Region + "/" + r.Name} })),
	)
	Snapshots = newTable("snapshots", func(r *Snapshot) string { return r.ID }, index(in((*Snapshot).region)))
	Volumes   = newTable(
		"volumes",
		func(r *Volume) string { return r.ID },
		index(in((*Volume).region), by("instance", func(r *Volume) []string { return []string{r.InstanceID} })),
	)
	ClientTokens = newTable(
		"client_tokens",
		func(r *ClientToken) string { return r.Region + "/" + r.Operation + "/" + r.Token },
		index(by("day", func(r *ClientToken) []string { return []string{Day(r.Created)} })),
	)
	LoadBalancers = newTable(
		"load_balancers",
		func(r *LoadBalancer) string { return r.ARN },
		index(in((*LoadBalancer).region)),
	)
	TargetGroups = newTable(
		"target_groups",
		func(r *TargetGroup) string { return r.ARN },
		index(in((*TargetGroup).region)),
	)
	Listeners = newTable(
		"listeners",
		func(r *Listener) string { return r.ARN },
		index(
			in((*Listener).region),
			by("load_balancer", func(r *Listener) []string { return []string{r.LoadBalancerARN} }),
		),
	)
	Rules = newTable(
		"rules",
		func(r *Rule) string { return r.ARN },
		index(in((*Rule).region), by("listener", func(r *Rule) []string { return []string{r.ListenerARN} })),
	)
	Targets = newTable(
		"targets",
		func(r *Target) string { return r.Key() },
		index(
			in((*Target).region),
			by("target_group", func(r *Target) []string { return []string{r.TargetGroupARN} }),
			by("target", func(r *Target) []string { return []string{r.ID} }),
		),
	)
	Certificates = newTable(
		"certificates",
		func(r *Certificate) string { return r.ARN },
		index(in((*Certificate).region)),
	)
	LaunchTemplates = newTable(
		"launch_templates",
		func(r *LaunchTemplate) string { return r.ID },
		index(
			in((*LaunchTemplate).region),
			by("name", func(r *LaunchTemplate) []string { return []string{r.Region + "/" + r.Name} }),
		),
	)
	TemplateVersions = newTable(
		"launch_template_versions",
		func(r *LaunchTemplateVersion) string { return TemplateVersionKey(r.TemplateID, r.Number) },
		index(
			in((*LaunchTemplateVersion).region),
			by("template", func(r *LaunchTemplateVersion) []string { return []string{r.TemplateID} }),
		),
	)
	ScalingGroups    = newTable("scaling_groups", (*ScalingGroup).Key, index(in((*ScalingGroup).region)))
	ScalingInstances = newTable(
		"scaling_instances",
		func(r *ScalingInstance) string { return r.InstanceID },
		index(
			in((*ScalingInstance).region),
			by("group", func(r *ScalingInstance) []string { return []string{r.GroupKey()} }),
		),
	)
	LifecycleHooks = newTable(
		"lifecycle_hooks",
		func(r *LifecycleHook) string { return r.Region + "/" + r.Group + "/" + r.Name },
		index(
			in((*LifecycleHook).region),
			by("group", func(r *LifecycleHook) []string { return []string{r.Region + "/" + r.Group} }),
		),
	)
	ScalingActivities = newTable(
		"scaling_activities",
		func(r *ScalingActivity) string { return r.ID },
		index(
			in((*ScalingActivity).region),
			by("group", func(r *ScalingActivity) []string { return []string{r.Region + "/" + r.Group} }),
			by("open", (*ScalingActivity).open),
		),
	)
	ScalingPolicies = newTable(
		"scaling_policies",
		func(r *ScalingPolicy) string { return r.ARN },
		index(
			in((*ScalingPolicy).region),
			by("group", func(r *ScalingPolicy) []string { return []string{r.Region + "/" + r.Group} }),
		),
	)
	ScheduledActions = newTable(
		"scheduled_actions",
		func(r *ScheduledAction) string { return r.ARN },
		index(
			in((*ScheduledAction).region),
			by("group", func(r *ScheduledAction) []string { return []string{r.Region + "/" + r.Group} }),
		),
	)
	InstanceRefreshes = newTable(
		"instance_refreshes",
		func(r *InstanceRefresh) string { return r.ID },
		index(
			in((*InstanceRefresh).region),
			by("group", func(r *InstanceRefresh) []string { return []string{r.GroupKey()} }),
			by("active", (*InstanceRefresh).active),
		),
	)
	Alarms         = newTable("alarms", func(r *Alarm) string { return r.ARN }, index(in((*Alarm).region)))
	AlarmHistories = newTable(
		"alarm_histories",
		func(r *AlarmHistory) string { return r.ID },
		index(
			in((*AlarmHistory).region),
			by("alarm", func(r *AlarmHistory) []string { return []string{r.Region + "/" + r.Alarm} }),
		),
	)
	Parameters = newTable(
		"parameters",
		func(r *Parameter) string { return r.Region + r.Name },
		index(in((*Parameter).region)),
	)
)

var tables = []table{
	Regions, VPCs, DHCPOptionSets, Subnets, InternetGateways, RouteTables, NetworkACLs, SecurityGroups, NetworkInterfaces, KeyPairs,
	Instances, Images, Snapshots, Volumes, ClientTokens, LoadBalancers, TargetGroups, Listeners, Rules, Targets, Certificates, Parameters,
	LaunchTemplates, TemplateVersions, ScalingGroups, ScalingInstances, LifecycleHooks, ScalingActivities, ScalingPolicies, ScheduledActions,
	InstanceRefreshes, Alarms, AlarmHistories,
}

type namedIndex[T any] struct {
	name string
	of   func(*T) []string
}

func by[T any](name string, of func(*T) []string) namedIndex[T] { return namedIndex[T]{name, of} }

func in[T any](region func(*T) string) namedIndex[T] {
	return by("region", func(row *T) []string { return []string{region(row)} })
}

func index[T any](named ...namedIndex[T]) map[string]func(*T) []string {
	out := make(map[string]func(*T) []string, len(named))
	for _, n := range named {
		out[n.name] = n.of
	}
	return out
}
