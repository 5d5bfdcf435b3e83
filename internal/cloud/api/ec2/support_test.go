package ec2

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// noon is the time of the API's clock.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const home = "us-east-1"

// cloud is an API with an empty account.
type cloud struct {
	*API
	t   *testing.T
	ctx context.Context
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	api := New(Config{
		Store: s, Now: func() time.Time { return noon }, PublicRange: netip.MustParsePrefix("198.18.0.0/15"),
		IPv6Range: netip.MustParsePrefix("2001:db8:a100::/40"),
		Images: []BaseImage{
			{
				Base:         "debian-12",
				Name:         "debian-12-amd64-20261101-1234",
				Owner:        "136693071363",
				Architecture: "x86_64",
				RootDevice:   "/dev/xvda",
				SizeGiB:      8,
				Parameters:   []string{"/aws/service/debian/release/12/latest/amd64"},
			},
		},
	})
	return &cloud{api, t, in(home)}
}

func in(region identity.Region) context.Context {
	return wire.WithCaller(context.Background(), wire.Caller{Region: region})
}

// do calls an operation that must succeed.
func do[In, Out any](c *cloud, operation func(context.Context, *In) (*Out, error), input *In) *Out {
	c.t.Helper()
	out, err := operation(c.ctx, input)
	if err != nil {
		c.t.Fatalf("%T: %v", *input, err)
	}
	return out
}

// wantError calls an operation that must fail with the error "code: message".
func wantError[In, Out any](c *cloud, operation func(context.Context, *In) (*Out, error), input *In, want string) {
	c.t.Helper()
	if _, err := operation(c.ctx, input); fmt.Sprint(err) != want {
		c.t.Errorf("%T: got %v, want %s", *input, err, want)
	}
}

func code(err error) string {
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		return refusal.Code
	}
	return fmt.Sprint(err)
}

func (c *cloud) vpc(cidr string) string {
	c.t.Helper()
	return *do(c, c.CreateVpc, &ec2.CreateVpcInput{CidrBlock: &cidr}).Vpc.VpcId
}

func (c *cloud) subnet(vpc, cidr, zone string) string {
	c.t.Helper()
	return *do(c, c.CreateSubnet, &ec2.CreateSubnetInput{
		VpcId: &vpc, CidrBlock: &cidr, AvailabilityZone: &zone,
	}).Subnet.SubnetId
}

func (c *cloud) group(vpc, name string) string {
	c.t.Helper()
	return *do(c, c.CreateSecurityGroup, &ec2.CreateSecurityGroupInput{
		VpcId: &vpc, GroupName: &name, Description: &name,
	}).GroupId
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}

func specification(kind types.ResourceType, pairs ...string) []types.TagSpecification {
	s := types.TagSpecification{ResourceType: kind}
	for i := 0; i < len(pairs); i += 2 {
		s.Tags = append(s.Tags, types.Tag{Key: aws.String(pairs[i]), Value: aws.String(pairs[i+1])})
	}
	return []types.TagSpecification{s}
}

// rows returns the rows of the store except client tokens, as texts by key.
func (c *cloud) rows() map[string]string {
	view, all := c.Store.View(), map[string]string{}
	gather(all, store.VPCs, view, func(r *store.VPC) string { return r.ID })
	gather(all, store.Subnets, view, func(r *store.Subnet) string { return r.ID })
	gather(all, store.InternetGateways, view, func(r *store.InternetGateway) string { return r.ID })
	gather(all, store.RouteTables, view, func(r *store.RouteTable) string { return r.ID })
	gather(all, store.NetworkACLs, view, func(r *store.NetworkACL) string { return r.ID })
	gather(all, store.SecurityGroups, view, func(r *store.SecurityGroup) string { return r.ID })
	gather(all, store.NetworkInterfaces, view, func(r *store.NetworkInterface) string { return r.ID })
	gather(all, store.KeyPairs, view, func(r *store.KeyPair) string { return r.ID })
	gather(all, store.DHCPOptionSets, view, func(r *store.DHCPOptions) string { return r.ID })
	gather(all, store.Images, view, func(r *store.Image) string { return r.ID })
	gather(all, store.Parameters, view, func(r *store.Parameter) string { return r.Name })
	return all
}

func gather[T any](all map[string]string, table store.Table[T], view *store.View, key func(*T) string) {
	for _, row := range table.List(view) {
		all[key(row)] = fmt.Sprintf("%+v", *row)
	}
}

// nic creates a network interface in a subnet.
func (c *cloud) nic(spec addressing.InterfaceSpec, subnet string) *store.NetworkInterface {
	c.t.Helper()
	var row *store.NetworkInterface
	if err := c.Store.Update(func(tx *store.Tx) (err error) {
		spec.Subnet, _ = store.Subnets.Get(tx, subnet)
		row, err = addressing.NewInterface(tx, c.ids, spec)
		return err
	}); err != nil {
		c.t.Fatal(err)
	}
	return row
}

// availableImage makes the region's public image available and returns its id.
func (c *cloud) availableImage() string {
	c.t.Helper()
	image := do(c, c.DescribeImages, &ec2.DescribeImagesInput{}).Images[0]
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Images.Edit(tx, *image.ImageId, func(row *store.Image) {
			row.State, row.StateReason = "available", ""
			store.Snapshots.Edit(
				tx, row.SnapshotID, func(s *store.Snapshot) { s.State, s.Layers = "completed", []string{"base"} },
			)
		})
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
	return *image.ImageId
}

func launchOne(image string) *ec2.RunInstancesInput {
	return &ec2.RunInstancesInput{
		ImageId:      &image,
		InstanceType: types.InstanceTypeT3Micro,
		MinCount:     aws.Int32(1),
		MaxCount:     aws.Int32(1),
	}
}

// observe sets an instance's state in place of the instances loop.
func (c *cloud) observe(id, state string) {
	c.t.Helper()
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Instances.Edit(tx, id, func(row *store.Instance) { row.State, row.StartedBefore = state, true })
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
}

func encoded(bytes int) *string {
	return aws.String(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", bytes))))
}

func root(disk types.EbsBlockDevice) []types.BlockDeviceMapping {
	return []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"), Ebs: &disk}}
}
