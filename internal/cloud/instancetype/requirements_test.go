package instancetype_test

import (
	"slices"
	"testing"

	"aloft.dev/aloft/internal/cloud/instancetype"
)

func TestRequirementsChooseTypesByTheirAttributes(t *testing.T) {
	type object map[string]any
	small := object{"VCpuCount": object{"Min": 2, "Max": 2}, "MemoryMiB": object{"Min": 4096, "Max": 8192}}
	for name, test := range map[string]struct {
		more       object
		arm        bool
		first      string // the smallest that matches; "": none does
		with, lack string // types that match, and that do not
	}{
		"vCPUs and memory":      {first: "c5.large", with: "m5.large", lack: "t3.medium"},
		"of ARM":                {arm: true, first: "a1.large", with: "m6g.large", lack: "m5.large"},
		"burstable too":         {more: object{"BurstablePerformance": "included"}, with: "t3.medium", first: "c5.large"},
		"burstable alone":       {more: object{"BurstablePerformance": "required"}, first: "t2.medium", lack: "m5.large"},
		"of the generation":     {more: object{"InstanceGenerations": []string{"current"}}, lack: "m5.large", first: "c5a.large"},
		"of a manufacturer":     {more: object{"CpuManufacturers": []string{"amd"}}, first: "c5a.large", lack: "m5.large"},
		"of memory for a vCPU":  {more: object{"MemoryGiBPerVCpu": object{"Min": 3.5}}, lack: "c5.large", with: "m5.large"},
		"allowed":               {more: object{"AllowedInstanceTypes": []string{"m6*"}}, first: "m6a.large", lack: "m5.large"},
		"excluded":              {more: object{"ExcludedInstanceTypes": []string{"c*", "m5.large"}}, lack: "m5.large"},
		"of bandwidth":          {more: object{"NetworkBandwidthGbps": object{"Min": 20}}, first: "c6in.large", lack: "m5.large"},
		"of volumes":            {more: object{"BaselineEbsBandwidthMbps": object{"Min": 1000}}, lack: "m5.large"},
		"interfaces":            {more: object{"NetworkInterfaceCount": object{"Min": 16}}},
		"without accelerators":  {more: object{"AcceleratorCount": object{"Max": 0}}, first: "c5.large"},
		"with accelerators":     {more: object{"AcceleratorCount": object{"Min": 1}}},
		"types of accelerators": {more: object{"AcceleratorTypes": []string{"gpu"}}},
		"bare metal":            {more: object{"BareMetal": "required"}},
		"local storage":         {more: object{"LocalStorage": "required"}},
		"hibernation":           {more: object{"RequireHibernateSupport": true}},
	} {
		t.Run(name, func(t *testing.T) {
			member := object{}
			for _, part := range []object{small, test.more} {
				for key, value := range part {
					member[key] = value
				}
			}
			q, err := instancetype.ParseRequirements(member)
			if err != nil {
				t.Fatal(err)
			}
			architecture := instancetype.X8664
			if test.arm {
				architecture = instancetype.ARM64
			}
			var names []string
			for _, found := range q.Matching(architecture) {
				names = append(names, found.Name)
			}
			switch none := test.first == "" && test.with == "" && test.lack == ""; {
			case none && len(names) > 0, test.first != "" && (len(names) == 0 || names[0] != test.first),
				test.with != "" && !slices.Contains(names, test.with),
				test.lack != "" && slices.Contains(names, test.lack):
				t.Errorf("found %v", names)
			}
		})
	}
}

func TestRequirementsThatContradictAreRefused(t *testing.T) {
	type object map[string]any
	for name, member := range map[string]object{
		"no vCPUs":  {"MemoryMiB": object{"Min": 0}},
		"no memory": {"VCpuCount": object{"Min": 1}},
		"min > max": {"VCpuCount": object{"Min": 4, "Max": 2}, "MemoryMiB": object{"Min": 0}},
		"both lists": {
			"VCpuCount": object{"Min": 1}, "MemoryMiB": object{"Min": 0},
			"AllowedInstanceTypes": []string{"m*"}, "ExcludedInstanceTypes": []string{"c*"},
		},
	} {
		if _, err := instancetype.ParseRequirements(member); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
