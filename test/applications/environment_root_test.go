//go:build linux && root

package applications

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/test/program"
)

// mirror answers with the variables that begin with SHOP_.
const mirror = `const http = require('node:http');
const mine = Object.entries(process.env).filter(([name]) => name.startsWith('SHOP_')).sort();
const server = http.createServer((q, r) => r.end(JSON.stringify(Object.fromEntries(mine))));
server.keepAliveTimeout = 65000;
server.listen(process.env.PORT);
`

// Servers read their environment with the credentials of their role, which may read
// nothing else. A change restarts them and makes no image. The image is made on a machine of
// another type than theirs.
func TestRealEnvironmentIsReadByTheServersRole(t *testing.T) {
	c := program.Start(t)
	for name, value := range map[string]string{"/shop/db": `pass"word $1`, "/other/db": "not theirs"} {
		if _, err := c.API.SSM.PutParameter(t.Context(), &ssm.PutParameterInput{
			Name: &name, Value: &value, Type: types.ParameterTypeSecureString, Overwrite: aws.Bool(true),
		}); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	write := func(secret string) {
		spec := program.SmallSpec("shop", "debian-12",
			"env: {SHOP_COLOUR: red}\nsecrets: {SHOP_DB: \"ssm:"+secret+"\"}", "node server.js")
		spec = strings.Replace(spec, "machines: {", "machines: {builder: t3.small, ", 1)
		program.Write(t, filepath.Join(dir, "aloft.yaml"), spec)
	}
	write("/shop/db")
	program.Write(t, filepath.Join(dir, "package.json"), "{}")
	source := filepath.Join(dir, "server.js")
	program.Write(t, source, mirror)
	c.Must(t, "up", dir)
	before := c.Status(t, dir)
	answers := func(want string) {
		t.Helper()
		if got := program.Fetch(t, before.URL); got != want {
			t.Errorf("it answers %s, want %s", got, want)
		}
	}
	answers(`{"SHOP_COLOUR":"red","SHOP_DB":"pass\"word $1"}`)

	if kind := before.Machines[0].Type; kind != "t3.micro" {
		t.Errorf("the server is a %s, as the builder was", kind)
	}

	if err := os.Remove(source); err != nil { // aloft env needs no source
		t.Fatal(err)
	}
	c.Must(t, "env", "set", dir, "SHOP_SIZE=large")
	program.Write(t, source, mirror)
	answers(`{"SHOP_COLOUR":"red","SHOP_DB":"pass\"word $1","SHOP_SIZE":"large"}`)
	after := c.Status(t, dir)
	if after.ImageID != before.ImageID || after.Machines[0].InstanceID != before.Machines[0].InstanceID {
		t.Errorf("the server was %v and is %v", before.Machines[0], after.Machines[0])
	}
	if list := c.Must(t, "env", "list", dir); strings.Contains(list, "large") || strings.Contains(list, "red") {
		t.Errorf("the list shows values:\n%s", list)
	}
	c.Must(t, "rollback", dir)
	answers(`{"SHOP_COLOUR":"red","SHOP_DB":"pass\"word $1"}`)

	// The machine's disk has no value; memory has, for root alone.
	address := after.Machines[0].PublicIP
	search := "sudo grep -rls 'pass.word' /etc /srv /var/lib /usr/local || echo nowhere"
	if got := c.OpenSSH(t, "shop", address, search); got != "nowhere" {
		t.Errorf("a value is on the disk: %s", got)
	}
	if got := c.OpenSSH(t, "shop", address, "cat /run/aloft/shop.env 2>&1 || true"); !strings.Contains(got, "denied") {
		t.Errorf("every user can read the environment: %s", got)
	}

	write("/shop/missing")
	_, story, code := c.Run(t, "up", dir)
	const reason = "SHOP_DB from ssm:/shop/missing, by role aloft-shop-us-east-1: ParameterNotFound"
	if code != 3 || !strings.Contains(story, reason) {
		t.Errorf("exit %d, want 3, with the reason:\n%s", code, story)
	}
	answers(`{"SHOP_COLOUR":"red","SHOP_DB":"pass\"word $1"}`)
	c.Must(t, "down", dir, "--yes", "--images")
	c.NothingTagged(t, "shop")
}
