//go:build linux

package cloud

import (
	"slices"
	"testing"
)

func TestAnyImagesAreThoseThatClientsAskFor(t *testing.T) {
	for _, first := range []string{"amd64", "arm64"} {
		all := anyImages(first)
		if all[0].Name != baseImages(first)[0].Name {
			t.Errorf("for %s, the first image is %s", first, all[0].Name)
		}
		var names, parameters []string
		for _, i := range all {
			names, parameters = append(names, i.Name), append(parameters, i.Parameters...)
		}
		for _, name := range []string{
			"al2023-ami-2023.9.20261101.0-kernel-6.1-x86_64",
			"al2023-ami-minimal-2023.9.20261101.0-kernel-6.1-arm64",
			"amzn2-ami-hvm-2.0.20261101.0-x86_64-gp2",
			"amzn2-ami-kernel-5.10-hvm-2.0.20261101.0-arm64-gp2",
			"amzn-ami-hvm-2018.03.0.20231218.0-x86_64-gp2",
			"amzn-ami-minimal-hvm-2018.03.0.20231218.0-x86_64-ebs",
			"ubuntu/images/hvm-ssd/ubuntu-xenial-16.04-amd64-server-20261101",
			"ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20261101",
		} {
			if !slices.Contains(names, name) {
				t.Errorf("for %s, there is no image %s", first, name)
			}
		}
		for _, name := range []string{
			"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
			"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64",
			"/aws/service/ami-amazon-linux-latest/al2023-ami-minimal-kernel-default-x86_64",
			"/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2",
			"/aws/service/ami-amazon-linux-latest/amzn2-ami-kernel-5.10-hvm-x86_64-gp2",
			"/aws/service/ami-amazon-linux-latest/amzn-ami-hvm-x86_64-gp2",
			"/aws/service/canonical/ubuntu/server/22.04/stable/current/arm64/hvm/ebs-gp2/ami-id",
		} {
			if !slices.Contains(parameters, name) {
				t.Errorf("for %s, there is no parameter %s", first, name)
			}
		}
		for _, list := range [][]string{names, parameters} {
			slices.Sort(list)
			if unique := slices.Compact(slices.Clone(list)); len(unique) != len(list) {
				t.Errorf("for %s, names repeat: %q", first, list)
			}
		}
	}
}
