//go:build linux

package cloud

import (
	"encoding/base64"
	"net"
	"net/netip"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/activekey"
	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/plane/metadata"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// instanceMetadata looks up instances for the metadata service.
type instanceMetadata struct {
	store       *store.Store
	credentials *instanceCredentials
	keys        *activekey.Set
}

// Instance returns the instance with an IP address in the VPC.
func (m instanceMetadata) Instance(vpcID string, address netip.Addr) (metadata.Instance, bool) {
	view := m.store.View()
	eni, ok := store.NetworkInterfaceInVPC(view, vpcID, address)
	if !ok {
		return metadata.Instance{}, false
	}
	row, ok := store.Instances.Get(view, eni.InstanceID)
	if !ok {
		return metadata.Instance{}, false
	}
	i := describeInstance(view, row)
	i.Profile = m.profile(view, row)
	i.ActiveKeys = m.keys.Of(row.ID)
	return i, true
}

// profile returns the profile of an instance, nil if it has none.
func (m instanceMetadata) profile(view store.Reader, row *store.Instance) *metadata.Profile {
	if row.ProfileARN == "" {
		return nil
	}
	p := &metadata.Profile{ARN: row.ProfileARN}
	name := row.ProfileARN[strings.LastIndex(row.ProfileARN, "/")+1:]
	found, ok := store.InstanceProfiles.Get(view, store.NameKey(row.Region, name))
	if !ok || found.ARN != row.ProfileARN {
		return p
	}
	p.ID = found.ID
	if role, ok := store.Roles.Get(view, store.NameKey(row.Region, found.Role)); ok && found.Role != "" {
		p.Role = role.Name
		p.Credentials = func() (metadata.Credentials, error) { return m.credentials.of(row.ID, role) }
	}
	return p
}

// describeInstance returns what the metadata service serves about an instance.
func describeInstance(view store.Reader, row *store.Instance) metadata.Instance {
	i := metadata.Instance{
		ID:              row.ID,
		ImageID:         row.ImageID,
		Type:            row.Type,
		Architecture:    string(instancetype.ArchitectureOf(row.Type)),
		AccountID:       row.Region.Account(),
		Region:          row.Region.Name(),
		Zone:            row.Zone,
		VPCID:           row.VPCID,
		KeyName:         row.KeyName,
		ReservationID:   row.ReservationID,
		LaunchIndex:     int(row.LaunchIndex),
		LaunchTime:      row.LaunchTime,
		Tags:            row.Tags,
		TagsEnabled:     row.MetadataTags == "enabled",
		EndpointEnabled: row.MetadataEndpoint != "disabled",
		IPv6Enabled:     row.MetadataIPv6,
		TokensRequired:  row.MetadataTokens == "required",
		HopLimit:        int(row.MetadataHopLimit),
	}
	for n, id := range addressing.InterfaceIDsOf(view, row.ID) {
		eni, _ := store.NetworkInterfaces.Get(view, id)
		if n == 0 {
			i.Interface = describeInterface(view, eni)
		} else {
			i.Others = append(i.Others, describeInterface(view, eni))
		}
	}
	if member, ok := store.ScalingInstances.Get(view, row.ID); ok {
		i.TargetLifecycleState = scalinggroup.TargetLifecycleState(member)
	}
	if data, err := base64.StdEncoding.DecodeString(row.UserData); err == nil && row.UserData != "" {
		i.UserData = data
	}
	if volume, ok := store.Volumes.Get(view, row.RootVolumeID); ok {
		i.RootDevice = volume.Device
	}
	i.Devices, i.Spot = startedWith(view, row), row.SpotRequestID != ""
	if subnet, ok := store.Subnets.Get(view, row.SubnetID); ok {
		i.ZoneID = subnet.ZoneID
	}
	if vpc, ok := store.VPCs.Get(view, row.VPCID); ok {
		i.VPCCIDRs, i.VPCIPv6 = vpc.Blocks(), vpc.IPv6Blocks()
	}
	if row.KeyName != "" {
		for _, key := range store.KeyPairsByName.List(view, row.Region.Key(row.KeyName)) {
			i.PublicKey = strings.TrimSpace(key.PublicKey)
		}
	}
	return i
}

// startedWith returns the devices of the volumes that an instance had besides its root volume
// when it was last started, in their order. The metadata lists only those (Amazon EC2 User Guide,
// Instance metadata categories).
func startedWith(view store.Reader, row *store.Instance) []string {
	var devices []string
	for _, v := range store.VolumesByInstance.List(view, row.ID) {
		if v.ID != row.RootVolumeID && !v.AttachedAt.After(row.LaunchTime) {
			devices = append(devices, v.Device)
		}
	}
	slices.Sort(devices)
	return devices
}

// privateName returns the private DNS name of an interface, which for the primary one of an instance
// is the instance's.
func privateName(view store.Reader, eni *store.NetworkInterface) string {
	if row, ok := store.Instances.Get(view, eni.InstanceID); ok && eni.DeviceIndex == 0 {
		return dnsname.PrivateOf(row, eni.PrivateIP)
	}
	return dnsname.Private(eni.Region.Name(), eni.PrivateIP)
}

// describeInterface returns what the metadata service serves about a network interface.
func describeInterface(view store.Reader, eni *store.NetworkInterface) metadata.Interface {
	i := metadata.Interface{
		InterfaceID:      eni.ID,
		DeviceNumber:     int(eni.DeviceIndex),
		SubnetID:         eni.SubnetID,
		PrivateIP:        eni.PrivateIP,
		PrivateName:      privateName(view, eni),
		PublicIP:         eni.PublicIP,
		SecurityGroupIDs: eni.GroupIDs,
		IPv6:             eni.IPv6,
	}
	i.MAC, _ = net.ParseMAC(eni.MAC) // a row without a valid address has none
	for _, address := range eni.Secondary {
		i.Secondary = append(i.Secondary, metadata.Address(address))
	}
	if subnet, ok := store.Subnets.Get(view, eni.SubnetID); ok {
		i.SubnetCIDR, i.SubnetIPv6 = subnet.CIDR, subnet.IPv6.CIDR
	}
	for _, id := range eni.GroupIDs {
		if group, ok := store.SecurityGroups.Get(view, id); ok {
			i.SecurityGroups = append(i.SecurityGroups, group.Name)
		}
	}
	return i
}
