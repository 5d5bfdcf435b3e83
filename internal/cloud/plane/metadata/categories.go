//go:build linux

package metadata

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// categories returns the values below /latest/meta-data by path (Amazon EC2 User Guide,
// Instance metadata categories).
func (i Instance) categories() map[string]string {
	all := map[string]string{
		"ami-id": i.ImageID, "ami-launch-index": strconv.Itoa(i.LaunchIndex), "ami-manifest-path": "(unknown)",
		"hostname": i.PrivateName, "instance-action": "none", "instance-id": i.ID,
		"instance-life-cycle": "on-demand", "instance-type": i.Type, "local-hostname": i.PrivateName,
		"mac": i.MAC.String(), "profile": "default-hvm",
		"block-device-mapping/ami":    strings.TrimPrefix(i.RootDevice, "/dev/"),
		"block-device-mapping/root":   i.RootDevice,
		"placement/availability-zone": i.Zone, "placement/availability-zone-id": i.ZoneID,
		"placement/region": i.Region, "reservation-id": i.ReservationID,
		"security-groups": strings.Join(i.SecurityGroups, "\n"),
		"services/domain": "amazonaws.com", "services/partition": "aws", "system": "nitro",
	}
	if i.Spot { // without a notice of an interruption, there is no category spot
		all["instance-life-cycle"] = "spot"
	}
	for n, device := range i.Devices {
		all["block-device-mapping/ebs"+strconv.Itoa(n+1)] = strings.TrimPrefix(device, "/dev/")
	}
	if i.PrivateIP.IsValid() {
		all["local-ipv4"] = i.PrivateIP.String()
	}
	if i.PublicIP.IsValid() {
		all["public-ipv4"] = i.PublicIP.String()
		if i.PublicName != "" {
			all["public-hostname"] = i.PublicName
		}
	}
	if len(i.IPv6) > 0 {
		all["ipv6"] = i.IPv6[0].String()
	}
	if i.PublicKey != "" {
		all["public-keys/0/openssh-key"] = strings.TrimSuffix(i.PublicKey, "\n") + "\n"
	}
	for user, keys := range i.ActiveKeys {
		all["managed-ssh-keys/active-keys/"+user] = strings.Join(keys, "\n") + "\n"
	}
	if i.TargetLifecycleState != "" {
		all["autoscaling/target-lifecycle-state"] = i.TargetLifecycleState
	}
	for name := range i.profileCategories() {
		all["iam/"+name] = "" // contentAt makes the document when it is read
	}
	if i.TagsEnabled {
		for key, value := range i.Tags {
			all["tags/instance/"+key] = value
		}
	}
	for _, of := range append([]Interface{i.Interface}, i.Others...) {
		for name, value := range i.interfaceCategories(of) {
			all["network/interfaces/macs/"+of.MAC.String()+"/"+name] = value
		}
	}
	return all
}

// interfaceCategories returns the values of a network interface.
func (i Instance) interfaceCategories(of Interface) map[string]string {
	all := map[string]string{
		"device-number": strconv.Itoa(of.DeviceNumber), "interface-id": of.InterfaceID,
		"local-hostname": of.PrivateName, "mac": of.MAC.String(), "owner-id": i.AccountID,
		"security-group-ids": strings.Join(of.SecurityGroupIDs, "\n"),
		"security-groups":    strings.Join(of.SecurityGroups, "\n"),
		"subnet-id":          of.SubnetID, "vpc-id": i.VPCID,
	}
	if of.SubnetCIDR.IsValid() {
		all["subnet-ipv4-cidr-block"] = of.SubnetCIDR.String()
	}
	if len(i.VPCCIDRs) > 0 {
		all["vpc-ipv4-cidr-block"], all["vpc-ipv4-cidr-blocks"] = i.VPCCIDRs[0].String(), lines(i.VPCCIDRs)
	}
	if len(i.VPCIPv6) > 0 {
		all["vpc-ipv6-cidr-blocks"] = lines(i.VPCIPv6)
	}
	if of.SubnetIPv6.IsValid() {
		all["subnet-ipv6-cidr-blocks"] = of.SubnetIPv6.String()
	}
	if len(of.IPv6) > 0 {
		all["ipv6s"] = lines(of.IPv6)
	}
	var private, public []string
	for _, address := range of.addresses() {
		private = append(private, address.Private.String())
		if address.Public.IsValid() {
			public = append(public, address.Public.String())
			all["ipv4-associations/"+address.Public.String()] = address.Private.String()
		}
	}
	if len(private) > 0 {
		all["local-ipv4s"] = strings.Join(private, "\n")
	}
	if len(public) > 0 {
		all["public-ipv4s"] = strings.Join(public, "\n")
	}
	if of.PublicIP.IsValid() && of.PublicName != "" {
		all["public-hostname"] = of.PublicName
	}
	return all
}

// lines returns values as text, one a line.
func lines[T fmt.Stringer](values []T) string {
	texts := make([]string, 0, len(values))
	for _, v := range values {
		texts = append(texts, v.String())
	}
	return strings.Join(texts, "\n")
}

// metadataAt returns the value at a path below /latest/meta-data, or the list of the
// names below it. Names of directories end in a slash, except those of public keys,
// which are listed by number and name.
func (i Instance) metadataAt(path string) (string, bool) {
	categories := i.categories()
	path = strings.Trim(path, "/")
	if value, ok := categories[path]; ok {
		return value, true
	}
	if path == "public-keys" && i.PublicKey != "" {
		return "0=" + i.KeyName, true
	}
	prefix := path + "/"
	if path == "" {
		prefix = ""
	}
	names := map[string]bool{}
	for category := range categories {
		rest, below := strings.CutPrefix(category, prefix)
		if !below {
			continue
		}
		name, _, directory := strings.Cut(rest, "/")
		if directory && !strings.HasPrefix(prefix, "public-keys/") {
			name += "/"
		}
		names[name] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), "\n"), len(names) > 0
}
