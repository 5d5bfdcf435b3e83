// Package sts serves the AWS Security Token Service of the local cloud: it identifies
// callers.
package sts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/wire"
)

// API implements the operations of AWS STS (AWS Security Token Service API Reference).
type API struct{}

// New returns an API.
func New() *API { return &API{} }

// userID is the id of the local cloud's only user. AWS's ids of IAM users consist of
// AIDA and 17 letters and digits.
const userID = "AIDAALOFTLOCALCLOUD00"

// GetCallerIdentity returns the account, the ARN and the id of the user who signed the
// request.
func (a *API) GetCallerIdentity(
	ctx context.Context, _ *sts.GetCallerIdentityInput,
) (*sts.GetCallerIdentityOutput, error) {
	account := wire.CallerFrom(ctx).AccountID
	arn, id := "arn:aws:iam::"+account+":user/aloft", userID
	return &sts.GetCallerIdentityOutput{Account: &account, Arn: &arn, UserId: &id}, nil
}
