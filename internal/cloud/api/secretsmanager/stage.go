package secretsmanager

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// The staging labels that Secrets Manager itself moves (AWS Secrets Manager User Guide,
// What's in a Secrets Manager secret?, Secret version).
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

// Limits of staging labels and versions (AWS Secrets Manager User Guide, Quotas).
const (
	maxStages      = 20
	maxStageLength = 256
	maxVersions    = 100
)

// keepDeprecated is how long a version without staging labels remains at least.
const keepDeprecated = 24 * time.Hour

func checkStage(member, stage string) error {
	switch {
	case stage == "":
		return model.Empty(member)
	case len(stage) > maxStageLength:
		return model.TooLong(member, maxStageLength)
	}
	return nil
}

// versionWith returns the index of the version with a staging label, or -1.
func versionWith(versions []store.SecretVersion, stage string) int {
	return slices.IndexFunc(versions, func(v store.SecretVersion) bool { return slices.Contains(v.Stages, stage) })
}

// withStage returns the versions after the label has moved to the version with the
// index. With AWSCURRENT moves AWSPREVIOUS, to the version that was current.
func withStage(versions []store.SecretVersion, to int, stage string) []store.SecretVersion {
	from := versionWith(versions, stage)
	if from == to {
		return versions
	}
	versions = withoutStage(versions, stage)
	versions[to].Stages = addStage(versions[to].Stages, stage)
	if stage == current && from >= 0 {
		versions = withoutStage(versions, previous)
		versions[from].Stages = addStage(versions[from].Stages, previous)
	}
	return versions
}

// withoutStage returns a copy of the versions without the label.
func withoutStage(versions []store.SecretVersion, stage string) []store.SecretVersion {
	versions = slices.Clone(versions)
	for i := range versions {
		versions[i].Stages = slices.DeleteFunc(
			slices.Clone(versions[i].Stages), func(s string) bool { return s == stage },
		)
	}
	return versions
}

func addStage(stages []string, stage string) []string {
	stages = append(slices.Clip(stages), stage)
	slices.Sort(stages)
	return stages
}

// addVersion adds a version with staging labels to the secret. The first version of a
// secret is current.
func (a *API) addVersion(row *store.Secret, v store.SecretVersion, stages []string) error {
	versions := append(slices.Clip(row.Versions), v)
	if len(stages) == 0 || len(versions) == 1 && !slices.Contains(stages, current) {
		stages = append(slices.Clip(stages), current)
	}
	for _, stage := range stages {
		versions = withStage(versions, len(versions)-1, stage)
	}
	if len(versions) > maxVersions {
		oldest := slices.IndexFunc(versions, func(v store.SecretVersion) bool {
			return len(v.Stages) == 0 && a.Now().Sub(v.Created) > keepDeprecated
		})
		if oldest < 0 {
			return wire.Errorf(
				"LimitExceededException", "You can't create more than %d versions of a secret.", maxVersions,
			)
		}
		versions = slices.Delete(versions, oldest, oldest+1)
	}
	row.Versions, row.Changed = versions, a.Now()
	return nil
}

// UpdateSecretVersionStage moves a staging label from one version to another, or adds or
// removes it.
func (a *API) UpdateSecretVersionStage(
	ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput,
) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	if err := checkStage("versionStage", aws.ToString(in.VersionStage)); err != nil {
		return nil, err
	}
	out := &secretsmanager.UpdateSecretVersionStageOutput{}
	return out, a.edit(ctx, in.SecretId, func(row *store.Secret) error {
		out.ARN, out.Name = aws.String(row.ARN), aws.String(row.Name)
		to, err := checkMove(row.Versions, *in.VersionStage, in.MoveToVersionId, in.RemoveFromVersionId)
		switch {
		case err != nil:
			return err
		case to < 0:
			row.Versions = withoutStage(row.Versions, *in.VersionStage)
		default:
			row.Versions = withStage(row.Versions, to, *in.VersionStage)
		}
		row.Changed = a.Now()
		return nil
	})
}

// checkMove returns the index of the version to which a label moves, or -1 if it is
// removed. It refuses moves that do not name the version that has the label.
func checkMove(versions []store.SecretVersion, stage string, moveTo, removeFrom *string) (to int, err error) {
	if moveTo == nil && removeFrom == nil {
		return 0, invalid.Errorf("You must provide a MoveToVersionId, a RemoveFromVersionId, or both.")
	}
	from, err := versionNamed(versions, removeFrom)
	if err != nil {
		return 0, err
	}
	if to, err = versionNamed(versions, moveTo); err != nil {
		return 0, err
	}
	holder := versionWith(versions, stage)
	switch {
	case removeFrom != nil && from != holder:
		return 0, invalid.Errorf("Version stage %s not found in version %s", stage, *removeFrom)
	case moveTo == nil && stage == current:
		return 0, invalid.Errorf(
			"You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
		)
	case moveTo == nil:
		return -1, nil
	case removeFrom == nil && holder >= 0 && holder != to:
		return 0, invalid.Errorf(
			"The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, "+
				"so you must explicitly reference that version in RemoveFromVersionId.", stage, versions[holder].ID,
		)
	case !slices.Contains(versions[to].Stages, stage) && len(versions[to].Stages) >= maxStages:
		return 0, wire.Errorf("LimitExceededException", "A version can have at most %d staging labels.", maxStages)
	}
	return to, nil
}

// versionNamed returns the index of the version with an id, or -1 if id is nil.
func versionNamed(versions []store.SecretVersion, id *string) (int, error) {
	if id == nil {
		return -1, nil
	}
	i := slices.IndexFunc(versions, func(v store.SecretVersion) bool { return v.ID == *id })
	if i < 0 {
		return 0, invalid.Errorf("Not a valid version: %s", *id)
	}
	return i, nil
}
