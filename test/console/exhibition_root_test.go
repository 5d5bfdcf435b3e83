//go:build linux && root

package console

import (
	"bytes"
	"fmt"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/golden"
	"aloft.dev/aloft/test/browser"
)

// openExhibition opens a browser that is signed in to an exhibition.
func openExhibition(t *testing.T, now time.Time) (*exhibition, *browser.Tab) {
	t.Helper()
	chromium := browser.Find(t)
	e := newExhibition(t)
	e.furnish(t, now)
	e.sent.Store(40)
	e.sick.Store(true)
	tab := browser.Open(t, chromium)
	tab.Go(t, e.link)
	return e, tab
}

// TestRealPagesAreAccessible lets axe-core judge every page.
func TestRealPagesAreAccessible(t *testing.T) {
	axe := browser.FetchAxe(t)
	e, tab := openExhibition(t, time.Now())
	pages := e.pages(t)
	names := slices.Sorted(maps.Keys(pages))
	judge := func(name string, width int, dark bool) {
		tab.View(t, width, 800, dark)
		tab.Go(t, e.base+pages[name])
		began := time.Now()
		defer func() { t.Logf("%s, %d pixels, dark %t: %.1f s", name, width, dark, time.Since(began).Seconds()) }()
		for _, v := range tab.Violations(t, axe) {
			t.Errorf("%s, %d pixels, dark %t: %s", name, width, dark, v)
		}
		if wide := tab.Eval(t, "document.documentElement.scrollWidth > innerWidth"); wide != "false" {
			t.Errorf("%s is wider than %d pixels", name, width)
		}
	}
	everywhere := func(name string) {
		for _, width := range []int{360, 1280} {
			for _, dark := range []bool{false, true} {
				judge(name, width, dark)
			}
		}
	}
	for _, name := range names {
		everywhere(name)
	}
	e.startDrill(t, tab)
	pages["run"], pages["drills-during"] = "run", "drills"
	everywhere("run")
	everywhere("drills-during")
	e.finish <- struct{}{}
	tab.Go(t, e.base+"run")
	tab.Until(t, "the report", `document.querySelector("#run a[href*=report]")`)
	everywhere("run")
	t.Logf("%d pages", len(pages))
}

// startDrill starts a drill as a person does.
func (e *exhibition) startDrill(t *testing.T, tab *browser.Tab) {
	t.Helper()
	tab.Go(t, e.base+"drills")
	tab.Eval(t, `document.querySelector("[name=at]").value = "us-east-1b"`)
	tab.Eval(t, `document.querySelector("form[aria-label=Drill] button").click()`)
	tab.Until(t, "the bound", `document.getElementById("bound")?.textContent.includes("13s")`)
	tab.Eval(t, `document.querySelector("button.danger").click()`)
	tab.Until(t, "the requests", `document.getElementById("failed")?.textContent === "90"`)
}

// Limits of the documentation's pictures, in bytes and pixels.
const (
	maxPicture   = 200 << 10
	pictureWidth = 1000
)

// TestRealPicturesOfTheDocumentation checks that pages still have what the documentation's
// pictures show. With -update it takes them again.
func TestRealPicturesOfTheDocumentation(t *testing.T) {
	e, tab := openExhibition(t, time.Now())
	take := func(name string, words ...string) {
		for _, word := range words {
			tab.Until(t, word, fmt.Sprintf("document.body.innerText.includes(%q)", word))
		}
		file := filepath.Join("..", "..", "docs", name)
		if golden.Updating() {
			if err := os.WriteFile(file, tab.Picture(t), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		picture, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		size, err := png.DecodeConfig(bytes.NewReader(picture))
		if err != nil || len(picture) > maxPicture || size.Width != pictureWidth {
			t.Errorf("%s is %d × %d pixels in %d bytes, %v: run the test with -update", file, size.Width, size.Height,
				len(picture), err)
		}
	}
	tab.View(t, pictureWidth, 620, false)
	tab.Go(t, e.base+"topology")
	take("console-topology.png", "tutorial-server-1", "us-east-1a", "healthy", "load balancer node", "live")
	tab.Until(t, "requests move", `document.querySelectorAll("path.moves").length === 12`)
	tab.View(t, pictureWidth, 460, true)
	tab.Eval(t, `document.getElementById("flow").scrollIntoView()`)
	take("console-requests.png", "Requests now", "of them fail", "us-east-1c")
	tab.View(t, pictureWidth, 560, false)
	tab.Go(t, e.base+e.pages(t)["machine"])
	take("console-machine.png", "processor", "kB/s", "an error: the disk is full", "live")
	tab.View(t, pictureWidth, 520, false)
	e.startDrill(t, tab)
	take("console-drill.png", "90 failed", "Stop it", "Requests", "isolated", "live")
}

// TestRealPagesAreAlive follows a drill, requests and the hour in a browser.
func TestRealPagesAreAlive(t *testing.T) {
	e, tab := openExhibition(t, time.Now())
	t.Run("a drill that is stopped", func(t *testing.T) {
		e.startDrill(t, tab)
		tab.Eval(t, "window.neverReloaded = true")
		tab.Eval(t, `document.getElementById("stop").click()`)
		tab.Until(t, "the end", `document.getElementById("state")?.textContent.includes("is restored")`)
	})
	t.Run("a drill", func(t *testing.T) {
		e.startDrill(t, tab)
		tab.Eval(t, "window.neverReloaded = true")
		e.finish <- struct{}{}
		tab.Until(t, "the report", `document.querySelector("#run a[href*=report]")`)
		if tab.Eval(t, "window.neverReloaded") != "true" {
			t.Error("the page was loaded again")
		}
		tab.Eval(t, `document.querySelector("#run a[href*=report]").click()`)
		tab.Until(t, "the picture", `document.querySelector("img.drill")?.naturalWidth === 960`)
	})
	t.Run("a rollback", func(t *testing.T) {
		tab.Go(t, e.base+"releases/rollback?to=1")
		tab.Eval(t, `document.querySelector("button.danger").click()`)
		tab.Until(t, "the end", `document.getElementById("state")?.textContent.includes("It has ended")`)
		tab.Go(t, e.base+"releases")
		tab.Until(t, "r1 serves", `document.getElementById("release-3").textContent.includes("released, serves")`)
	})
	t.Run("requests move", func(t *testing.T) {
		const moving = `document.querySelectorAll("path.moves").length`
		tab.Go(t, e.base+"topology")
		tab.Until(t, "all paths move", moving+" === 12")
		tab.Until(t, "those to the target that fails", `document.querySelectorAll("path.moves.lost").length === 6`)
		animated := `getComputedStyle(document.querySelector("path.moves")).animationName`
		if name := tab.Eval(t, animated); name != "moves" {
			t.Errorf("the animation is %q", name)
		}
		tab.Media(t, "prefers-reduced-motion", "reduce")
		if name := tab.Eval(t, animated); name != "none" {
			t.Errorf("with reduced motion, the animation is %q", name)
		}
		tab.Media(t, "prefers-reduced-motion", "no-preference")
		e.sent.Store(0)
		tab.Until(t, "nothing moves", moving+" === 0")
		if n := tab.Eval(t, "document.getAnimations().length"); n != "0" {
			t.Errorf("%s animations run while nothing moves", n)
		}
	})
	t.Run("the hour is scrolled back", func(t *testing.T) {
		tab.Go(t, e.base+"timeline")
		tab.Until(t, "the page is live", `document.getElementById("live").textContent === "live"`)
		tab.Eval(t, "window.neverReloaded = true")
		tab.Eval(t, `(() => { const range = document.querySelector("[type=range]"); range.value = 40;
			range.dispatchEvent(new Event("input", { bubbles: true })); })()`)
		tab.Until(t, "calls of then", `document.getElementById("timeline").textContent.includes("DependencyViolation")`)
		if at := tab.Eval(t, "location.search + window.neverReloaded"); at != "?back=40true" {
			t.Errorf("the page is at %q", at)
		}
		text := tab.Eval(t, `document.getElementById("timeline").textContent`)
		if strings.Contains(text, "DescribeInstances") {
			t.Error("calls that read are listed")
		}
		tab.Eval(t, `document.querySelector("[name=reads]").click()`)
		tab.Until(t, "calls that read", `document.getElementById("timeline").textContent.includes("DescribeInstances")`)
	})
	if len(tab.Problems) > 0 {
		t.Errorf("the browser complains: %s", strings.Join(tab.Problems, "\n"))
	}
}
