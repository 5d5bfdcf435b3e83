package store

// tables lists all tables. A new table needs an entry here and a migration.
var tables = []table{
	Regions, VPCs, DHCPOptionSets, Subnets, InternetGateways, RouteTables, NetworkACLs, SecurityGroups,
	NetworkInterfaces, ElasticIPs, NatGateways, KeyPairs, Instances, Images, Snapshots, Volumes, ClientTokens,
	LoadBalancers, TargetGroups, Listeners, Rules, Targets, Certificates, Parameters,
	LaunchTemplates, TemplateVersions, ScalingGroups, ScalingInstances, LifecycleHooks, ScalingActivities,
	ScalingPolicies, ScheduledActions, InstanceRefreshes, Alarms, AlarmHistories,
	Roles, InstanceProfiles, Policies, Secrets,
	HostedZones, RecordSets, RecordChanges, DelegationSets, InstanceConnectEndpoints,
	Topics, Subscriptions, Deliveries, LogGroups, LogStreams,
	Commands, CommandInvocations, ManagedInstances, PrefixLists,
	Buckets, Objects, Uploads, UploadParts,
	PeeringConnections, VPCEndpoints, VolumeModifications,
	EgressOnlyGateways,
	ScalingNotifications, LaunchConfigurations, WarmPools,
	AccountSettings, PlacementGroups, Fleets,
	SharedTags,
	ObjectVersions, LogPolicies, QueryDefinitions, Documents, CertificateSettings, FlowLogs,
	ServerCertificates, Dashboards,
	SpotRequests,
	Users, Groups, AccessKeys, AccountIdentities,
	SSHPublicKeys, OpenIDProviders, RoleDeletions,
	MFADevices,
	SubnetReservations,
	RootReplacements,
}
