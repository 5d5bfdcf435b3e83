package iam

import (
	"context"
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/servicerole"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of service-linked roles (IAM API Reference, CreateServiceLinkedRole).
const (
	maxServiceName = 128
	maxSuffix      = 64
	maxTaskID      = 1000
)

// CreateServiceLinkedRole creates a role that is linked to a service.
func (a *API) CreateServiceLinkedRole(
	ctx context.Context, in *iam.CreateServiceLinkedRoleInput,
) (*iam.CreateServiceLinkedRoleOutput, error) {
	kind, err := checkLinkedRole(in)
	if err != nil {
		return nil, err
	}
	name := kind.Name
	if in.CustomSuffix != nil {
		name += "_" + *in.CustomSuffix
	}
	row := kind.New(wire.GlobalFrom(ctx), name, a.ids.UniqueID("AROA"), a.now())
	row.Description = aws.ToString(in.Description)
	if err := a.Store.Update(func(tx *store.Tx) error {
		if _, taken := store.Roles.Get(tx, row.Key()); taken {
			return invalidInput(
				"Service role name %s has been taken in this account, please try a different suffix.", name)
		}
		store.Roles.Put(tx, row)
		return nil
	}); err != nil {
		return nil, err
	}
	out := describeRole(row)
	out.MaxSessionDuration, out.Description = nil, nil // only reads return them
	return &iam.CreateServiceLinkedRoleOutput{Role: &out}, nil
}

// checkLinkedRole returns the kind of the role that a request describes.
func checkLinkedRole(in *iam.CreateServiceLinkedRoleInput) (servicerole.Kind, error) {
	var none servicerole.Kind
	switch {
	case in.AWSServiceName == nil:
		return none, model.Null("aWSServiceName")
	case *in.AWSServiceName == "":
		return none, model.TooShort("aWSServiceName", 1)
	case len(*in.AWSServiceName) > maxServiceName:
		return none, model.TooLong("aWSServiceName", maxServiceName)
	}
	if err := checkDescription(in.Description, descriptionForm); err != nil {
		return none, err
	}
	if in.CustomSuffix != nil {
		if err := checkName("customSuffix", in.CustomSuffix, maxSuffix); err != nil {
			return none, err
		}
	}
	kind, ok := servicerole.Find(*in.AWSServiceName)
	switch {
	case !ok:
		return none, wire.NotImplemented("service-linked roles of %s", *in.AWSServiceName)
	case in.CustomSuffix != nil && !kind.Suffixed:
		return none, invalidInput("Custom suffix is not allowed for %s", kind.Service)
	}
	return kind, nil
}

// protected returns the error for a change of a role that is linked to a service.
func protected(row *store.Role) error {
	return wire.Errorf("UnmodifiableEntity",
		"Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", row.Name)
}

// checkLinked refuses to change more of a role that is linked to a service than its description and
// its tags.
func checkLinked(old, changed *store.Role) error {
	same := old.Trust == changed.Trust && old.MaxSession == changed.MaxSession && old.Boundary == changed.Boundary &&
		slices.Equal(old.Attached, changed.Attached) && maps.Equal(old.Inline, changed.Inline)
	if old.Service == "" || same {
		return nil
	}
	return protected(old)
}

// DeleteServiceLinkedRole deletes a role that is linked to a service, unless it is in use. The task
// that does is done at once.
func (a *API) DeleteServiceLinkedRole(
	ctx context.Context, in *iam.DeleteServiceLinkedRoleInput,
) (*iam.DeleteServiceLinkedRoleOutput, error) {
	task := &store.RoleDeletion{Account: wire.GlobalFrom(ctx), Created: a.now()}
	return &iam.DeleteServiceLinkedRoleOutput{DeletionTaskId: &task.ID}, a.Store.Update(func(tx *store.Tx) error {
		row, err := findRole(ctx, tx, in.RoleName)
		switch {
		case err != nil:
			return err
		case row.Service == "":
			return noSuchEntity("There is no service-linked role with name %s.", row.Name)
		}
		task.ID = "task" + row.Path + row.Name + "/" + a.ids.UUID()
		if task.Usage = servicerole.Usage(tx, row); len(task.Usage) == 0 {
			store.Roles.Delete(tx, row.Key())
		}
		store.RoleDeletions.Put(tx, task)
		return nil
	})
}

var taskForm = regexp.MustCompile(`^task/aws-service-role/[\w.-]+/[\w+=,.@-]+/[\w-]+$`)

// GetServiceLinkedRoleDeletionStatus returns whether a task has deleted a role, or what the role is in
// use for.
func (a *API) GetServiceLinkedRoleDeletionStatus(
	ctx context.Context, in *iam.GetServiceLinkedRoleDeletionStatusInput,
) (*iam.GetServiceLinkedRoleDeletionStatusOutput, error) {
	switch id := in.DeletionTaskId; {
	case id == nil:
		return nil, model.Null("deletionTaskId")
	case len(*id) > maxTaskID:
		return nil, model.TooLong("deletionTaskId", maxTaskID)
	case !taskForm.MatchString(*id):
		return nil, invalidInput("Invalid deletion task id: %s", *id)
	}
	task, ok := store.RoleDeletions.Get(a.Store.Read(ctx), *in.DeletionTaskId)
	if !ok || task.Account != wire.GlobalFrom(ctx) {
		return nil, noSuchEntity("Deletion task %s cannot be found.", *in.DeletionTaskId)
	}
	if len(task.Usage) == 0 {
		return &iam.GetServiceLinkedRoleDeletionStatusOutput{Status: types.DeletionTaskStatusTypeSucceeded}, nil
	}
	return &iam.GetServiceLinkedRoleDeletionStatusOutput{
		Status: types.DeletionTaskStatusTypeFailed,
		Reason: &types.DeletionTaskFailureReasonType{
			Reason: aws.String("The role is in use: delete the resources that it is in use for."),
			RoleUsageList: convert(task.Usage, func(u store.RoleUsage) types.RoleUsageType {
				return types.RoleUsageType{Region: &u.Region, Resources: u.Resources}
			}),
		},
	}, nil
}
