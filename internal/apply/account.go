package apply

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// account is the AWS account of the credentials. It is read once.
type account struct {
	sts *sts.Client

	mu    sync.Mutex
	known string
}

// id returns the account's id.
func (a *account) id(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known != "" {
		return a.known, nil
	}
	caller, err := a.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", fmt.Errorf("read the caller's identity: %w", err)
	}
	a.known = aws.ToString(caller.Account)
	return a.known, nil
}
