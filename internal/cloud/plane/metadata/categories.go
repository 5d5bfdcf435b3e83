package metadata

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// categories gives the values below /latest/meta-data by their paths (Amazon EC2
// User Guide, Instance metadata categories).
func (i Instance) categories() map[string]string {
	all := map[string]string{
		"ami-id": i.ImageID, "ami-launch-index": strconv.Itoa(i.LaunchIndex), "ami-manifest-path": "(unknown)",
		"hostname": i.PrivateName, "instance-action": "none", "instance-id": i.ID, "instance-life-cycle": "on-demand", "instance-type": i.Type,
		"local-hostname": i.PrivateName, "local-ipv4": i.PrivateIP.String(), "mac": i.MAC.String(), "profile": "default-hvm",
		"block-device-mapping/ami": "xvda", "block-device-mapping/root": "/dev/xvda",
		"placement/availability-zone": i.Zone, "placement/availability-zone-id": i.ZoneID, "placement/region": i.Region,
		"reservation-id": i.ReservationID, "security-groups": strings.Join(i.SecurityGroups, "\n"),
		"services/domain": "amazonaws.com", "services/partition": "aws", "system": "nitro",
	}
	device := map[string]string{
		"device-number": "0", "interface-id": i.InterfaceID, "local-hostname": i.PrivateName, "local-ipv4s": i.PrivateIP.String(), "mac": i.MAC.String(),
		"owner-id": i.AccountID, "security-group-ids": strings.Join(i.SecurityGroupIDs, "\n"), "security-groups": strings.Join(i.SecurityGroups, "\n"),
		"subnet-id": i.SubnetID, "subnet-ipv4-cidr-block": i.SubnetCIDR.String(), "vpc-id": i.VPCID,
		"vpc-ipv4-cidr-block": i.VPCCIDR.String(), "vpc-ipv4-cidr-blocks": i.VPCCIDR.String(),
	}
	if i.PublicIP.IsValid() {
		all["public-ipv4"], device["public-ipv4s"] = i.PublicIP.String(), i.PublicIP.String()
		device["ipv4-associations/"+i.PublicIP.String()] = i.PrivateIP.String()
		if i.PublicName != "" {
			all["public-hostname"], device["public-hostname"] = i.PublicName, i.PublicName
		}
	}
	if i.PublicKey != "" {
		all["public-keys/0/openssh-key"] = strings.TrimSuffix(i.PublicKey, "\n") + "\n"
	}
	if i.TargetLifecycleState != "" {
		all["autoscaling/target-lifecycle-state"] = i.TargetLifecycleState
	}
	if i.TagsEnabled {
		for key, value := range i.Tags {
			all["tags/instance/"+key] = value
		}
	}
	for name, value := range device {
		all["network/interfaces/macs/"+i.MAC.String()+"/"+name] = value
	}
	return all
}

// metadataAt gives the value at a path below /latest/meta-data, or the list of what
// is below it: folders end in a slash, keys are listed by number and name.
func (i Instance) metadataAt(path string) (string, bool) {
	leaves := i.categories()
	path = strings.Trim(path, "/")
	if value, ok := leaves[path]; ok {
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
	for leaf := range leaves {
		rest, below := strings.CutPrefix(leaf, prefix)
		if !below {
			continue
		}
		name, _, folder := strings.Cut(rest, "/")
		if folder {
			name += "/"
		}
		if strings.HasPrefix(prefix, "public-keys/") {
			name = strings.TrimSuffix(name, "/")
		}
		names[name] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), "\n"), len(names) > 0
}

// identityDocument is the instance identity document (Amazon EC2 User Guide, Instance
// identity documents).
func (i Instance) identityDocument() (string, error) {
	type identity struct {
		AccountID               string   `json:"accountId"`
		Architecture            string   `json:"architecture"`
		AvailabilityZone        string   `json:"availabilityZone"`
		BillingProducts         []string `json:"billingProducts"`
		DevpayProductCodes      []string `json:"devpayProductCodes"`
		MarketplaceProductCodes []string `json:"marketplaceProductCodes"`
		ImageID                 string   `json:"imageId"`
		InstanceID              string   `json:"instanceId"`
		InstanceType            string   `json:"instanceType"`
		KernelID                *string  `json:"kernelId"`
		PendingTime             string   `json:"pendingTime"`
		PrivateIP               string   `json:"privateIp"`
		RamdiskID               *string  `json:"ramdiskId"`
		Region                  string   `json:"region"`
		Version                 string   `json:"version"`
	}
	text, err := json.MarshalIndent(identity{
		AccountID: i.AccountID, Architecture: i.Architecture, AvailabilityZone: i.Zone, ImageID: i.ImageID, InstanceID: i.ID,
		InstanceType: i.Type, PendingTime: i.LaunchTime.UTC().Format(time.RFC3339), PrivateIP: text(i.PrivateIP), Region: i.Region, Version: "2017-09-30",
	}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("write the identity document: %w", err)
	}
	return string(text), nil
}

func text(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
