//go:build linux

package cloud

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/activekey"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestInstanceMetadataJoinsTheRowsOfAnInstance(t *testing.T) {
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	ip, cidr := netip.MustParseAddr("10.0.1.5"), netip.MustParsePrefix("10.0.0.0/16")
	err = s.Update(func(tx *store.Tx) error {
		store.VPCs.Put(tx, &store.VPC{ID: "vpc-1", Region: "us-east-1", CIDR: cidr})
		store.Subnets.Put(tx, &store.Subnet{
			ID: "subnet-1", Region: "us-east-1", VPCID: "vpc-1", CIDR: cidr, ZoneID: "use1-az1",
		})
		store.SecurityGroups.Put(tx, &store.SecurityGroup{ID: "sg-1", Region: "us-east-1", Name: "web"})
		store.KeyPairs.Put(tx, &store.KeyPair{
			ID: "key-1", Region: "us-east-1", Name: "ops", PublicKey: "ssh-ed25519 AAAA\n",
		})
		store.Instances.Put(tx, &store.Instance{
			ID: "i-1", Region: "us-east-1", VPCID: "vpc-1", SubnetID: "subnet-1", KeyName: "ops", UserData: "aGVsbG8=",
			RootVolumeID: "vol-1", LaunchTime: time.Unix(1e9, 0),
		})
		for id, volume := range map[string]store.Volume{
			"vol-1": {Device: "/dev/xvda"}, "vol-2": {Device: "/dev/sdg"}, "vol-3": {Device: "/dev/sdf"},
			"vol-4": {Device: "/dev/sdh", AttachedAt: time.Unix(2e9, 0)}, // after the last start
		} {
			volume.ID, volume.Region, volume.InstanceID = id, "us-east-1", "i-1"
			store.Volumes.Put(tx, &volume)
		}
		store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
			ID: "eni-1", Region: "us-east-1", VPCID: "vpc-1", SubnetID: "subnet-1", InstanceID: "i-1", PrivateIP: ip,
			GroupIDs: []string{"sg-1"},
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var keys activekey.Set
	keys.Push("i-1", "admin", "ssh-ed25519 BBBB")
	source := instanceMetadata{store: s, keys: &keys}
	got, ok := source.Instance("vpc-1", ip)
	if !ok {
		t.Fatal("the instance was not found")
	}
	if got.ID != "i-1" || !slices.Equal(got.VPCCIDRs, []netip.Prefix{cidr}) ||
		got.ZoneID != "use1-az1" || string(got.UserData) != "hello" ||
		got.PublicKey != "ssh-ed25519 AAAA" || got.PrivateName != "ip-10-0-1-5.ec2.internal" ||
		!slices.Equal(got.SecurityGroups, []string{"web"}) ||
		got.RootDevice != "/dev/xvda" || !slices.Equal(got.Devices, []string{"/dev/sdf", "/dev/sdg"}) ||
		!slices.Equal(got.ActiveKeys["admin"], []string{"ssh-ed25519 BBBB"}) {
		t.Errorf("got %+v", got)
	}
	if err := s.Update(func(tx *store.Tx) error {
		store.Instances.Edit(tx, "i-1", func(row *store.Instance) { row.ResourceNames.Hostname = true })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got, _ := source.Instance("vpc-1", ip); got.PrivateName != "i-1.ec2.internal" {
		t.Errorf("private name %s", got.PrivateName)
	}
	if _, ok := source.Instance("vpc-2", ip); ok {
		t.Error("found the instance in another VPC")
	}
}
