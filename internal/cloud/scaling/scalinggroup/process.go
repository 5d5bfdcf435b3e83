package scalinggroup

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/store"
)

// Processes of a group (Amazon EC2 Auto Scaling API Reference, SuspendProcesses).
const (
	AddToLoadBalancer = "AddToLoadBalancer"
	AlarmNotification = "AlarmNotification"
	AZRebalance       = "AZRebalance"
	HealthCheck       = "HealthCheck"
	InstanceRefresh   = "InstanceRefresh"
	Launch            = "Launch"
	ReplaceUnhealthy  = "ReplaceUnhealthy"
	ScheduledActions  = "ScheduledActions"
	Terminate         = "Terminate"
)

// Processes returns all processes in alphabetical order, as AWS lists them.
func Processes() []string {
	return []string{
		AddToLoadBalancer, AlarmNotification, AZRebalance, HealthCheck, InstanceRefresh,
		Launch, ReplaceUnhealthy, ScheduledActions, Terminate,
	}
}

// Suspended reports whether a process of the group is suspended.
func Suspended(g *store.ScalingGroup, process string) bool {
	return slices.ContainsFunc(g.Suspended, func(s store.SuspendedProcess) bool { return s.Name == process })
}
