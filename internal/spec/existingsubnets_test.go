package spec

import (
	"fmt"
	"strings"
	"testing"
)

// existing returns a file with a network. A to D stand for the ids of subnets.
func existing(network string) string {
	ids := strings.NewReplacer(
		"VPC", vpcID, "A", "subnet-0000000a", "B", "subnet-0000000b", "C", "subnet-0000000c", "D", "subnet-0000000d",
	)
	return "app: shop\nstart: x\nsource: {git: https://example.com/shop}\nnetwork: " + ids.Replace(network) + "\n"
}

const vpcID = "vpc-0a1b2c3d"

// letters returns ids as existing has them.
func letters(ids []string) string {
	var all strings.Builder
	for _, id := range ids {
		all.WriteString(strings.ToUpper(strings.TrimPrefix(id, "subnet-0000000")))
	}
	return all.String()
}

func TestSubnetsOfAnExistingVPC(t *testing.T) {
	for network, want := range map[string]string{
		"{vpc: VPC, subnets: [A, {id: B}]}":                                     "false AB ",
		"{vpc: VPC, subnets: {public: [A, B]}}":                                 "false AB ",
		"{vpc: VPC, subnets: {public: [A, B], private: [C, D]}}":                "true AB CD",
		"{vpc: VPC, private: true, subnets: {public: [B, A], private: [D, C]}}": "true BA DC",
	} {
		s, err := Parse([]byte(existing(network)), FileName, ".")
		if err != nil {
			t.Errorf("%s: %v", network, err)
			continue
		}
		public, private := s.Network.Subnets.IDs()
		if got := fmt.Sprint(s.Network.Private, " ", letters(public), " ", letters(private)); got != want {
			t.Errorf("%s: got %s, want %s", network, got, want)
		}
		if s.Network.VPC != vpcID || s.Network.CIDR.IsValid() || s.Network.NATGateways() != 0 {
			t.Errorf("%s: %+v", network, s.Network)
		}
	}
}

func TestMistakesInAnExistingNetwork(t *testing.T) {
	for network, want := range map[string]string{
		"{vpc: my-vpc, subnets: [A, B]}":                         `"my-vpc" is not the id of a VPC`,
		"{vpc: VPC}":                                             "there are 0",
		"{vpc: VPC, subnets: [A]}":                               "there are 1",
		"{vpc: VPC, subnets: [A, A]}":                            "subnet-0000000a is listed twice",
		"{vpc: VPC, subnets: {public: [A, B], private: [C, A]}}": "subnet-0000000a is listed twice",
		"{vpc: VPC, subnets: [A, subnet-x]}":                     `"subnet-x" is not the id`,
		"{vpc: VPC, subnets: [10.0.0.0/24, 10.0.1.0/24]}":        "are named by their ids",
		"{vpc: VPC, cidr: 10.0.0.0/16, subnets: [A, B]}":         "network.cidr: Aloft leaves a VPC",
		"{vpc: VPC, nat: zone, subnets: [A, B]}":                 "network.nat: Aloft leaves a VPC",
		"{subnets: [A, B]}":                                      "need a VPC that exists",
		"{vpc: VPC, private: true, subnets: [A, B]}":             "does not agree",
		"{vpc: VPC, subnets: {public: [A], private: []}}":        "there are 1",
		"{vpc: VPC, subnets: {publik: [A]}}":                     `unknown key "publik"`,
		"{vpc: VPC, subnets: {public: [A, B], private: [C]}}":    "there are 1 private subnets and 2 public ones",
	} {
		_, err := Parse([]byte(existing(network)), FileName, ".")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", network, err, want)
		}
	}
}

func TestAStageHasANetworkOfItsOwn(t *testing.T) {
	text := existing("{vpc: VPC, subnets: [A, B]}") + "stages:\n  own: {network: {vpc: null, subnets: null}}\n" +
		"  other: {network: {subnets: {public: [subnet-0000000c, subnet-0000000d]}}}\n"
	own, err := ParseStage([]byte(text), FileName, ".", "own")
	if err != nil || own.Network.Exists() || len(own.Network.Subnets) != 3 {
		t.Errorf("%v, %+v", err, own)
	}
	other, err := ParseStage([]byte(text), FileName, ".", "other")
	if err != nil {
		t.Fatal(err)
	}
	if public, _ := other.Network.Subnets.IDs(); letters(public) != "CD" {
		t.Errorf("%v", public)
	}
}
