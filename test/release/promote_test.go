//go:build linux

package release

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// stagesOf returns an application with two stages on one cloud.
func stagesOf(t *testing.T) (staging, production *simulation.Application) {
	t.Helper()
	const text = `app: shop
start: node server.js
load_balancer: {deregistration_delay: 0s}
release: {bake: 0s, watch: 0s}
env: {TIER: free}
stages:
  staging: {machines: {count: 2}}
  production: {env: {TIER: paid}, protect: true}
`
	cloud, keys := simulation.New(t), t.TempDir()
	of := func(stage string) *simulation.Application {
		s, err := spec.ParseStage([]byte(text), spec.FileName, t.TempDir(), stage)
		if err != nil {
			t.Fatal(err)
		}
		s.Region = simulation.Region
		s.Source.Path = ""
		return &simulation.Application{Cloud: cloud, Keys: keys, Spec: s}
	}
	return of("staging"), of("production")
}

// records describes the history of a stage: "r1 released; r2 released from staging".
func records(t *testing.T, s *simulation.Application) string {
	t.Helper()
	all, err := history.New(s.Client(t, nil).SSM, s.Spec.App).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, r := range all {
		text := r.Release + " " + string(r.Result)
		if r.From != "" {
			text += " from " + r.From
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

// promote promotes the release of staging to production, where the source makes a release.
func promote(t *testing.T, staging, production *simulation.Application, here string) (*simulation.Builder, error) {
	t.Helper()
	b := &simulation.Builder{ReleaseName: here}
	from := simulation.Must(staging.Deployment(t, &simulation.Builder{}).Promotable(t.Context()))(t)
	_, err := production.Deployment(t, b).Promote(t.Context(), from)
	return b, err
}

func TestAReleaseIsPromotedFromOneStageToTheNext(t *testing.T) {
	staging, production := stagesOf(t)
	staging.Release(t, "r1")
	b, err := promote(t, staging, production, "r1")
	if err != nil {
		t.Fatal(problemText(err))
	}
	expect(t, "production", records(t, production), "r1 released from staging")
	if b.Builds() != 0 || b.Proofs() != 1 { // it was not proven with this stage's variables yet
		t.Errorf("the first release was built %d times and proven %d times", b.Builds(), b.Proofs())
	}
	simulation.PlanIsEmpty(t, production.Deployment(t, b)) // aloft up has nothing to do

	staging.Release(t, "r2")
	if b, err = promote(t, staging, production, "r2"); err != nil {
		t.Fatal(problemText(err))
	}
	expect(t, "production", records(t, production), "r1 released from staging; r2 released from staging")
	expect(t, "staging", records(t, staging), "r1 released; r2 released")
	if b.Builds() != 0 || b.Proofs() != 1 {
		t.Errorf("the second release was built %d times and proven %d times", b.Builds(), b.Proofs())
	}

	// Each stage has names, tags, an environment and images of its own.
	apps := map[string]int{}
	for _, i := range store.Instances.List(production.Store.View()) {
		if i.State == store.Terminated {
			continue
		}
		app := i.Tags["aloft:app"]
		apps[app+" "+i.Tags["aloft:stage"]]++
		data, err := base64.StdEncoding.DecodeString(i.UserData)
		if want := "\n: aloft-app " + app + "\n"; err != nil || !strings.Contains(string(data), want) {
			t.Errorf("user data of %s: %q, %v", app, data, err)
		}
	}
	if apps["shop-staging staging"] != 2 || apps["shop-production production"] != 3 || len(apps) != 2 {
		t.Error(apps)
	}
	if err := deploymentOf(t, staging).Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Fatal(problemText(err))
	}
	simulation.PlanIsEmpty(t, production.Deployment(t, b))
	if _, _, err := production.Deployment(t, b).Rollback(t.Context(), ""); err != nil {
		t.Fatal(problemText(err))
	}
}

func TestAPromotionIsRefusedWithItsCause(t *testing.T) {
	staging, production := stagesOf(t)
	_, err := staging.Deployment(t, &simulation.Builder{ReleaseName: "r1"}).Promotable(t.Context())
	simulation.Contains(t, problemText(err), "stage staging", "has no release that serves", "aloft up --stage staging")
	staging.Release(t, "r1")
	_, err = promote(t, staging, production, "r9")
	simulation.Contains(t, problemText(err), "release r1", "not what the source here makes, which is release r9",
		"stage staging serves a folder of r1; here is a folder of r9")
	production.Spec.Port = 8080
	_, err = promote(t, staging, production, "r1")
	simulation.Contains(t, problemText(err), "cannot serve another stage than staging", "port: 3000 and 8080")
	for _, i := range store.Images.List(production.Store.View()) {
		if i.Tags["aloft:app"] == "shop-production" {
			t.Errorf("a refused promotion left image %s", i.ID)
		}
	}
}

func TestAPromotionThatFailsIsRolledBack(t *testing.T) {
	staging, production := stagesOf(t)
	staging.Release(t, "r1")
	if _, err := promote(t, staging, production, "r1"); err != nil {
		t.Fatal(problemText(err))
	}
	staging.Release(t, "r2")
	from := simulation.Must(staging.Deployment(t, &simulation.Builder{}).Promotable(t.Context()))(t)
	b := &simulation.Builder{ReleaseName: "r2", ProveErr: errors.New("it does not answer")}
	_, err := production.Deployment(t, b).Promote(t.Context(), from)
	simulation.Contains(t, simulation.RolledBack(t, err), "r1")
	expect(t, "production", records(t, production), "r1 released from staging; r2 failed from staging")
}
