package ec2

import (
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestAnElasticIPHasAReverseName(t *testing.T) {
	c := newCloud(t)
	address := do(c, c.AllocateAddress, &ec2.AllocateAddressInput{})
	modify := func(name string) *ec2.ModifyAddressAttributeInput {
		return &ec2.ModifyAddressAttributeInput{AllocationId: address.AllocationId, DomainName: &name}
	}
	record := func() *string {
		all := do(c, c.DescribeAddressesAttribute, &ec2.DescribeAddressesAttributeInput{
			AllocationIds: []string{*address.AllocationId}, Attribute: types.AddressAttributeNameDomainName,
		}).Addresses
		if len(all) == 0 {
			return nil
		}
		return all[0].PtrRecord
	}
	resolve := func() string {
		name, _ := dnsname.Resolver{Store: c.Store}.Name("vpc-1", netip.MustParseAddr(*address.PublicIp))
		return name
	}
	wantError(c, c.ModifyAddressAttribute, modify("mail.example.com"),
		"InvalidParameterValue: Value (mail.example.com) for parameter domainName is invalid. "+
			"No record of type A leads from the name to "+*address.PublicIp+".")
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.HostedZones.Put(tx, &store.HostedZone{ID: "Z1", Name: "example.com."})
		store.RecordSets.Put(tx, &store.RecordSet{
			ZoneID: "Z1", Name: "mail.example.com.", Type: "A", Values: []string{*address.PublicIp},
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	changing := do(c, c.ModifyAddressAttribute, modify("Mail.example.com")).Address
	if u := changing.PtrRecordUpdate; u == nil || *u.Value != "mail.example.com." || *u.Status != "PENDING" {
		t.Errorf("the change is %+v", changing)
	}
	if got := aws.ToString(record()); got != "mail.example.com." || resolve() != got {
		t.Errorf("the name is %q, resolvers answer %q", got, resolve())
	}
	release := &ec2.ReleaseAddressInput{AllocationId: address.AllocationId}
	wantError(c, c.ReleaseAddress, release, "InvalidAddress.Locked: The address with allocation id ["+
		*address.AllocationId+"] cannot be released because it is locked to your account.")
	do(c, c.ResetAddressAttribute, &ec2.ResetAddressAttributeInput{
		AllocationId: address.AllocationId, Attribute: types.AddressAttributeNameDomainName,
	})
	if got := record(); got != nil || resolve() != "" {
		t.Errorf("after a reset, the name is %q, resolvers answer %q", *got, resolve())
	}
	do(c, c.ReleaseAddress, release)
}
