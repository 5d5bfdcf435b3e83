package manners

import "time"

// Delay is something that takes its time on AWS.
type Delay string

// The delays of the manner Times.
const (
	CreateVPC          Delay = "create VPC"           // pending, then available
	CreateSubnet       Delay = "create subnet"        // pending, then available
	CreateNatGateway   Delay = "create NAT gateway"   // pending, then available or failed
	DeleteNatGateway   Delay = "delete NAT gateway"   // deleting, then deleted
	CreateLoadBalancer Delay = "create load balancer" // provisioning, then active
	PublishName        Delay = "publish name"         // until the name of a load balancer resolves
	PublishRecords     Delay = "publish records"      // a change of a hosted zone is pending
	OfferValidation    Delay = "offer validation"     // until a requested certificate names its records
	IssueCertificate   Delay = "issue certificate"    // until those records are looked for
	ReleaseInterfaces  Delay = "release interfaces"   // a deleted load balancer's network interfaces linger
	CreateImage        Delay = "create image"         // an image and its snapshot are pending
	StartInstance      Delay = "start instance"       // pending, then running
	CheckInstance      Delay = "check instance"       // the first status checks are initializing
	StopInstance       Delay = "stop instance"        // stopping, then stopped
	TerminateInstance  Delay = "terminate instance"   // shutting-down, then terminated
	PostConsole        Delay = "post console"         // until console output can be read after a start
	DeliverMetrics     Delay = "deliver metrics"      // until a minute's metrics can be read
	StartLaunch        Delay = "start launch"         // until an Auto Scaling group launches an instance
	DeleteScalingGroup Delay = "delete scaling group" // a deleted group is pending delete
	CreateEndpoint     Delay = "create endpoint"      // an endpoint with network interfaces is created
	DeleteEndpoint     Delay = "delete endpoint"      // and deleted
)

// spans are how long things take on AWS. Comments say where they are from.
var spans = map[Delay]Span{
	// The response says pending (a recorded response of CreateVpc). Waiters of the
	// Terraform AWS provider see available in their first or second look.
	CreateVPC:    {time.Second, 3 * time.Second},
	CreateSubnet: {time.Second, 3 * time.Second},
	// Waiters of the Terraform AWS provider mostly see available within two minutes
	// (general knowledge).
	CreateNatGateway: {90 * time.Second, 2 * time.Minute},
	// The same waiters see deleted within a minute (general knowledge).
	DeleteNatGateway: {30 * time.Second, time.Minute},
	// Logs of six deployments, in four Regions: 2m21s to 3m07s.
	CreateLoadBalancer: {141 * time.Second, 187 * time.Second},
	// cluster-api-provider-aws, issue 5032: the name does not exist at first, and a
	// resolver that was asked too early remembers that.
	PublishName: {30 * time.Second, time.Minute},
	// Amazon Route 53 API Reference, ChangeResourceRecordSets: within 60 seconds under
	// normal conditions.
	PublishRecords: {20 * time.Second, time.Minute},
	// AWS Certificate Manager API Reference, RequestCertificate: several seconds.
	OfferValidation: {2 * time.Second, 8 * time.Second},
	// AWS Certificate Manager User Guide, "DNS validation": up to 30 minutes. It is minutes
	// on most days.
	IssueCertificate: {90 * time.Second, 6 * time.Minute},
	// moto's tests that run against AWS wait 30 s; the Terraform AWS provider and the
	// AWS Load Balancer Controller wait for minutes.
	ReleaseInterfaces: {20 * time.Second, 3 * time.Minute},
	// A log of a deployment: 3m06s.
	CreateImage: {150 * time.Second, 200 * time.Second},
	// Logs of two deployments: 16 s and 52 s.
	StartInstance: {15 * time.Second, 52 * time.Second},
	// Amazon EC2 User Guide, Status checks: checks run every minute; a new instance
	// shows initializing for its first two or three (general knowledge).
	CheckInstance: {2 * time.Minute, 3 * time.Minute},
	// Amazon EC2 User Guide, Stop and start: the operating system shuts down first,
	// which can take a few minutes (general knowledge: mostly less than one).
	StopInstance: {20 * time.Second, time.Minute},
	// Logs of three deployments: 31 s, 32 s and 47 s.
	TerminateInstance: {30 * time.Second, 47 * time.Second},
	// Amazon EC2 API Reference, GetConsoleOutput: the output is posted shortly after
	// the instance's state changed. canonical/pycloudlib, pull request 193: that took up
	// to 20 minutes. It is minutes on most days.
	PostConsole: {90 * time.Second, 4 * time.Minute},
	// Pollers wait two minutes for the metrics of load balancers (Netflix/atlas, pull
	// request 1300), and see data points that began two to three minutes ago
	// (elastic/beats, issue 30915).
	DeliverMetrics: {time.Minute, 2 * time.Minute},
	// AWS CLI Command Reference, describe-scaling-activities: in its example, 16 s pass
	// between the change of the capacity and the start of an instance.
	StartLaunch: {3 * time.Second, 16 * time.Second},
	// The Terraform AWS provider waits until the group is not found, and reports
	// "pending delete" if it creates one of the same name too early.
	DeleteScalingGroup: {10 * time.Second, 40 * time.Second},
	// Users report minutes for both; the Terraform AWS provider waits up to 10 minutes
	// (general knowledge).
	CreateEndpoint: {2 * time.Minute, 4 * time.Minute},
	DeleteEndpoint: {2 * time.Minute, 4 * time.Minute},
}

// Takes returns how long something takes. name says which one it is, such as an id.
// It is 0 if the cloud lacks the manner Times.
func (s *Set) Takes(d Delay, name string) time.Duration {
	return s.Duration(Times, spans[d], string(d), name)
}

// Until returns when something that begins at a time is done. It is the zero time if
// that is at once. Whoever stores it keeps the time across restarts.
func (s *Set) Until(begin time.Time, d Delay, name string) time.Time {
	takes := s.Takes(d, name)
	if takes == 0 {
		return time.Time{}
	}
	return begin.Add(takes).UTC()
}

// MetricsLate returns how late metrics are.
func (s *Set) MetricsLate() time.Duration { return s.Takes(DeliverMetrics, "") }
