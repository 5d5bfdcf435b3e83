package instancetype

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// table describes a type in each line after the first, which names the columns. Types come by
// family, and each family's from the smallest. A hyphen stands for what a type does not have.
//
//go:embed catalogue.tsv
var table string

// catalogue is the table, read when somebody first asks for a type.
var catalogue = sync.OnceValue(func() (c struct {
	types  []Type
	byName map[string]*Type
}) {
	lines := strings.Split(strings.TrimSpace(table), "\n")
	columns := strings.Split(lines[0], "\t")
	c.types = make([]Type, 0, len(lines)-1)
	c.byName = make(map[string]*Type, len(lines)-1)
	for _, line := range lines[1:] {
		values := make(row, len(columns))
		for i, value := range strings.Split(line, "\t") {
			values[columns[i]] = value
		}
		c.types = append(c.types, values.describe())
	}
	slices.SortFunc(c.types, func(x, y Type) int { return strings.Compare(x.Name, y.Name) })
	for i := range c.types {
		c.byName[c.types[i].Name] = &c.types[i]
	}
	return c
})

// row holds a line's values by the names of their columns.
type row map[string]string

func (r row) describe() Type {
	t := Type{
		Name:               r["type"],
		VCPUs:              r.integer("vcpus"),
		Cores:              r.integer("cores"),
		MemoryMiB:          r.integer("memory"),
		Architecture:       Architecture(r["architecture"]),
		Manufacturer:       r["manufacturer"],
		ClockGHz:           r.number("clock"),
		Hypervisor:         r["hypervisor"],
		PreviousGeneration: r["generation"] == "previous",
		Burstable:          r["burstable"] != absent,
		FreeTier:           r["free"] != absent,
		ClusterPlacement:   r["cluster"] != absent,
		Network:            r["network"],
		BaselineMbps:       r.integer("network-baseline"),
		PeakMbps:           r.integer("network-peak"),
		Interfaces:         r.integer("interfaces"),
		AddressesEach:      r.integer("addresses"),
		ENASupport:         r["ena"],
		EBSOptimized:       r["ebs"],
		EBS: EBSRate{
			BaselineMbps: r.integer("ebs-baseline"), BaselineIOPS: r.integer("ebs-baseline-iops"),
			PeakMbps: r.integer("ebs-peak"), PeakIOPS: r.integer("ebs-peak-iops"),
		},
	}
	t.ValidCores, t.ValidThreads = r.integers("valid-cores"), r.integers("valid-threads")
	t.BaselineCPU = r.number("baseline") * float64(t.VCPUs)
	switch {
	case t.Burstable && t.Family() == "t2":
		t.CPUCredits = "standard"
	case t.Burstable:
		t.CPUCredits = "unlimited"
	}
	return t
}

const absent = "-"

func (r row) integer(column string) int { return int(r.number(column)) }

// integers returns a column's numbers: "1-3,8-16/4" stands for 1, 2, 3, 8, 12 and 16.
func (r row) integers(column string) []int {
	if r[column] == absent {
		return nil
	}
	var all []int
	for _, part := range strings.Split(r[column], ",") {
		span, step, stepped := strings.Cut(part, "/")
		first, last, ranged := strings.Cut(span, "-")
		from, _ := strconv.Atoi(first)
		to, by := from, 1
		if ranged {
			to, _ = strconv.Atoi(last)
		}
		if stepped {
			by, _ = strconv.Atoi(step)
		}
		for n := from; n <= to; n += by {
			all = append(all, n)
		}
	}
	return all
}

// number returns a column's number, and 0 if the type has none. The package's test reads all.
func (r row) number(column string) float64 {
	n, _ := strconv.ParseFloat(r[column], 64)
	return n
}

// ByName returns the type with the name, and whether it is offered.
func ByName(name string) (Type, bool) {
	t, ok := catalogue().byName[name]
	if !ok {
		return Type{}, false
	}
	return *t, true
}

// All returns every type offered, by name.
func All() []Type { return slices.Clone(catalogue().types) }
