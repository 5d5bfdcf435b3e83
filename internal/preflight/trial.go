package preflight

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// dry is the DryRun of every call of this package.
var dry = aws.Bool(true)

// try returns a trial of a call of EC2's client.
func try[In, Out any](
	action string, call func(*ec2.Client, context.Context, *In, ...func(*ec2.Options)) (*Out, error), in *In,
) trial {
	return trial{action: "ec2:" + action, run: func(ctx context.Context, c *ec2.Client) error {
		_, err := call(c, ctx, in)
		return err
	}}
}

// id returns the id of the resource at an address, or one that no resource has.
func (c Config) id(address, prefix string) *string {
	if f, ok := c.Plan.Kept[address]; ok {
		return &f.ID
	}
	return aws.String(prefix + "-00000000000000000")
}

// tags returns the tags that the resource of a change gets. A policy may require them.
func (c Config) tags(change plan.Change, kinds ...types.ResourceType) []types.TagSpecification {
	all := make([]types.TagSpecification, len(kinds))
	for i, kind := range kinds {
		all[i] = types.TagSpecification{ResourceType: kind, Tags: []types.Tag{
			{Key: aws.String(stack.TagApp), Value: &c.App},
			{Key: aws.String(stack.TagAddress), Value: aws.String(change.Address)},
			{Key: aws.String(stack.TagName), Value: aws.String(c.App + "-" + change.Address)},
		}}
	}
	return all
}

// changing returns the trials of a change that creates or updates. ModifyVpcAttribute
// and ModifySubnetAttribute have no dry run.
func (c Config) changing(change plan.Change) []trial {
	create := change.Action != plan.Update
	vpc := c.id(stack.AddressVPC, "vpc")
	switch body := change.Desired.Body.(type) {
	case stack.VPC, stack.Subnet, stack.InternetGateway, stack.ElasticIP, stack.NatGateway, stack.RouteTable:
		return c.changingNetwork(change, create, vpc)
	case stack.SecurityGroup:
		return c.changingGroup(change, body, create, vpc)
	case stack.KeyPair:
		return []trial{try("ImportKeyPair", (*ec2.Client).ImportKeyPair, &ec2.ImportKeyPairInput{
			DryRun: dry, KeyName: &body.KeyName, PublicKeyMaterial: anyKey(),
			TagSpecifications: c.tags(change, types.ResourceTypeKeyPair),
		})}
	case stack.ConnectEndpoint:
		if create {
			return []trial{try("CreateInstanceConnectEndpoint", (*ec2.Client).CreateInstanceConnectEndpoint,
				&ec2.CreateInstanceConnectEndpointInput{
					DryRun: dry, SubnetId: c.id(body.Subnet.Address, "subnet"),
					SecurityGroupIds:  []string{*c.id(body.Group.Address, "sg")},
					TagSpecifications: c.tags(change, types.ResourceTypeInstanceConnectEndpoint),
				})}
		}
	case stack.Server:
		return c.changingServer(change, body, create)
	case stack.Image:
		if create {
			return []trial{try("CreateImage", (*ec2.Client).CreateImage, &ec2.CreateImageInput{
				DryRun: dry, Name: &body.ImageName, InstanceId: c.id(body.Builder.Address, "i"),
				TagSpecifications: c.tags(change, types.ResourceTypeImage, types.ResourceTypeSnapshot),
			})}
		}
	case stack.LaunchTemplate:
		return c.changingTemplate(change, body, create)
	}
	return nil
}

// changingNetwork is changing for the VPC and its ways to the internet.
func (c Config) changingNetwork(change plan.Change, create bool, vpc *string) []trial {
	switch body := change.Desired.Body.(type) {
	case stack.VPC:
		if create {
			return []trial{try("CreateVpc", (*ec2.Client).CreateVpc, &ec2.CreateVpcInput{
				DryRun: dry, CidrBlock: aws.String(body.CIDR.String()),
				TagSpecifications: c.tags(change, types.ResourceTypeVpc),
			})}
		}
	case stack.Subnet:
		if create {
			return []trial{try("CreateSubnet", (*ec2.Client).CreateSubnet, &ec2.CreateSubnetInput{
				DryRun: dry, VpcId: vpc, CidrBlock: aws.String(body.CIDR.String()),
				TagSpecifications: c.tags(change, types.ResourceTypeSubnet),
			})}
		}
	case stack.InternetGateway:
		return c.changingGateway(change, create, vpc)
	case stack.ElasticIP:
		return []trial{try("AllocateAddress", (*ec2.Client).AllocateAddress, &ec2.AllocateAddressInput{
			DryRun: dry, TagSpecifications: c.tags(change, types.ResourceTypeElasticIp),
		})}
	case stack.NatGateway:
		if create {
			return []trial{try("CreateNatGateway", (*ec2.Client).CreateNatGateway, &ec2.CreateNatGatewayInput{
				DryRun: dry, SubnetId: c.id(body.Subnet.Address, "subnet"),
				AllocationId:      c.id(body.ElasticIP.Address, "eipalloc"),
				TagSpecifications: c.tags(change, types.ResourceTypeNatgateway),
			})}
		}
	case stack.RouteTable:
		return c.changingRoutes(change, create, vpc)
	}
	return nil
}

func (c Config) changingGateway(change plan.Change, create bool, vpc *string) []trial {
	id := c.id(change.Address, "igw")
	attach := try("AttachInternetGateway", (*ec2.Client).AttachInternetGateway, &ec2.AttachInternetGatewayInput{
		DryRun: dry, InternetGatewayId: id, VpcId: vpc,
	})
	if !create {
		return []trial{attach}
	}
	return []trial{attach, try("CreateInternetGateway", (*ec2.Client).CreateInternetGateway,
		&ec2.CreateInternetGatewayInput{
			DryRun: dry, TagSpecifications: c.tags(change, types.ResourceTypeInternetGateway),
		})}
}

func (c Config) changingRoutes(change plan.Change, create bool, vpc *string) []trial {
	table := c.id(change.Address, "rtb")
	all := []trial{
		try("AssociateRouteTable", (*ec2.Client).AssociateRouteTable, &ec2.AssociateRouteTableInput{
			DryRun: dry, RouteTableId: table, SubnetId: c.id("subnet-1", "subnet"),
		}),
		try("CreateRoute", (*ec2.Client).CreateRoute, &ec2.CreateRouteInput{
			DryRun: dry, RouteTableId: table, DestinationCidrBlock: aws.String("0.0.0.0/0"),
			GatewayId: c.id(stack.AddressInternetGateway, "igw"),
		}),
	}
	if create {
		all = append(all, try("CreateRouteTable", (*ec2.Client).CreateRouteTable, &ec2.CreateRouteTableInput{
			DryRun: dry, VpcId: vpc, TagSpecifications: c.tags(change, types.ResourceTypeRouteTable),
		}))
	}
	return all
}

func (c Config) changingGroup(change plan.Change, body stack.SecurityGroup, create bool, vpc *string) []trial {
	group := c.id(change.Address, "sg")
	if change.Current != nil {
		group = &change.Current.ID
	}
	rules := []types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(1), ToPort: aws.Int32(1),
		IpRanges: []types.IpRange{{CidrIp: aws.String("192.0.2.1/32")}}, // of RFC 5737
	}}
	all := []trial{
		try("AuthorizeSecurityGroupIngress", (*ec2.Client).AuthorizeSecurityGroupIngress,
			&ec2.AuthorizeSecurityGroupIngressInput{DryRun: dry, GroupId: group, IpPermissions: rules}),
		try("RevokeSecurityGroupIngress", (*ec2.Client).RevokeSecurityGroupIngress,
			&ec2.RevokeSecurityGroupIngressInput{DryRun: dry, GroupId: group, IpPermissions: rules}),
	}
	if create {
		all = append(all, try("CreateSecurityGroup", (*ec2.Client).CreateSecurityGroup, &ec2.CreateSecurityGroupInput{
			DryRun: dry, GroupName: &body.GroupName, Description: &body.Description, VpcId: vpc,
			TagSpecifications: c.tags(change, types.ResourceTypeSecurityGroup),
		}))
	}
	return all
}

// changingServer returns the trial of a launch. With an instance profile that exists, EC2
// also checks whether its role may be passed. The calls that give an existing server a
// profile have no dry run.
func (c Config) changingServer(change plan.Change, body stack.Server, create bool) []trial {
	if !create {
		return nil
	}
	in := &ec2.RunInstancesInput{
		DryRun: dry, ImageId: &c.ImageID, InstanceType: types.InstanceType(body.Types[0]),
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		TagSpecifications: c.tags(change, types.ResourceTypeInstance, types.ResourceTypeVolume),
	}
	if subnet, ok := c.Plan.Kept["subnet-1"]; ok {
		in.SubnetId = &subnet.ID // without it, EC2 takes one of the default VPC
	}
	profile := body.Profile.Text
	if kept, ok := c.Plan.Kept[body.Profile.Ref.Address]; ok {
		profile = kept.ID
	}
	if profile != "" {
		in.IamInstanceProfile = &types.IamInstanceProfileSpecification{Name: &profile}
	}
	return []trial{try("RunInstances", (*ec2.Client).RunInstances, in)}
}

func (c Config) changingTemplate(change plan.Change, body stack.LaunchTemplate, create bool) []trial {
	data := &types.RequestLaunchTemplateData{
		ImageId: &c.ImageID, InstanceType: types.InstanceType(body.Type),
	}
	if !create {
		return []trial{
			try("CreateLaunchTemplateVersion", (*ec2.Client).CreateLaunchTemplateVersion,
				&ec2.CreateLaunchTemplateVersionInput{
					DryRun: dry, LaunchTemplateName: &body.TemplateName, LaunchTemplateData: data,
				}),
			try("ModifyLaunchTemplate", (*ec2.Client).ModifyLaunchTemplate, &ec2.ModifyLaunchTemplateInput{
				DryRun: dry, LaunchTemplateName: &body.TemplateName, DefaultVersion: aws.String("1"),
			}),
		}
	}
	return []trial{try("CreateLaunchTemplate", (*ec2.Client).CreateLaunchTemplate, &ec2.CreateLaunchTemplateInput{
		DryRun: dry, LaunchTemplateName: &body.TemplateName, LaunchTemplateData: data,
		TagSpecifications: c.tags(change, types.ResourceTypeLaunchTemplate),
	})}
}

// deleting returns the trials of the deletion of a resource.
func deleting(f plan.Found) []trial {
	switch f.Kind {
	case stack.KindServer:
		return []trial{try("TerminateInstances", (*ec2.Client).TerminateInstances, &ec2.TerminateInstancesInput{
			DryRun: dry, InstanceIds: []string{f.ID},
		})}
	case stack.KindImage:
		return []trial{try("DeregisterImage", (*ec2.Client).DeregisterImage, &ec2.DeregisterImageInput{
			DryRun: dry, ImageId: &f.ID,
		})}
	case stack.KindSecurityGroup:
		return []trial{try("DeleteSecurityGroup", (*ec2.Client).DeleteSecurityGroup, &ec2.DeleteSecurityGroupInput{
			DryRun: dry, GroupId: &f.ID,
		})}
	case stack.KindLaunchTemplate:
		return []trial{try("DeleteLaunchTemplate", (*ec2.Client).DeleteLaunchTemplate, &ec2.DeleteLaunchTemplateInput{
			DryRun: dry, LaunchTemplateName: &f.Name,
		})}
	case stack.KindConnectEndpoint:
		return []trial{try("DeleteInstanceConnectEndpoint", (*ec2.Client).DeleteInstanceConnectEndpoint,
			&ec2.DeleteInstanceConnectEndpointInput{DryRun: dry, InstanceConnectEndpointId: &f.ID})}
	case stack.KindNatGateway:
		return []trial{try("DeleteNatGateway", (*ec2.Client).DeleteNatGateway, &ec2.DeleteNatGatewayInput{
			DryRun: dry, NatGatewayId: &f.ID,
		})}
	case stack.KindElasticIP:
		return []trial{try("ReleaseAddress", (*ec2.Client).ReleaseAddress, &ec2.ReleaseAddressInput{
			DryRun: dry, AllocationId: &f.ID,
		})}
	case stack.KindKeyPair:
		return []trial{try("DeleteKeyPair", (*ec2.Client).DeleteKeyPair, &ec2.DeleteKeyPairInput{
			DryRun: dry, KeyName: &f.ID,
		})}
	}
	return nil
}

// anyKey returns a public key that nobody has the private key of. EC2 checks the form.
func anyKey() []byte {
	key, err := ssh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		panic(fmt.Sprintf("a key of the right size: %v", err))
	}
	return ssh.MarshalAuthorizedKey(key)
}
