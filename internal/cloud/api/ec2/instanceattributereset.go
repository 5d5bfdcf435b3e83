package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// ResetInstanceAttribute sets an attribute of an instance to its default: the source/destination
// check, which is on. Kernels and RAM disks belong to the image, and are its own already.
func (a *API) ResetInstanceAttribute(
	ctx context.Context, in *ec2.ResetInstanceAttributeInput,
) (*ec2.ResetInstanceAttributeOutput, error) {
	if err := required(parameter{"instanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	if err := checkEnum("attribute", in.Attribute); err != nil {
		return nil, err
	}
	switch in.Attribute {
	case "":
		return nil, missingParameter("attribute")
	case types.InstanceAttributeNameSourceDestCheck:
	default:
		return nil, invalidValue("attribute", string(in.Attribute), "It cannot be reset.")
	}
	out := &ec2.ResetInstanceAttributeOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := instances.get(tx, region, *in.InstanceId)
		if err != nil {
			return err
		}
		eni, err := soleInterface(tx, row)
		if err == nil {
			setSourceDestCheck(tx, eni, true)
		}
		return err
	})
}
