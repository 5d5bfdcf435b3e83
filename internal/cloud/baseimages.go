//go:build linux

package cloud

import (
	"runtime"

	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/plane/image"
)

// Accounts on AWS that publish images (Debian wiki, "Cloud/AmazonEC2Image"; Ubuntu on AWS
// documentation, "Find Ubuntu images on AWS").
const (
	debianOwner    = "136693071363"
	canonicalOwner = "099720109477"
)

// baseImages returns the public images of each region for an architecture, by Go's name:
// what their publishers offer on AWS, with names, parameters and root devices of the same
// form. Package image builds them.
func baseImages(arch string) []ec2.BaseImage {
	debian := func(base, release, codename, date string) ec2.BaseImage {
		return ec2.BaseImage{
			Base:         base,
			Name:         "debian-" + release + "-" + arch + "-" + date + "-1",
			Description:  "Debian " + release + " (" + codename + "), " + arch,
			Owner:        debianOwner,
			Architecture: awsArchitecture(arch),
			RootDevice:   "/dev/xvda",
			SizeGiB:      8,
			Parameters:   []string{"/aws/service/debian/release/" + release + "/latest/" + arch},
		}
	}
	return []ec2.BaseImage{
		debian(image.Debian12, "12", "bookworm", "20261101"),
		debian(image.Debian13, "13", "trixie", "20261101"),
		{
			Base:         image.Ubuntu2404,
			Name:         "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-" + arch + "-server-20261101",
			Description:  "Canonical, Ubuntu, 24.04, " + arch + " noble image",
			Owner:        canonicalOwner,
			Architecture: awsArchitecture(arch),
			RootDevice:   "/dev/sda1",
			SizeGiB:      8,
			Parameters: []string{
				"/aws/service/canonical/ubuntu/server/24.04/stable/current/" + arch + "/hvm/ebs-gp3/ami-id",
			},
		},
	}
}

// publicImages returns the public images of each region.
func (d *daemon) publicImages() []ec2.BaseImage {
	if d.AnyImage {
		return anyImages(runtime.GOARCH)
	}
	return baseImages(runtime.GOARCH)
}

// awsArchitecture returns EC2's name of an architecture.
func awsArchitecture(arch string) string {
	if arch == "amd64" {
		return "x86_64"
	}
	return arch
}
