package instancetype_test

import (
	"slices"
	"testing"

	"aloft.dev/aloft/internal/cloud/instancetype"
)

func TestRequirementsChooseTypesByTheirAttributes(t *testing.T) {
	type m map[string]any
	small := m{"VCpuCount": m{"Min": 2, "Max": 2}, "MemoryMiB": m{"Min": 4096, "Max": 8192}}
	for name, test := range map[string]struct {
		more       m
		arm        bool
		first      string // the smallest that matches; "": none does
		with, lack string // types that match, and that do not
	}{
		"vCPUs and memory":      {first: "c5.large", with: "m5.large", lack: "t3.medium"},
		"of ARM":                {arm: true, first: "a1.large", with: "m6g.large", lack: "m5.large"},
		"burstable too":         {more: m{"BurstablePerformance": "included"}, with: "t3.medium"},
		"burstable alone":       {more: m{"BurstablePerformance": "required"}, first: "t2.medium", lack: "m5.large"},
		"of the generation":     {more: m{"InstanceGenerations": []string{"current"}}, first: "c5a.large"},
		"of a manufacturer":     {more: m{"CpuManufacturers": []string{"amd"}}, first: "c5a.large", lack: "m5.large"},
		"of memory for a vCPU":  {more: m{"MemoryGiBPerVCpu": m{"Min": 3.5}}, lack: "c5.large", with: "m5.large"},
		"allowed":               {more: m{"AllowedInstanceTypes": []string{"m6*"}}, first: "m6a.large"},
		"excluded":              {more: m{"ExcludedInstanceTypes": []string{"c*", "m5.large"}}, lack: "m5.large"},
		"of bandwidth":          {more: m{"NetworkBandwidthGbps": m{"Min": 20}}, first: "c6in.large", lack: "m5.large"},
		"of volumes":            {more: m{"BaselineEbsBandwidthMbps": m{"Min": 1000}}, lack: "m5.large"},
		"interfaces":            {more: m{"NetworkInterfaceCount": m{"Min": 16}}},
		"without accelerators":  {more: m{"AcceleratorCount": m{"Max": 0}}, first: "c5.large"},
		"with accelerators":     {more: m{"AcceleratorCount": m{"Min": 1}}},
		"types of accelerators": {more: m{"AcceleratorTypes": []string{"gpu"}}},
		"bare metal":            {more: m{"BareMetal": "required"}},
		"local storage":         {more: m{"LocalStorage": "required"}},
		"hibernation":           {more: m{"RequireHibernateSupport": true}},
	} {
		t.Run(name, func(t *testing.T) {
			member := m{}
			for _, part := range []m{small, test.more} {
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
	type m map[string]any
	for name, member := range map[string]m{
		"no vCPUs":  {"MemoryMiB": m{"Min": 0}},
		"no memory": {"VCpuCount": m{"Min": 1}},
		"min > max": {"VCpuCount": m{"Min": 4, "Max": 2}, "MemoryMiB": m{"Min": 0}},
		"both lists": {
			"VCpuCount": m{"Min": 1}, "MemoryMiB": m{"Min": 0},
			"AllowedInstanceTypes": []string{"m*"}, "ExcludedInstanceTypes": []string{"c*"},
		},
	} {
		if _, err := instancetype.ParseRequirements(member); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
