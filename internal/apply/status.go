package apply

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// Status is the status of a deployment. Scripts rely on its JSON form. The fields of
// resources that do not exist are "".
type Status struct {
	App             string    `json:"app"`
	Stage           string    `json:"stage,omitempty"`
	Region          string    `json:"region"`
	URL             string    `json:"url"`
	Domains         []string  `json:"domains,omitempty"` // that HTTPS serves, the main one first
	DNSName         string    `json:"dns_name"`
	VPCID           string    `json:"vpc_id"`
	LoadBalancerARN string    `json:"load_balancer_arn"`
	Problem         string    `json:"load_balancer_problem,omitempty"` // why it serves only in part, as the cloud says
	TargetGroupARN  string    `json:"target_group_arn"`
	ImageID         string    `json:"image_id"`
	BaseImage       string    `json:"base_image,omitempty"`  // that ImageID was built on
	BaseName        string    `json:"base_name,omitempty"`   // by which aloft.yaml asked for it
	Environment     string    `json:"environment,omitempty"` // that servers read at their start: "env-3"
	Machines        []Machine `json:"machines"`
	Scaling         *Scaling  `json:"scaling,omitempty"` // if the servers are an Auto Scaling group's
	Alerts          *Alerts   `json:"alerts,omitempty"`  // if somebody is notified of failures

	Makers []Machine `json:"-"` // on which a release is being made, or where a run stopped doing so
}

// Alerts lists who is notified of failures, and of which failures.
type Alerts struct {
	Emails      []string `json:"emails"`
	Unconfirmed []string `json:"unconfirmed"` // of Emails: receive nothing yet
	Firing      []string `json:"firing"`      // names of alarms that have gone off
}

// Machine is one server of a deployment.
type Machine struct {
	Name       string `json:"name"`
	InstanceID string `json:"instance_id"`
	Type       string `json:"type"`
	Zone       string `json:"zone"`
	SubnetID   string `json:"subnet_id"`
	PrivateIP  string `json:"private_ip"`
	PublicIP   string `json:"public_ip"`
	State      string `json:"state"`
	Health     string `json:"health"`              // as the load balancer sees it; "unregistered" if it is no target
	Lifecycle  string `json:"lifecycle,omitempty"` // in its Auto Scaling group: "InService"
	HostKey    string `json:"host_key,omitempty"`  // for SSH; "" if it was not kept
	Keyless    bool   `json:"keyless,omitempty"`   // it has no key pair: it is reached through the endpoint
	Fallback   string `json:"fallback,omitempty"`  // what the spec prefers: "t3.small, not t3.micro"
	// Environment is the version of the environment that it runs with, or
	// stack.EnvironmentChanges while it is given another; "" for none.
	Environment string `json:"environment,omitempty"`
}

// Status returns the status of the deployment.
func (d *Deployment) Status(ctx context.Context) (*Status, error) {
	found, err := d.Discover(ctx)
	if err != nil {
		return nil, err
	}
	return d.statusOf(ctx, found)
}

func (d *Deployment) statusOf(ctx context.Context, found []plan.Found) (*Status, error) {
	s := statusOf(d.cfg.App, d.cfg.Region, found)
	if d.cfg.Spec != nil {
		s.Stage = d.cfg.Spec.Stage
		if servesHTTPS(found) {
			s.putFirst(d.cfg.Spec.Domain)
		}
		s.markFallbacks(d.cfg.Spec, found)
	}
	var err error
	s.Scaling, err = d.scaling(ctx, found)
	return s, err
}

func statusOf(app, region string, found []plan.Found) *Status {
	image := currentImage(found)
	s := &Status{
		App: app, Region: region, Machines: []Machine{},
		ImageID: image.ID, BaseImage: image.Status.Base, BaseName: image.Status.BaseName,
	}
	port := ""
	if vpcs, _ := vpcsOf(found); len(vpcs) > 0 {
		s.VPCID = vpcs[0]
	}
	for _, f := range found {
		switch f.Kind {
		case stack.KindLoadBalancer:
			s.LoadBalancerARN, s.DNSName, s.Problem = f.ID, f.Status.DNSName, f.Status.Problem
		case stack.KindTargetGroup:
			s.TargetGroupARN = f.ID
		case stack.KindEnvironment:
			s.Environment = f.ID
		case stack.KindListener:
			if f.Address == stack.AddressListener {
				port = f.Value(stack.AttrPort)
			}
		case stack.KindTopic:
			s.Alerts = alertsOf(f, found)
		}
		switch {
		case isServer(f):
			s.Machines = append(s.Machines, machineOf(f))
		case f.Kind == stack.KindServer:
			s.Makers = append(s.Makers, machineOf(f))
		}
	}
	if servesHTTPS(found) {
		s.setDomains(domainsOf(found))
	}
	if s.URL == "" && s.DNSName != "" {
		s.URL = urlOf(s.DNSName, port)
	}
	slices.SortFunc(s.Machines, func(a, b Machine) int {
		return cmp.Or(
			cmp.Compare(numberIn(a.Name), numberIn(b.Name)),
			cmp.Compare(a.Zone, b.Zone),
			cmp.Compare(a.InstanceID, b.InstanceID),
		)
	})
	return s
}

// urlOf returns the URL of a listener without TLS; "" if port is.
func urlOf(host, port string) string {
	switch port {
	case "":
		return ""
	case "80":
		return "http://" + host
	}
	return fmt.Sprintf("http://%s:%s", host, port)
}

// alarmState is the state of an alarm that has gone off (Amazon CloudWatch API Reference,
// MetricAlarm).
const alarmState = "ALARM"

func alertsOf(topic plan.Found, found []plan.Found) *Alerts {
	a := &Alerts{
		Emails:      slices.Concat([]string{}, topic.Values(stack.AttrEmails)),
		Unconfirmed: slices.Concat([]string{}, topic.Status.Unconfirmed),
		Firing:      []string{},
	}
	for _, f := range found {
		if f.Kind == stack.KindAlarm && f.Status.Alarm == alarmState {
			a.Firing = append(a.Firing, f.Address)
		}
	}
	slices.Sort(a.Firing)
	return a
}

// markFallbacks marks the servers that are not of the type or in the zone that the spec
// prefers. A run accepts and keeps them.
func (s *Status) markFallbacks(wanted *spec.Spec, found []plan.Found) {
	zones := map[string]string{}
	for _, f := range found {
		if f.Kind == stack.KindSubnet {
			zones[f.Address] = f.Value(stack.AttrZone)
		}
	}
	for i := range s.Machines {
		m := &s.Machines[i]
		var differs []string
		preferred := wanted.Machines.Types
		if n := slices.Index(preferred, m.Type); n > 0 {
			differs = append(differs, m.Type+", not "+preferred[0])
		}
		zone := zones[stack.SubnetOf(m.Name, len(wanted.Network.Subnets))]
		if wanted.Machines.Fallback == spec.FallbackZone && zone != "" && zone != m.Zone {
			differs = append(differs, m.Zone+", not "+zone)
		}
		m.Fallback = strings.Join(differs, "; ")
	}
}

// currentImage returns the image of the newest server's release, or the newest image
// if there is none.
func currentImage(found []plan.Found) plan.Found {
	newest, release, image := "", "", plan.Found{}
	for _, f := range found {
		if isServer(f) && f.Value(stack.AttrBuilt) == stack.Yes && f.Created >= newest {
			newest, release = f.Created, f.Value(stack.AttrRelease)
		}
	}
	ofRelease := func(f plan.Found) bool { return release != "" && f.Value(stack.AttrRelease) == release }
	for _, f := range found {
		if f.Kind == stack.KindImage &&
			(image.ID == "" || ofRelease(f) || f.Created > image.Created && !ofRelease(image)) {
			image = f
		}
	}
	return image
}

// numberIn returns the number in a name such as "server-2", or 0 if it has none.
func numberIn(name string) int {
	_, digits, _ := strings.Cut(name, "-")
	n, _ := strconv.Atoi(digits) // names without a number come first
	return n
}

func machineOf(f plan.Found) Machine {
	return Machine{
		Name:       f.Name,
		InstanceID: f.ID,
		Type:       f.Value(stack.AttrType),
		Zone:       f.Status.Zone,
		SubnetID:   f.Value(stack.AttrSubnet),
		PrivateIP:  f.Status.PrivateIP,
		PublicIP:   f.Status.PublicIP,
		State:      f.Value(stack.AttrState),
		Health:     cmp.Or(f.Status.Health, "unregistered"),
		Lifecycle:  f.Status.Lifecycle,
		HostKey:    f.Status.HostKey,
		Keyless:    f.Value(stack.AttrKeyPair) == stack.NoKeyPair,

		Environment: f.Value(stack.AttrEnvironment),
	}
}
