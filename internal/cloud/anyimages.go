//go:build linux

package cloud

import (
	"strings"

	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/plane/image"
)

// amazonOwner is the account that publishes Amazon Linux.
const amazonOwner = "137112412989"

// anyImages returns the public images of a simulated cloud that accepts any image: those that can
// be built, of both architectures and with the first one first, and those that clients ask for by
// name or by parameter most often. As nothing boots, the latter stand for Debian like every other
// image that does not exist.
// Names, descriptions and parameters have the form of Amazon's and Canonical's (Amazon Linux user
// guides, "Launch with Systems Manager parameters"; Ubuntu on AWS, "Find Ubuntu images on AWS").
func anyImages(first string) []ec2.BaseImage {
	second := "arm64"
	if first == second {
		second = "amd64"
	}
	var all []ec2.BaseImage
	for _, arch := range []string{first, second} {
		all = append(all, baseImages(arch)...)
		all = append(all,
			amazonLinux2023("al2023-ami", "2023 AMI", arch),
			amazonLinux2023("al2023-ami-minimal", "2023 Minimal AMI", arch),
			amazonLinux("amzn2-ami-hvm-", "2.0.20261101.0", "Amazon Linux 2 AMI ", arch),
			amazonLinux("amzn2-ami-kernel-5.10-hvm-", "2.0.20261101.0", "Amazon Linux 2 Kernel 5.10 AMI ", arch),
			earlierUbuntu("jammy", "22.04", arch),
			earlierUbuntu("focal", "20.04", arch))
	}
	return append(all,
		amazonLinux("amzn-ami-hvm-", "2018.03.0.20231218.0", "Amazon Linux AMI ", "amd64"),
		amazonLinuxMinimal(),
		earlierUbuntu("bionic", "18.04", "amd64"),
		earlierUbuntu("xenial", "16.04", "amd64"),
		earlierUbuntu("trusty", "14.04", "amd64"))
}

// amazonParameters is where the ids of the latest images of Amazon Linux are.
const amazonParameters = "/aws/service/ami-amazon-linux-latest/"

// amazonLinux2023 returns an image of Amazon Linux 2023, which has a parameter with its kernel's
// version and one for the default kernel.
func amazonLinux2023(name, title, arch string) ec2.BaseImage {
	const version, kernel = "2023.9.20261101.0", "kernel-6.1"
	aws := awsArchitecture(arch)
	latest := amazonParameters + name + "-"
	return ec2.BaseImage{
		Base:         image.Debian12,
		Name:         name + "-" + version + "-" + kernel + "-" + aws,
		Description:  "Amazon Linux " + title + " " + version + " " + aws + " HVM " + kernel,
		Owner:        amazonOwner,
		Architecture: aws,
		RootDevice:   "/dev/xvda",
		SizeGiB:      8,
		Parameters:   []string{latest + kernel + "-" + aws, latest + "kernel-default-" + aws},
	}
}

// amazonLinux returns an image of an earlier Amazon Linux. Its name is that of its parameter with
// the version in it.
func amazonLinux(prefix, version, title, arch string) ec2.BaseImage {
	aws := awsArchitecture(arch)
	return ec2.BaseImage{
		Base:         image.Debian12,
		Name:         prefix + version + "-" + aws + "-gp2",
		Description:  title + version + " " + aws + " HVM gp2",
		Owner:        amazonOwner,
		Architecture: aws,
		RootDevice:   "/dev/xvda",
		VolumeType:   "gp2",
		SizeGiB:      8,
		Parameters:   []string{amazonParameters + prefix + aws + "-gp2"},
	}
}

// amazonLinuxMinimal returns the smallest image of the first Amazon Linux, which many configurations
// still name.
func amazonLinuxMinimal() ec2.BaseImage {
	minimal := amazonLinux("amzn-ami-minimal-hvm-", "2018.03.0.20231218.0", "Amazon Linux AMI ", "amd64")
	minimal.Name = strings.TrimSuffix(minimal.Name, "gp2") + "ebs"
	minimal.VolumeType = "standard"
	minimal.Parameters = []string{amazonParameters + "amzn-ami-minimal-hvm-x86_64-ebs"}
	return minimal
}

// earlierUbuntu returns an image of a release of Ubuntu that cannot be built.
func earlierUbuntu(codename, release, arch string) ec2.BaseImage {
	return ec2.BaseImage{
		Base:         image.Debian12,
		Name:         "ubuntu/images/hvm-ssd/ubuntu-" + codename + "-" + release + "-" + arch + "-server-20261101",
		Description:  "Canonical, Ubuntu, " + release + " LTS, " + arch + " " + codename + " image",
		Owner:        canonicalOwner,
		Architecture: awsArchitecture(arch),
		RootDevice:   "/dev/sda1",
		VolumeType:   "gp2",
		SizeGiB:      8,
		Parameters: []string{
			"/aws/service/canonical/ubuntu/server/" + release + "/stable/current/" + arch + "/hvm/ebs-gp2/ami-id",
		},
	}
}
