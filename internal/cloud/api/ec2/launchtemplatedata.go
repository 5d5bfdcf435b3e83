package ec2

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

func emptyData(data *types.RequestLaunchTemplateData) bool {
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
	if err := refuseBut(data, launchWishes...); err != nil {
		return err
	}
	_, err := tagsAtCreation(tagsOfData(data), taggedAtLaunch...)
	return err
}

// warningOf tells what a launch would be refused for, whatever the account
// holds, or nil. What the data leaves open is no mistake.
func warningOf(data *types.RequestLaunchTemplateData) *types.ValidationWarning {
	in, err := launchWith(data)
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

func tagsOfData(data *types.RequestLaunchTemplateData) []types.TagSpecification {
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

func answerData(v version) (*types.ResponseLaunchTemplateData, error) {
	data := &types.ResponseLaunchTemplateData{}
	if err := readData(v, data); err != nil {
		return nil, err
	}
	if data.MetadataOptions != nil {
		data.MetadataOptions.State = types.LaunchTemplateInstanceMetadataOptionsStateApplied
	}
	return data, nil
}

// launchWith is a launch with a template's data alone.
func launchWith(data *types.RequestLaunchTemplateData) (*ec2.RunInstancesInput, error) {
	text, err := encodeData(data)
	if err != nil {
		return nil, err
	}
	in := &ec2.RunInstancesInput{}
	return in, readData(&store.LaunchTemplateVersion{Data: text}, in)
}

// overlay replaces in base, a pointer to a structure, each field that over, one
// of the same type, has set.
func overlay(base, over any) {
	to, from := reflect.ValueOf(base).Elem(), reflect.ValueOf(over).Elem()
	for i := range from.NumField() {
		if to.Type().Field(i).IsExported() && !from.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
}

// imageAlias begins an image id that stands for a parameter of Systems Manager
// (Amazon EC2 User Guide, Use a Systems Manager parameter instead of an AMI ID).
const imageAlias = "resolve:ssm:"

// imageID is the id that a launch names its image by, or the one that the
// parameter named has at present. A version of the parameter may be named if it
// is the present one: the local cloud keeps no older ones.
func imageID(r store.Reader, region, name string) (string, error) {
	alias, ok := strings.CutPrefix(name, imageAlias)
	if !ok {
		return name, nil
	}
	path, word, _ := strings.Cut(alias, ":")
	row, ok := store.Parameters.Get(r, region+path)
	if !ok || word != "" && word != strconv.FormatInt(row.Version, 10) {
		return "", wire.Errorf(
			"InvalidParameterValue", "The parameter %s does not exist, or has no version or label of that name.", alias,
		)
	}
	return row.Value, nil
}

// primary is the network interface of device 0, or nil.
func primary(nics []types.InstanceNetworkInterfaceSpecification) *types.InstanceNetworkInterfaceSpecification {
	i := slices.IndexFunc(
		nics,
		func(nic types.InstanceNetworkInterfaceSpecification) bool { return aws.ToInt32(nic.DeviceIndex) == 0 },
	)
	if i < 0 {
		return nil
	}
	return &nics[i]
}
