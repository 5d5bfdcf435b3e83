// Package sts answers AWS's Security Token Service for the local cloud: who
// am I.
package sts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/wire"
)

// API serves the operations of AWS STS. Facts of their answers: AWS Security
// Token Service API Reference.
type API struct{}

// New makes the API.
func New() *API { return &API{} }

// userID is the local cloud's one user; AWS's ids of IAM users are AIDA and 17
// letters and digits.
const userID = "AIDAALOFTLOCALCLOUD00"

// GetCallerIdentity tells account, ARN and id of whoever signed the request.
func (a *API) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	account := wire.CallerFrom(ctx).AccountID
	arn, id := "arn:aws:iam::"+account+":user/aloft", userID
	return &sts.GetCallerIdentityOutput{Account: &account, Arn: &arn, UserId: &id}, nil
}
