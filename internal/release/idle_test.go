package release

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Connections in the kernel's tables, to port 3000 (0BB8) or another one.
const (
	listening   = "0: 00000000:0BB8 00000000:0000 0A"
	fromFar     = "1: 0100000A:0BB8 0200000A:C350 01"
	halfClosed  = "1: 0100000A:0BB8 0200000A:C350 08"
	past        = "1: 0100000A:0BB8 0200000A:C350 06"
	fromItself  = "1: 0100007F:0BB8 0100007F:C350 01"
	elsewhere   = "1: 0100000A:1F90 0200000A:C350 01"
	outgoing    = "1: 0100000A:C350 0200000A:0BB8 01"
	mapped      = "1: 0000000000000000FFFF00000100000A:0BB8 0000000000000000FFFF00000200000A:C350 01"
	mappedSelf  = "1: 0000000000000000FFFF00000100007F:0BB8 0000000000000000FFFF00000100007F:C350 01"
	fromItself6 = "1: 00000000000000000000000001000000:0BB8 00000000000000000000000001000000:C350 01"
)

// moment is the state of the kernel's tables between two checks.
type moment struct {
	tcp, tcp6 string
	accepted  int
}

// checksUntilIdle runs the script on a machine whose tables show each moment in turn, and
// then the last one for ever. It returns how many checks the script made.
func checksUntilIdle(t *testing.T, moments ...moment) int {
	t.Helper()
	dir := t.TempDir()
	for i, m := range append([]moment{{}}, moments...) {
		for name, text := range map[string]string{
			"tcp":  "sl local_address rem_address st\n" + listening + "\n" + m.tcp,
			"tcp6": "sl local_address remote_address st\n" + m.tcp6,
			"snmp": "Tcp: RtoAlgorithm ActiveOpens PassiveOpens CurrEstab\n" +
				fmt.Sprintf("Tcp: 1 5 %d 9\nUdp: PassiveOpens\nUdp: 3", m.accepted),
		} {
			folder := filepath.Join(dir, fmt.Sprint(i))
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	script := "cd " + dir + `
sleep() {
	echo >>slept
	rm now
	ln -s "$(if [ -d "$(wc -l <slept)" ]; then wc -l <slept; else echo ` + fmt.Sprint(len(moments)) + `; fi)" now
}
ln -s 0 now
` + idleScript(filepath.Join(dir, "now"), 3000)
	if out, err := exec.CommandContext(t.Context(), "sh", "-euc", script).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	slept, err := os.ReadFile(filepath.Join(dir, "slept"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(slept), "\n")
}

func TestAServerIsIdleWhenNobodyIsConnected(t *testing.T) {
	for name, c := range map[string]struct {
		moments []moment
		delayed int // by how many checks
	}{
		"nothing":               {[]moment{{}}, 0},
		"a request":             {[]moment{{tcp: fromFar}, {tcp: fromFar}, {}}, 2},
		"a half-closed one":     {[]moment{{tcp: halfClosed}, {}}, 1},
		"an IPv6 socket":        {[]moment{{tcp6: mapped}, {}}, 1},
		"an ended connection":   {[]moment{{tcp: past}}, 0},
		"from itself":           {[]moment{{tcp: fromItself, tcp6: mappedSelf + "\n" + fromItself6}}, 0},
		"another port":          {[]moment{{tcp: elsewhere + "\n" + outgoing}}, 0},
		"a brief one":           {[]moment{{}, {accepted: 1}, {accepted: 1}}, 2},
		"a late one":            {[]moment{{}, {}, {}, {}, {}, {tcp: fromFar, accepted: 1}, {accepted: 1}}, 6},
		"brief ones repeatedly": {[]moment{{accepted: 1}, {accepted: 2}, {accepted: 3}, {accepted: 3}}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			if n := checksUntilIdle(t, c.moments...); n != idleChecks+c.delayed {
				t.Errorf("idle after %d checks, not %d", n, idleChecks+c.delayed)
			}
		})
	}
}
