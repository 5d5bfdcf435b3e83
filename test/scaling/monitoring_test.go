//go:build linux

package scaling

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
	"aloft.dev/aloft/test/simulation"
)

// On AWS a CPU target without detailed monitoring sees a value every five minutes.
func TestGroupHasDetailedMonitoring(t *testing.T) {
	t.Parallel()
	c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
	client := c.Client(t, nil)
	d := simulation.Deployment(t, client, simulation.ScalingTutorial(t), b, keys)
	simulation.Up(t, d)
	for _, i := range store.Instances.List(c.Store.View()) {
		if i.State == store.Running && !i.Monitoring {
			t.Errorf("%s has basic monitoring", i.ID)
		}
	}

	// An earlier version of Aloft did not ask for it.
	name := aws.String(stack.ScalingName("tutorial"))
	basic := &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateName: name,
		SourceVersion:      aws.String("1"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			Monitoring: &types.LaunchTemplatesMonitoringRequest{Enabled: aws.Bool(false)},
		},
	}
	simulation.Must(client.EC2.CreateLaunchTemplateVersion(t.Context(), basic))(t)
	simulation.Must(client.EC2.ModifyLaunchTemplate(t.Context(), &ec2.ModifyLaunchTemplateInput{
		LaunchTemplateName: name, DefaultVersion: aws.String("2"),
	}))(t)
	p, err := d.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	change, ok := p.Get(stack.AddressLaunchTemplate)
	if !ok || change.Action != plan.Update || !strings.Contains(p.String(), "monitoring: basic") {
		t.Errorf("with basic monitoring:\n%s", p)
	}
	simulation.Up(t, d)
	simulation.PlanIsEmpty(t, d)
}
