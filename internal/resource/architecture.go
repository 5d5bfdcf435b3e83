package resource

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Architecture is the instruction set of instance types and images, by EC2's name.
type Architecture types.ArchitectureType

// The architectures that have base images.
const (
	x8664 = Architecture(types.ArchitectureTypeX8664)
	arm64 = Architecture(types.ArchitectureTypeArm64)
)

// architectureOf returns the architecture of an instance type, or "" if base images do
// not run there. An answer without an architecture means x86_64: clouds that speak
// EC2's API may leave it out.
func architectureOf(info types.InstanceTypeInfo) Architecture {
	if info.ProcessorInfo == nil || len(info.ProcessorInfo.SupportedArchitectures) == 0 {
		return x8664
	}
	for _, a := range []Architecture{x8664, arm64} { // t2 has i386 too
		if slices.Contains(info.ProcessorInfo.SupportedArchitectures, types.ArchitectureType(a)) {
			return a
		}
	}
	return ""
}

// mark returns the name of a base image for the architecture. Names without one mean
// x86_64.
func (a Architecture) mark(name string) string {
	if a == arm64 {
		return name + "-" + string(arm64)
	}
	return name
}

// SplitBaseName returns the spec's name of a base image and its architecture, from the
// Name of a BaseImage.
func SplitBaseName(name string) (string, Architecture) {
	if name, ok := strings.CutSuffix(name, "-"+string(arm64)); ok {
		return name, arm64
	}
	return name, x8664
}

// debian returns Debian's name, which Ubuntu uses too.
func (a Architecture) debian() string {
	if a == x8664 {
		return "amd64"
	}
	return string(a)
}

// other returns a small instance type of the other architecture.
func (a Architecture) other() string {
	if a == x8664 {
		return "t4g.micro"
	}
	return "t3.micro"
}
