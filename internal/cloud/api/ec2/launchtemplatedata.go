package ec2

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func isEmptyData(data *types.RequestLaunchTemplateData) bool {
	return data == nil || reflect.DeepEqual(*data, types.RequestLaunchTemplateData{})
}

// checkData refuses what a launch could not be given either, by name. Other
// mistakes EC2 tells in a warning and keeps (Amazon EC2 User Guide, Create an
// Amazon EC2 launch template: parameters are not fully validated).
func checkData(data *types.RequestLaunchTemplateData, description *string) error {
	if n := len([]rune(aws.ToString(description))); n > maxVersionDescription {
		return invalidValue(
			"versionDescription", *description, fmt.Sprintf("It has more than %d characters.", maxVersionDescription),
		)
	}
	if data == nil {
		return nil
	}
	if err := supportOnly(data, launchParameters...); err != nil {
		return err
	}
	_, err := tagsOfSpecifications(dataTagSpecifications(data), launchTagTypes...)
	return err
}

// validationWarning tells what a launch would be refused for, whatever the account
// holds, or nil. What the data leaves open is no mistake.
func validationWarning(data *types.RequestLaunchTemplateData) *types.ValidationWarning {
	in, err := launchInput(data)
	if err == nil {
		in.MinCount, in.MaxCount = aws.Int32(1), aws.Int32(1)
		if in.ImageId == nil {
			in.ImageId = aws.String("any")
		}
		err = checkLaunch(in)
	}
	if err == nil {
		return nil
	}
	code, text, _ := strings.Cut(err.Error(), ": ")
	return &types.ValidationWarning{Errors: []types.ValidationError{{Code: &code, Message: &text}}}
}

func dataTagSpecifications(data *types.RequestLaunchTemplateData) []types.TagSpecification {
	var out []types.TagSpecification
	for _, s := range data.TagSpecifications {
		out = append(out, types.TagSpecification{ResourceType: s.ResourceType, Tags: s.Tags})
	}
	return out
}

// encodeData writes a template's data as a version keeps it, without what was
// not said.
func encodeData(data *types.RequestLaunchTemplateData) (string, error) {
	said := map[string]any{}
	v := reflect.ValueOf(data).Elem()
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() && !v.Field(i).IsZero() {
			said[field.Name] = v.Field(i).Interface()
		}
	}
	text, err := json.Marshal(said)
	if err != nil {
		return "", fmt.Errorf("write the data of a launch template: %w", err)
	}
	return string(text), nil
}

// readData reads a version's data into out: the SDK's request, its answer or a
// launch, whose fields have the same names.
func readData(v version, out any) error {
	if err := json.Unmarshal([]byte(v.Data), out); err != nil {
		return fmt.Errorf("read version %d of launch template %s: %w", v.Number, v.TemplateID, err)
	}
	return nil
}

func decodeData(v version) (*types.RequestLaunchTemplateData, error) {
	data := &types.RequestLaunchTemplateData{}
	return data, readData(v, data)
}

func responseData(v version) (*types.ResponseLaunchTemplateData, error) {
	data := &types.ResponseLaunchTemplateData{}
	if err := readData(v, data); err != nil {
		return nil, err
	}
	if data.MetadataOptions != nil {
		data.MetadataOptions.State = types.LaunchTemplateInstanceMetadataOptionsStateApplied
	}
	return data, nil
}
