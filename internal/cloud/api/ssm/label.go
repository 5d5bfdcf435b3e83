package ssm

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of labels (AWS Systems Manager API Reference, LabelParameterVersion).
const (
	maxLabels = 10 // of a version and of a request
	maxLabel  = 100
)

var labelForm = regexp.MustCompile(`^[a-zA-Z_.\-][a-zA-Z0-9_.\-]*$`)

// isLabel reports whether a text can be a label: it begins with neither a number nor a reserved word.
func isLabel(text string) bool {
	lower := strings.ToLower(text)
	return labelForm.MatchString(text) && !strings.HasPrefix(lower, "aws") && !strings.HasPrefix(lower, "ssm")
}

// checkLabels refuses labels that violate the model.
func checkLabels(name *string, labels []string) error {
	switch {
	case aws.ToString(name) == "":
		return model.Empty("name")
	case len(labels) == 0, len(labels) > maxLabels:
		return model.ListSize("labels", labels, maxLabels)
	}
	for _, label := range labels {
		if n := utf8.RuneCountInString(label); n == 0 || n > maxLabel {
			return model.Refuse("labels", "["+strings.Join(labels, ", ")+"]", "satisfy constraint: [Member must have "+
				"length less than or equal to %d, Member must have length greater than or equal to 1]", maxLabel)
		}
	}
	return nil
}

// versionNotFound returns the error for a version that a parameter does not have.
func versionNotFound(row *store.Parameter, version int64) error {
	return wire.Errorf(
		"ParameterVersionNotFound",
		"Systems Manager could not find version %d of %s. Verify the version and try again.", version, row.Name,
	)
}

// labelledVersion returns the version of a parameter that has a label.
func labelledVersion(row *store.Parameter, label string) (*store.Parameter, error) {
	for _, v := range versions(row) {
		if slices.Contains(v.Labels, label) {
			return v, nil
		}
	}
	return nil, wire.Errorf(
		"ParameterVersionNotFound",
		"Systems Manager could not find label %s for parameter name %s. Verify the label and try again.",
		label, row.Name,
	)
}

// matchingVersion returns the version of a parameter that matches filters: the one with a label that they ask for, or
// the latest one.
func matchingVersion(row *store.Parameter, filters []types.ParameterStringFilter) (*store.Parameter, bool) {
	all := versions(row)
	if !slices.ContainsFunc(filters, func(f types.ParameterStringFilter) bool { return *f.Key == "Label" }) {
		all = all[len(all)-1:]
	}
	for _, v := range slices.Backward(all) {
		if matchesFilters(v, filters) {
			return v, true
		}
	}
	return nil, false
}

// editLabels changes the labels of a parameter's versions. edit returns those of a version.
func editLabels(tx *store.Tx, row *store.Parameter, edit func(version int64, labels []string) []string) {
	store.Parameters.Edit(tx, row.Key(), func(edited *store.Parameter) {
		edited.Labels = edit(edited.Version, edited.Labels)
		edited.Older = slices.Clone(edited.Older)
		for i := range edited.Older {
			edited.Older[i].Labels = edit(edited.Older[i].Version, edited.Older[i].Labels)
		}
	})
}

// without returns labels without some of them.
func without(labels, removed []string) []string {
	return slices.DeleteFunc(slices.Clone(labels), func(label string) bool { return slices.Contains(removed, label) })
}

// LabelParameterVersion attaches labels to a version. A label that another version has moves. Labels that are not
// possible are in the response, and no others are attached then.
func (a *API) LabelParameterVersion(
	ctx context.Context, in *ssm.LabelParameterVersionInput,
) (*ssm.LabelParameterVersionOutput, error) {
	if err := checkLabels(in.Name, in.Labels); err != nil {
		return nil, err
	}
	out := &ssm.LabelParameterVersionOutput{InvalidLabels: []string{}}
	return out, a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		row, version, err := labelTarget(tx, region, *in.Name, in.ParameterVersion)
		if err != nil {
			return err
		}
		out.ParameterVersion = version.Version
		out.InvalidLabels = slices.DeleteFunc(slices.Clone(in.Labels), isLabel)
		if len(out.InvalidLabels) > 0 {
			return nil
		}
		labels := append(without(version.Labels, in.Labels), unique(in.Labels)...)
		if len(labels) > maxLabels {
			return wire.Errorf("ParameterVersionLabelLimitExceeded", "A parameter version can have maximum %d labels."+
				"Move one or more labels to another version and try again.", maxLabels)
		}
		editLabels(tx, row, func(number int64, old []string) []string {
			if number == version.Version {
				return labels
			}
			return without(old, in.Labels)
		})
		return nil
	})
}

// labelTarget returns the user's parameter with a name and one of its versions, or the latest.
func labelTarget(
	r store.Reader, region identity.Region, name string, number *int64,
) (row, version *store.Parameter, err error) {
	row, ok := findParameter(r, region, name)
	if !ok || store.IsPublicParameter(row.Name) {
		return nil, nil, notFound()
	}
	if number == nil {
		return row, row, nil
	}
	for _, v := range versions(row) {
		if v.Version == *number {
			return row, v, nil
		}
	}
	return nil, nil, versionNotFound(row, *number)
}

// UnlabelParameterVersion removes labels from a version. Those that the version does not have are in the response.
func (a *API) UnlabelParameterVersion(
	ctx context.Context, in *ssm.UnlabelParameterVersionInput,
) (*ssm.UnlabelParameterVersionOutput, error) {
	if err := checkLabels(in.Name, in.Labels); err != nil {
		return nil, err
	}
	if in.ParameterVersion == nil {
		return nil, model.Null("parameterVersion")
	}
	out := &ssm.UnlabelParameterVersionOutput{}
	return out, a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		row, version, err := labelTarget(tx, region, *in.Name, in.ParameterVersion)
		if err != nil {
			return err
		}
		out.RemovedLabels, out.InvalidLabels = []string{}, []string{}
		for _, label := range unique(in.Labels) {
			if slices.Contains(version.Labels, label) {
				out.RemovedLabels = append(out.RemovedLabels, label)
			} else {
				out.InvalidLabels = append(out.InvalidLabels, label)
			}
		}
		editLabels(tx, row, func(number int64, old []string) []string {
			if number == version.Version {
				return without(old, out.RemovedLabels)
			}
			return old
		})
		return nil
	})
}
