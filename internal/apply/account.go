package apply

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/preflight"
)

// account is the AWS account of the credentials. It is read once.
type account struct {
	sts *sts.Client

	mu    sync.Mutex
	known preflight.Caller
}

// id returns the account's id.
func (a *account) id(ctx context.Context) (string, error) {
	caller, err := a.caller(ctx)
	return caller.Account, err
}

// caller returns the identity of the credentials.
func (a *account) caller(ctx context.Context) (preflight.Caller, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known.Account != "" {
		return a.known, nil
	}
	identity, err := a.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return preflight.Caller{}, fmt.Errorf("read the caller's identity: %w", err)
	}
	a.known = preflight.Caller{Account: aws.ToString(identity.Account), ARN: aws.ToString(identity.Arn)}
	return a.known, nil
}
