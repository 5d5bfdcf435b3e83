//go:build linux

package balancer

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestKeysAreVisibleOnlyInJSON(t *testing.T) {
	certificates := []Certificate{{Key: "PRIVATE"}}
	tls := &TLS{Certificates: certificates}
	c := Config{LoadBalancers: []LoadBalancer{{Listeners: []Listener{{TLS: tls}}}}}
	var shown strings.Builder
	log := slog.New(slog.NewTextHandler(&shown, nil))
	log.Info("set", "config", c, "key", certificates[0].Key)
	fmt.Fprintf(&shown, "%v %+v %#v %s", c, tls, *tls, certificates)
	if strings.Contains(shown.String(), "PRIVATE") {
		t.Errorf("%s", shown.String())
	}
	if text, _ := json.Marshal(c); !strings.Contains(string(text), "PRIVATE") {
		t.Error("the process would not get the key")
	}
}
