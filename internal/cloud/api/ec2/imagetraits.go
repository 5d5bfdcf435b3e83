package ec2

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// sriovSimple is the only value of sriovNetSupport (Amazon EC2 API Reference, RegisterImage).
const sriovSimple = "simple"

// traitsOf returns the traits in a registration, or EC2's error. An image without virtualizationType
// is paravirtual (Amazon EC2 API Reference, RegisterImage).
func traitsOf(in *ec2.RegisterImageInput) (store.ImageTraits, error) {
	kind := cmp.Or(types.VirtualizationType(aws.ToString(in.VirtualizationType)), types.VirtualizationTypeParavirtual)
	traits := store.ImageTraits{
		NoENA: !aws.ToBool(in.EnaSupport), SRIOV: aws.ToString(in.SriovNetSupport),
		BootMode: string(in.BootMode), TPM: string(in.TpmSupport), IMDS: string(in.ImdsSupport),
	}
	if kind != types.VirtualizationTypeHvm {
		traits.Virtualization = string(kind)
	}
	if !slices.Contains(in.Architecture.Values(), in.Architecture) && in.Architecture != "" {
		return traits, wire.Errorf("InvalidParameterValue", "Invalid value '%s' for architecture.", in.Architecture)
	}
	if err := cmp.Or(
		checkEnum("virtualizationType", kind),
		checkEnum("bootMode", in.BootMode), checkEnum("tpmSupport", in.TpmSupport),
		checkEnum("imdsSupport", in.ImdsSupport),
	); err != nil {
		return traits, err
	}
	switch {
	case traits.SRIOV != "" && traits.SRIOV != sriovSimple:
		return traits, invalidValue("sriovNetSupport", traits.SRIOV, "It is not simple.")
	case traits.TPM != "" && in.BootMode != types.BootModeValuesUefi:
		return traits, wire.Errorf("InvalidParameterCombination", "NitroTPM requires the boot mode uefi.")
	}
	return traits, nil
}

// virtualizationOf returns the type of virtualization of an image or its instances.
func virtualizationOf(traits store.ImageTraits) types.VirtualizationType {
	return cmp.Or(types.VirtualizationType(traits.Virtualization), types.VirtualizationTypeHvm)
}

// checkTraits returns an error unless machines of a type run an image with the traits. The messages
// are AWS's, as users of Terraform and CloudMan report them, except that of NitroTPM, which no type
// has here.
func checkTraits(t instancetype.Type, traits store.ImageTraits) error {
	switch {
	case virtualizationOf(traits) != types.VirtualizationTypeHvm:
		return wire.Errorf("InvalidParameterCombination", "Virtualization type 'hvm' is required for instances of "+
			"type '%s'. Ensure that you are using an AMI with virtualization type 'hvm'.", t.Name)
	case traits.NoENA && t.ENASupport == string(types.EnaSupportRequired):
		return wire.Errorf("InvalidParameterCombination", "Enhanced networking with the Elastic Network Adapter (ENA) "+
			"is required for the '%s' instance type. Ensure that you are using an AMI that is enabled for ENA.", t.Name)
	case traits.TPM != "":
		return wire.Errorf("UnsupportedOperation", "The instance type '%s' does not support NitroTPM.", t.Name)
	}
	return nil
}

// imageMetadata returns the metadata options that an image sets for its instances, or nil (Amazon EC2
// User Guide, "Configure instance metadata options for new instances").
func imageMetadata(traits store.ImageTraits) *types.InstanceMetadataOptionsRequest {
	if traits.IMDS == "" {
		return nil
	}
	return &types.InstanceMetadataOptionsRequest{
		HttpTokens: types.HttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(2),
	}
}

// bootModeOf returns how an instance boots, as its image says.
func bootModeOf(traits store.ImageTraits) types.InstanceBootModeValues {
	if traits.BootMode == string(types.BootModeValuesUefi) {
		return types.InstanceBootModeValuesUefi
	}
	return types.InstanceBootModeValuesLegacyBios
}
