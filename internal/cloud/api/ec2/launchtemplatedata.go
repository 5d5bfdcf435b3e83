package ec2

import (
	"cmp"
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

// checkData refuses data that no template has. EC2 reports other mistakes in a warning and keeps the
// data (Amazon EC2 User Guide, Create an Amazon EC2 launch template: parameters are not fully
// validated). So are parameters that no launch supports: launches from the template refuse them.
func checkData(data *types.RequestLaunchTemplateData, description *string) error {
	if n := len([]rune(aws.ToString(description))); n > maxVersionDescription {
		return invalidValue(
			"versionDescription", *description, fmt.Sprintf("It has more than %d characters.", maxVersionDescription),
		)
	}
	if data == nil {
		return nil
	}
	if err := checkChoice(data.InstanceType, data.InstanceRequirements); err != nil {
		return err
	}
	_, err := tagsOfSpecifications(dataTagSpecifications(data), templateTagTypes...)
	return err
}

// validationWarning returns the error with which any account's launch from the data
// would fail, or nil. Missing parameters are not errors: a launch can supply them.
func validationWarning(data *types.RequestLaunchTemplateData) *types.ValidationWarning {
	in, err := launchInput(data)
	if err == nil {
		in.MinCount, in.MaxCount = aws.Int32(1), aws.Int32(1)
		if in.ImageId == nil {
			in.ImageId = aws.String("any")
		}
		err = cmp.Or(checkLaunch(in), checkGraphics(data))
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

// encodeData encodes a template's data for the store. It omits parameters that are not
// set.
func encodeData(data *types.RequestLaunchTemplateData) (string, error) {
	set := map[string]any{}
	v := reflect.ValueOf(data).Elem()
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() && !v.Field(i).IsZero() {
			set[field.Name] = v.Field(i).Interface()
		}
	}
	text, err := json.Marshal(set)
	if err != nil {
		return "", fmt.Errorf("encode the data of a launch template: %w", err)
	}
	return string(text), nil
}

// readData decodes a version's data into out: the SDK's request data, its response
// data or a RunInstancesInput, whose fields have the same names.
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

// checkGraphics refuses the parameter that templates alone have: its name in RunInstances is another.
func checkGraphics(data *types.RequestLaunchTemplateData) error {
	given := len(data.ElasticGpuSpecifications) > 0 //nolint:staticcheck // clients can still send it
	return unsupported(map[string]bool{"elasticGpuSpecifications": given})
}
