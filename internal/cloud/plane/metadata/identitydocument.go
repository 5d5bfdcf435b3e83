//go:build linux

package metadata

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"
)

// identityDocument returns the instance identity document (Amazon EC2 User Guide,
// Instance identity documents).
func (i Instance) identityDocument() (string, error) {
	type document struct {
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
	text, err := json.MarshalIndent(document{
		AccountID: i.AccountID, Architecture: i.Architecture, AvailabilityZone: i.Zone,
		ImageID: i.ImageID, InstanceID: i.ID, InstanceType: i.Type,
		PendingTime: i.LaunchTime.UTC().Format(time.RFC3339), PrivateIP: addressText(i.PrivateIP),
		Region: i.Region, Version: "2017-09-30",
	}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode the identity document: %w", err)
	}
	return string(text), nil
}

// addressText returns the address as text, and "" for the zero address.
func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
