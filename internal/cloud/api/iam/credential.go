package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// nothingOf checks a request for what no user of the local cloud has: the user exists, and the
// page too. Clients ask for all of these before they delete a user.
func (a *API) nothingOf(ctx context.Context, name, marker *string, size *int32) error {
	if _, err := userOrCaller(ctx, a.Store.Read(ctx), name); err != nil {
		return err
	}
	_, err := paginate(nil, itself, marker, size)
	return err
}

// ListSigningCertificates lists the signing certificates of a user, who has none.
func (a *API) ListSigningCertificates(
	ctx context.Context, in *iam.ListSigningCertificatesInput,
) (*iam.ListSigningCertificatesOutput, error) {
	if err := a.nothingOf(ctx, in.UserName, in.Marker, in.MaxItems); err != nil {
		return nil, err
	}
	return &iam.ListSigningCertificatesOutput{Certificates: []types.SigningCertificate{}}, nil
}

// ListServiceSpecificCredentials lists the credentials of a user for single services. There are
// none.
func (a *API) ListServiceSpecificCredentials(
	ctx context.Context, in *iam.ListServiceSpecificCredentialsInput,
) (*iam.ListServiceSpecificCredentialsOutput, error) {
	if err := a.nothingOf(ctx, in.UserName, in.Marker, in.MaxItems); err != nil {
		return nil, err
	}
	return &iam.ListServiceSpecificCredentialsOutput{
		ServiceSpecificCredentials: []types.ServiceSpecificCredentialMetadata{},
	}, nil
}
