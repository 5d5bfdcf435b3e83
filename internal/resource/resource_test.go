package resource

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func TestARuleReadsTheSameThereAndBack(t *testing.T) {
	for _, rule := range []string{"tcp 22 from 192.0.2.0/24", "tcp 3000 from sg-1", "all from 0.0.0.0/0", "udp 10-20 from ::/0", "icmp -1 from 10.0.0.0/8", "tcp 443 from pl-1"} {
		p, err := permission(rule, "why")
		if err != nil {
			t.Fatal(err)
		}
		if got := ruleTexts([]types.IpPermission{p}, "from"); len(got) != 1 || got[0] != rule {
			t.Errorf("%s became %v", rule, got)
		}
	}
	for _, bad := range []string{"", "tcp 22", "tcp x from 10.0.0.0/8"} {
		if _, err := permission(bad, ""); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestHostKeysAreReadFromTheLastWholeBlockOfTheConsole(t *testing.T) {
	line := func() (string, ssh.PublicKey) {
		keys := Keys{Private: filepath.Join(t.TempDir(), "key")}
		public, err := keys.make("test")
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))), public
	}
	old, _ := line()
	text, want := line()
	console := "Linux version 6.1\r\n" + keysBegin + "\r\n" + old + " root@ip\r\n" + keysEnd + "\r\n" +
		"[   12.3] cloud-init[500]: " + keysBegin + "\r\n[   12.3] cloud-init[500]: " + text + " root@ip-10-0-1-9\r\ngarbage\r\n" + keysEnd + "\r\n" +
		keysBegin + "\r\n" + old // cut off
	got := HostKeys(base64.StdEncoding.EncodeToString([]byte(console)))
	if len(got) != 1 || string(got[0].Marshal()) != string(want.Marshal()) {
		t.Errorf("got %v", got)
	}
	for _, none := range []string{"", "!", base64.StdEncoding.EncodeToString([]byte("login: "))} {
		if got := HostKeys(none); got != nil {
			t.Errorf("%q gave %v", none, got)
		}
	}
}

func TestAPrivateKeyIsMadeOnceAndReadableByItsOwnerAlone(t *testing.T) {
	keys := KeysOf("", filepath.Join(t.TempDir(), "keys"), "shop", "eu-west-1")
	if filepath.Base(keys.Private) != "shop-eu-west-1.pem" {
		t.Error(keys.Private)
	}
	site := &Site{Keys: keys}
	first, err := site.publicKey("shop")
	if err != nil {
		t.Fatal(err)
	}
	second, err := site.publicKey("shop")
	if err != nil || string(first.Marshal()) != string(second.Marshal()) {
		t.Errorf("another key was made: %v", err)
	}
	info, err := os.Stat(keys.Private)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	there := plan.Found{ID: "aloft-shop"}
	there.Set("fingerprint", ssh.FingerprintSHA256(first))
	if err := site.CheckKey(there); err != nil {
		t.Error(err)
	}
	there.Set("fingerprint", "SHA256:other")
	if err := site.CheckKey(there); err == nil ||
		!strings.Contains(err.Error(), "not the private key of key pair aloft-shop") {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(keys.Private); err != nil {
		t.Fatal(err)
	}
	if err := site.CheckKey(there); err == nil || !strings.Contains(err.Error(), "is lost") {
		t.Errorf("got %v", err)
	}
}

func TestAMachineIsBrokenOnlyWhenItHasServedOrHadItsTime(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	server := func(id, age, served string) plan.Found {
		d, err := time.ParseDuration(age)
		if err != nil {
			t.Fatal(err)
		}
		return plan.Found{
			Address: "server-" + id,
			Kind:    stack.KindServer,
			ID:      "i-" + id,
			Created: now.Add(-d).Format(time.RFC3339),
			Status:  map[string]string{"served": served},
		}
	}
	servers := []plan.Found{
		server("1", "1m", ""),
		server("2", "1m", "yes"),
		server("3", "10m", ""),
		server("4", "10m", "yes"),
		server("5", "10m", "yes"),
	}
	state := func(id string, s elbtypes.TargetHealthStateEnum) elbtypes.TargetHealthDescription {
		return elbtypes.TargetHealthDescription{
			Target:       &elbtypes.TargetDescription{Id: aws.String("i-" + id), Port: aws.Int32(3000)},
			TargetHealth: &elbtypes.TargetHealth{State: s, Reason: "Target.Timeout"},
		}
	}
	health := []elbtypes.TargetHealthDescription{
		state(
			"1",
			elbtypes.TargetHealthStateEnumUnhealthy,
		), state("2", elbtypes.TargetHealthStateEnumUnhealthy), state("3", elbtypes.TargetHealthStateEnumUnhealthy),
		state(
			"4",
			elbtypes.TargetHealthStateEnumHealthy,
		), state("5", elbtypes.TargetHealthStateEnumDraining), state("9", elbtypes.TargetHealthStateEnumHealthy),
	}
	found := targets(plan.Found{ID: "arn"}, health, servers, now)
	var addresses []string
	for _, f := range found {
		addresses = append(addresses, f.Address)
	}
	if want := []string{"target-1", "target-2", "target-3", "target-4"}; !slices.Equal(addresses, want) {
		t.Errorf("got %v", addresses)
	}
	for i, broken := range []bool{false, true, true, false, false} {
		if (servers[i].Broken != "") != broken {
			t.Errorf("server-%d: broken %q", i+1, servers[i].Broken)
		}
	}
}
