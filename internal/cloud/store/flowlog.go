package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids.
var (
	FlowLogs           = newTable("flow_logs", func(r *FlowLog) string { return r.ID }, (*FlowLog).region)
	FlowLogsByResource = FlowLogs.indexBy("resource", func(r *FlowLog) string { return r.ResourceID })
)

// FlowLog records the flows of network interfaces.
type FlowLog struct {
	ID         string
	Region     identity.Region
	ResourceID string // of a VPC, a subnet or a network interface
	Traffic    string // "ACCEPT", "REJECT", "ALL"
	Format     string // "${version} ${srcaddr}"
	Interval   int32  // the longest of a record, in seconds
	Created    time.Time
	Tags       Tags

	// DestinationType is "cloud-watch-logs" or "s3", and Destination its ARN if the request had one.
	DestinationType, Destination string
	LogGroup                     string // its name
	RoleARN                      string // with which a log group is written
	// Hive and Hourly say which folders the objects of a bucket are in.
	Hive, Hourly bool

	Failure string // of the last delivery, in EC2's words; empty: it succeeded
}

func (r *FlowLog) region() identity.Region { return r.Region }

// Accepts reports whether the log records flows that were accepted.
func (r *FlowLog) Accepts() bool { return r.Traffic != "REJECT" }

// Rejects reports whether the log records flows that were rejected.
func (r *FlowLog) Rejects() bool { return r.Traffic != "ACCEPT" }

// FlowLogsOf returns the flow logs that record the flows of a network interface.
func FlowLogsOf(r Reader, eni *NetworkInterface) (all []*FlowLog) {
	for _, id := range []string{eni.VPCID, eni.SubnetID, eni.ID} {
		all = append(all, FlowLogsByResource.List(r, id)...)
	}
	return all
}
