package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/managedpolicy"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxAttached is how many managed policies a user, a group or a role may have.
const maxAttached = 10

// attach attaches a managed policy. It succeeds if the holder has the policy already.
func (a *API) attach(ctx context.Context, h holder, name, policy *string) error {
	if err := checkAttachable(policy); err != nil {
		return err
	}
	return h.edit(a, ctx, name, func(tx *store.Tx, _ string, p *store.Permissions) error {
		if !policyExists(ctx, tx, *policy) {
			return notAttachable("Policy "+*policy, *policy)
		}
		if slices.Contains(p.Attached, *policy) {
			return nil
		}
		if strings.HasPrefix(*policy, managedpolicy.Prefix+managedpolicy.ServiceRoles) {
			return wire.Errorf("PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.")
		}
		if len(p.Attached) >= maxAttached {
			return quotaExceeded(h.quota, maxAttached)
		}
		p.Attached = append(slices.Clone(p.Attached), *policy)
		return nil
	})
}

// checkAttachable refuses a text that is not the ARN of a policy. Its message is that of the
// operations that attach and detach policies.
func checkAttachable(policy *string) error {
	if policy != nil && len(*policy) >= minARN && !policyARNForm.MatchString(*policy) {
		return invalidInput("ARN %s is not valid.", *policy)
	}
	return checkPolicyARN(policy)
}

// policyExists reports whether the account or AWS has a policy.
func policyExists(ctx context.Context, r store.Reader, arn string) bool {
	if !strings.HasPrefix(arn, managedpolicy.Prefix) && identity.RegionOfARN(arn) != wire.GlobalFrom(ctx) {
		return false
	}
	_, ok := managedpolicy.Document(r, arn)
	return ok
}

// notAttachable returns the error for a policy that nobody can have because it does not
// exist. subject is how the operation calls it.
func notAttachable(subject, arn string) error {
	if strings.HasPrefix(arn, managedpolicy.Prefix) {
		return noSuchEntity("%s does not exist or is not attachable. Of the policies that AWS manages, aloft's "+
			"local cloud has only these: %s", subject, strings.Join(managedNames(), ", "))
	}
	return noSuchEntity("%s does not exist or is not attachable.", subject)
}

func managedNames() []string {
	attachable := slices.DeleteFunc(managedpolicy.All(), func(p managedpolicy.Policy) bool { return p.Path != "" })
	return convert(attachable, func(p managedpolicy.Policy) string { return p.Name })
}

// detach detaches a managed policy.
func (a *API) detach(ctx context.Context, h holder, name, policy *string) error {
	if err := checkAttachable(policy); err != nil {
		return err
	}
	return h.edit(a, ctx, name, func(_ *store.Tx, _ string, p *store.Permissions) error {
		at := slices.Index(p.Attached, *policy)
		if at < 0 {
			return policyNotFound(*policy)
		}
		p.Attached = slices.Delete(slices.Clone(p.Attached), at, at+1)
		return nil
	})
}

// listAttached lists the managed policies of a holder that are below a path.
func (a *API) listAttached(
	ctx context.Context, h holder, name, path, marker *string, size *int32,
) (list[types.AttachedPolicy], error) {
	prefix, err := prefixOf(path)
	if err != nil {
		return list[types.AttachedPolicy]{}, err
	}
	_, permissions, err := h.find(ctx, a.Store.Read(ctx), name)
	if err != nil {
		return list[types.AttachedPolicy]{}, err
	}
	attached := slices.DeleteFunc(slices.Clone(permissions.Attached), func(arn string) bool {
		path, _ := splitPolicyARN(arn)
		return !strings.HasPrefix(path, prefix)
	})
	page, err := paginate(attached, itself, marker, size)
	return list[types.AttachedPolicy]{convert(page.items, describeAttached), page.more, page.marker}, err
}

func describeAttached(arn string) types.AttachedPolicy {
	_, name := splitPolicyARN(arn)
	return types.AttachedPolicy{PolicyArn: &arn, PolicyName: &name}
}

// splitPolicyARN returns the path and the name of a policy in its ARN.
func splitPolicyARN(arn string) (path, name string) {
	_, resource, _ := strings.Cut(arn, ":policy/")
	at := strings.LastIndex(resource, "/") + 1
	return "/" + resource[:at], resource[at:]
}
