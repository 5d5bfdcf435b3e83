package apply

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Status is what stands of a deployment. Its JSON is a contract that scripts
// rely on; what does not stand is "".
type Status struct {
	App             string    `json:"app"`
	Region          string    `json:"region"`
	URL             string    `json:"url"`
	DNSName         string    `json:"dns_name"`
	VPCID           string    `json:"vpc_id"`
	LoadBalancerARN string    `json:"load_balancer_arn"`
	TargetGroupARN  string    `json:"target_group_arn"`
	ImageID         string    `json:"image_id"`
	Machines        []Machine `json:"machines"`
	Scaling         *Scaling  `json:"scaling,omitempty"` // of a group in place of fixed servers
}

// Machine is one server of a deployment.
type Machine struct {
	Name       string `json:"name"`
	InstanceID string `json:"instance_id"`
	Zone       string `json:"zone"`
	SubnetID   string `json:"subnet_id"`
	PrivateIP  string `json:"private_ip"`
	PublicIP   string `json:"public_ip"`
	State      string `json:"state"`
	Health     string `json:"health"`              // as the load balancer sees it; "unregistered" when it does not
	Lifecycle  string `json:"lifecycle,omitempty"` // in its scaling group: "InService"
}

// Status looks at the deployment.
func (d *Deployment) Status(ctx context.Context) (*Status, error) {
	found, err := d.Discover(ctx)
	if err != nil {
		return nil, err
	}
	return d.statusOf(ctx, found)
}

func (d *Deployment) statusOf(ctx context.Context, found []plan.Found) (*Status, error) {
	s := statusOf(d.cfg.App, d.cfg.Region, found)
	var err error
	s.Scaling, err = d.scaling(ctx, found)
	return s, err
}

func statusOf(app, region string, found []plan.Found) *Status {
	s := &Status{App: app, Region: region, Machines: []Machine{}, ImageID: imageOf(found).ID}
	port := ""
	for _, f := range found {
		switch f.Kind {
		case stack.KindVPC:
			s.VPCID = f.ID
		case stack.KindLoadBalancer:
			s.LoadBalancerARN, s.DNSName = f.ID, f.Status["dns name"]
		case stack.KindTargetGroup:
			s.TargetGroupARN = f.ID
		case stack.KindListener:
			port = f.Get("port")
		case stack.KindMember:
			s.Machines = append(s.Machines, machineOf(f))
		case stack.KindServer:
			if !stack.Transient(f.Address) {
				s.Machines = append(s.Machines, machineOf(f))
			}
		}
	}
	if s.DNSName != "" && port != "" {
		if s.URL = fmt.Sprintf("http://%s:%s", s.DNSName, port); port == "80" {
			s.URL = "http://" + s.DNSName
		}
	}
	slices.SortFunc(s.Machines, func(a, b Machine) int {
		return cmp.Or(
			cmp.Compare(number(a.Name), number(b.Name)),
			cmp.Compare(a.Zone, b.Zone),
			cmp.Compare(a.InstanceID, b.InstanceID),
		)
	})
	return s
}

// imageOf is the image that the servers are of: that of the youngest server's
// release, or else the youngest one.
func imageOf(found []plan.Found) plan.Found {
	youngest, release, image := "", "", plan.Found{}
	for _, f := range found {
		if serves := f.Kind == stack.KindServer || f.Kind == stack.KindMember; serves && !stack.Transient(f.Address) &&
			f.Get("built") == "yes" &&
			f.Created >= youngest {
			youngest, release = f.Created, f.Get("release")
		}
	}
	ofRelease := func(f plan.Found) bool { return release != "" && f.Get("release") == release }
	for _, f := range found {
		if f.Kind == stack.KindImage &&
			(image.ID == "" || ofRelease(f) || f.Created > image.Created && !ofRelease(image)) {
			image = f
		}
	}
	return image
}

func number(name string) int {
	_, digits, _ := strings.Cut(name, "-")
	n, _ := strconv.Atoi(digits) // not a number: first
	return n
}

func machineOf(f plan.Found) Machine {
	return Machine{
		Name: f.Name, InstanceID: f.ID, Zone: f.Status["zone"], SubnetID: f.Get("subnet"),
		PrivateIP: f.Status["private ip"], PublicIP: f.Status["public ip"], State: f.Get("state"), Health: cmp.Or(f.Status["health"], "unregistered"), Lifecycle: f.Status["lifecycle"],
	}
}
