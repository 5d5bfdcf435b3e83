package ec2

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestAMemberOfAnItemIsFoundByTheNameOfItsFilter(t *testing.T) {
	item := types.InstanceTypeInfo{
		BareMetal:          aws.Bool(false),
		SupportedBootModes: []types.BootModeType{"legacy-bios", "uefi"},
		VCpuInfo:           &types.VCpuInfo{DefaultCores: aws.Int32(4)},
		InstanceStorageInfo: &types.InstanceStorageInfo{
			Disks: []types.DiskInfo{{Count: aws.Int32(2)}, {Count: aws.Int32(1)}},
		},
	}
	for name, want := range map[string][]string{
		"bare-metal":                         {"false"},
		"supported-boot-mode":                {"legacy-bios", "uefi"},
		"vcpu-info.default-cores":            {"4"},
		"vcpu-info.default-threads-per-core": nil,
		"instance-storage-info.disk.count":   {"2", "1"},
		"hypervisor":                         nil,
		"memory-info.size-in-mib":            nil,
	} {
		if got := member[types.InstanceTypeInfo](name)(nil, item); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// A filter that names no member would never match.
func TestEveryFilterOfInstanceTypesNamesAMember(t *testing.T) {
	for name := range typeFilters {
		at := reflect.TypeFor[types.InstanceTypeInfo]()
		for _, part := range strings.Split(strings.ReplaceAll(name, "-", ""), ".") {
			for at.Kind() == reflect.Pointer || at.Kind() == reflect.Slice {
				at = at.Elem()
			}
			field, ok := at.FieldByNameFunc(func(field string) bool {
				rest, ok := strings.CutPrefix(strings.ToLower(field), part)
				return ok && strings.Trim(rest, "es") == ""
			})
			if !ok {
				t.Errorf("%s: %s has no member %s", name, at, part)
				break
			}
			at = field.Type
		}
	}
}
