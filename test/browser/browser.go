//go:build linux

// Package browser drives a Chromium over the Chrome DevTools Protocol, for tests of pages.
package browser

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Find returns the path of a Chromium. Where there is none it skips the test: not every system
// has the package.
func Find(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium-headless-shell", "chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("not tested: the console in a browser. There is no Chromium, which make test installs if it can")
	return ""
}

// Tab is a page of a browser. One goroutine uses it.
type Tab struct {
	// Problems lists the failures of scripts and what the page's policy refused.
	Problems []string

	conn    *websocket.Conn
	session string // the protocol's with the page
	last    int    // id of the last message
}

const (
	startTimeout = 30 * time.Second
	callTimeout  = 30 * time.Second
	poll         = 20 * time.Millisecond
	maxMessage   = 32 << 20 // a picture is the longest
)

// Open starts a browser with one empty page. It ends with the test.
func Open(t *testing.T, program string) *Tab {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--remote-debugging-port=0",
		"--user-data-dir="+dir, "about:blank")
	// The program may be a script that starts the browser: end all that it started.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = cmd.Wait()
	})
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	address, err := awaitAddress(ctx, filepath.Join(dir, "DevToolsActivePort"))
	if err != nil {
		t.Fatal(err)
	}
	tab := &Tab{}
	if tab.conn, _, err = websocket.Dial(ctx, address, nil); err != nil { //nolint:bodyclose // Dial has closed it
		t.Fatal(err)
	}
	tab.conn.SetReadLimit(maxMessage)
	t.Cleanup(func() { _ = tab.conn.CloseNow() })
	var target struct{ TargetID string }
	tab.call(t, "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	tab.call(t, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	tab.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		tab.call(t, domain+".enable", nil, nil)
	}
	return tab
}

// awaitAddress returns the address of the browser once it has written it.
func awaitAddress(ctx context.Context, file string) (string, error) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(file)
		if port, path, ok := strings.Cut(strings.TrimSpace(string(text)), "\n"); ok {
			return "ws://127.0.0.1:" + port + path, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", fmt.Errorf("wait for the browser: %w", ctx.Err())
		}
	}
}

// request is a message to the browser, and response one from it.
type request struct {
	ID        int    `json:"id"`
	SessionID string `json:"sessionId,omitempty"`
	Method    string `json:"method"`
	Params    any    `json:"params,omitempty"`
}

type response struct {
	ID     int
	Method string
	Params json.RawMessage
	Result json.RawMessage
	Error  *struct{ Message string }
}

// call calls a method of the protocol and decodes its result into out, which may be nil.
func (b *Tab) call(t *testing.T, method string, params, out any) {
	t.Helper()
	if problem := b.try(t, method, params, out); problem != "" {
		t.Fatalf("%s: %s", method, problem)
	}
}

// try is like call, and returns what the browser answers instead of a result.
func (b *Tab) try(t *testing.T, method string, params, out any) (problem string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
	defer cancel()
	b.last++
	data, err := json.Marshal(request{b.last, b.session, method, params})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.conn.Write(ctx, websocket.MessageText, data); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	for {
		_, data, err := b.conn.Read(ctx)
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		var answer response
		if err := json.Unmarshal(data, &answer); err != nil {
			t.Fatal(err)
		}
		if answer.ID != b.last {
			b.note(answer)
			continue
		}
		if answer.Error != nil {
			return answer.Error.Message
		}
		if out != nil {
			if err := json.Unmarshal(answer.Result, out); err != nil {
				t.Fatal(err)
			}
		}
		return ""
	}
}

// note keeps an event that is a problem.
func (b *Tab) note(event response) {
	switch event.Method {
	case "Runtime.exceptionThrown":
		b.Problems = append(b.Problems, string(event.Params))
	case "Log.entryAdded":
		var added struct{ Entry struct{ Level, Text string } }
		if json.Unmarshal(event.Params, &added) == nil && added.Entry.Level == "error" {
			b.Problems = append(b.Problems, added.Entry.Text)
		}
	}
}

// Go opens a URL and waits until the page is loaded.
func (b *Tab) Go(t *testing.T, url string) {
	t.Helper()
	b.call(t, "Page.navigate", map[string]any{"url": url}, nil)
	b.Until(t, "the page is loaded", `document.readyState === "complete" && location.href !== "about:blank"`)
}

// Eval returns the value of an expression in the page, as text.
func (b *Tab) Eval(t *testing.T, expression string) string {
	t.Helper()
	value, problem := b.eval(t, expression)
	if problem != "" {
		t.Fatalf("%s: %s", expression, problem)
	}
	return value
}

// eval is like Eval, and returns what the browser answers instead of a value.
func (b *Tab) eval(t *testing.T, expression string) (value, problem string) {
	t.Helper()
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Text string }
	}
	problem = b.try(t, "Runtime.evaluate", map[string]any{
		"expression": expression, "returnByValue": true, "awaitPromise": true,
	}, &out)
	if problem == "" && out.ExceptionDetails != nil {
		problem = out.ExceptionDetails.Text
	}
	return fmt.Sprint(out.Result.Value), problem
}

// Until waits until an expression is true in the page.
func (b *Tab) Until(t *testing.T, what, expression string) {
	t.Helper()
	if !b.Happens(t, expression) {
		t.Fatalf("not within %s: %s\n%s", callTimeout, what, b.Eval(t, "document.body.innerText"))
	}
}

// Happens waits until an expression is true in the page, and reports whether it was within half a
// minute.
func (b *Tab) Happens(t *testing.T, expression string) bool {
	t.Helper()
	for began := time.Now(); time.Since(began) < callTimeout; <-time.After(poll) {
		value, problem := b.eval(t, "Boolean("+expression+")")
		switch {
		case strings.Contains(problem, "navigated"): // the next page is not there yet
		case problem != "":
			t.Fatalf("%s: %s", expression, problem)
		case value == "true":
			return true
		}
	}
	return false
}

// View sets the size of the page in pixels, and whether the viewer prefers dark colours.
func (b *Tab) View(t *testing.T, width, height int, dark bool) {
	t.Helper()
	b.call(t, "Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
	}, nil)
	b.Media(t, "prefers-color-scheme", map[bool]string{false: "light", true: "dark"}[dark])
}

// Media sets what the viewer prefers, as a feature of CSS media queries. It replaces what was set
// before.
func (b *Tab) Media(t *testing.T, feature, value string) {
	t.Helper()
	b.call(t, "Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": feature, "value": value}},
	}, nil)
}

// Script turns scripts of pages on or off.
func (b *Tab) Script(t *testing.T, on bool) {
	t.Helper()
	b.call(t, "Emulation.setScriptExecutionDisabled", map[string]any{"value": !on}, nil)
}

// Press presses and releases a key, by its name and its code.
func (b *Tab) Press(t *testing.T, key string, code int) {
	t.Helper()
	for _, kind := range []string{"rawKeyDown", "keyUp"} {
		b.call(t, "Input.dispatchKeyEvent", map[string]any{
			"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
		}, nil)
	}
}

// Picture returns a picture of the page as PNG.
func (b *Tab) Picture(t *testing.T) []byte {
	t.Helper()
	var out struct{ Data string }
	b.call(t, "Page.captureScreenshot", map[string]any{"format": "png"}, &out)
	data, err := base64.StdEncoding.DecodeString(out.Data)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
