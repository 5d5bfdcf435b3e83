//go:build linux

package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// environed is the tutorial with an environment.
func environed(t *testing.T) *spec.Spec {
	t.Helper()
	s := simulation.Tutorial(t)
	withEnvironment(s)
	return s
}

func withEnvironment(s *spec.Spec) {
	s.Env = map[string]string{"LEVEL": "hunter1", "TIER": "hunter2"}
	s.Secrets = map[string]string{"DB": "ssm:/shop/db", "KEY": "secretsmanager:stripe#key"}
	s.Permissions = []spec.Permission{{Actions: []string{"s3:GetObject"}, Resources: []string{"*"}}}
}

// environedApplication is the tutorial with an environment, in service.
func environedApplication(t *testing.T, edit ...func(*spec.Spec)) *simulation.Application {
	t.Helper()
	s := &simulation.Application{Cloud: simulation.New(t), Keys: t.TempDir(), Spec: environed(t)}
	for _, e := range edit {
		e(s.Spec)
	}
	s.Release(t, "r1")
	return s
}

// environments returns the environment of each server by its tag: "env-1".
func environments(s *simulation.Application) string {
	var all []string
	for _, i := range store.Instances.List(s.Store.View()) {
		if i.State != store.Terminated {
			all = append(all, i.Tags["aloft:environment"])
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// variables returns the variables of a version of the parameter; 0 is the newest.
func variables(t *testing.T, s *simulation.Application, version int64) map[string]string {
	t.Helper()
	cloud := resource.NewCloud("tutorial", simulation.Region, s.Client(t, nil))
	e, err := cloud.Environment(t.Context(), version)
	if err != nil {
		t.Fatal(err)
	}
	all := maps.Clone(e.Set)
	maps.Copy(all, e.Spec)
	return all
}

// releases describes the history: "1 r1 released env-1; …".
func releases(t *testing.T, s *simulation.Application) string {
	t.Helper()
	var all []string
	for _, r := range s.History(t) {
		text := fmt.Sprintf("%s %s env-%d", r.Release, r.Result, r.Settings.Environment)
		if r.Change != "" {
			text += " (" + r.Change + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\ngot  %s\nwant %s", what, got, want)
	}
}

func TestServersReadTheirEnvironmentWithTheLeastRole(t *testing.T) {
	s := environedApplication(t)
	s.Serves(t, "r1")
	view := s.Store.View()
	roles, profiles := simulation.Roles(view), store.InstanceProfiles.List(view)
	if len(roles) != 1 || len(profiles) != 1 || profiles[0].Role != roles[0].Name {
		t.Fatalf("%+v, %+v", roles, profiles)
	}
	expect(t, "the role's name", roles[0].Name, "aloft-tutorial-us-east-1")
	const parameters = "arn:aws:ssm:us-east-1:*:parameter"
	const resources = `["` + parameters + `/aloft/tutorial/env/*","` + parameters + `/shop/db"]`
	expect(t, "the role's policy", roles[0].Inline["aloft"], `{"Version":"2012-10-17","Statement":[`+
		`{"Effect":"Allow","Action":["ssm:GetParameter"],"Resource":`+resources+`},`+
		`{"Effect":"Allow","Action":["secretsmanager:GetSecretValue"],`+
		`"Resource":["arn:aws:secretsmanager:us-east-1:*:secret:stripe-??????"]},`+
		`{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["*"]}]}`)
	for _, i := range store.Instances.List(view) {
		if i.State != store.Terminated && i.ProfileARN != profiles[0].ARN {
			t.Errorf("%s has profile %q", i.Tags["aloft:address"], i.ProfileARN)
		}
	}
	expect(t, "servers", environments(s), "env-1 env-1 env-1")
	status, err := s.Deployment(t, &simulation.Builder{ReleaseName: "r1"}).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "status", status.Environment+", "+status.Machines[0].Environment, "env-1, env-1")
	for _, p := range store.Parameters.List(view) {
		if strings.HasSuffix(p.Name, "/env/variables") && p.Type != "SecureString" {
			t.Errorf("%s is a %s", p.Name, p.Type)
		}
	}
	simulation.Removed(t, s.Cloud, s.Deployment(t, &simulation.Builder{ReleaseName: "r1"}))
}

func TestAnApplicationWithoutEnvironmentNeedsNoPermissionForIAM(t *testing.T) {
	s := &simulation.Application{Cloud: simulation.New(t), Keys: t.TempDir(), Spec: simulation.Tutorial(t)}
	client := s.Client(t, func(next http.RoundTripper) http.RoundTripper {
		return forbidding{next, []string{"GetRole", "GetInstanceProfile"}}
	})
	d := simulation.Deployment(t, client, s.Spec, &simulation.Builder{ReleaseName: "r1"}, s.Keys)
	simulation.Up(t, d)
	s.Serves(t, "r1")
	simulation.Removed(t, s.Cloud, d)
}

func TestDownDoesNotOverlookARole(t *testing.T) {
	s := environedApplication(t)
	s.Spec = simulation.Tutorial(t) // whose variables are gone
	client := s.Client(t, func(next http.RoundTripper) http.RoundTripper {
		return forbidding{next, []string{"GetRole", "GetInstanceProfile"}}
	})
	b := &simulation.Builder{ReleaseName: "r1"}
	err := simulation.Deployment(t, client, s.Spec, b, s.Keys).Down(t.Context(), apply.DownOptions{Images: true})
	if err == nil || !strings.Contains(err.Error(), "aloft-tutorial-us-east-1") {
		t.Errorf("%v", err)
	}
	simulation.Removed(t, s.Cloud, s.Deployment(t, b))
}

func TestAChangedVariableRestartsServerByServer(t *testing.T) {
	s := environedApplication(t)
	before := simulation.InstanceIDs(s.Release(t, "r1"))
	s.Spec.Env["LEVEL"] = "hunter3"
	b := &simulation.Builder{ReleaseName: "r1"}
	b.OnRefresh = func(server string) error {
		status, err := s.Deployment(t, b).Status(t.Context())
		if err != nil {
			return err
		}
		for _, m := range status.Machines {
			if healthy := m.Health == "healthy"; healthy == (m.Name == server) {
				t.Errorf("while %s is restarted, %s is %q", server, m.Name, m.Health)
			}
		}
		return nil
	}
	after := simulation.InstanceIDs(simulation.Up(t, s.Deployment(t, b)))
	if !maps.Equal(before, after) || b.Builds() != 0 || b.Proofs() != 0 {
		t.Errorf("built %d times, proven %d times; %v became %v", b.Builds(), b.Proofs(), before, after)
	}
	s.Serves(t, "r1")
	expect(t, "restarted", strings.Join(b.Refreshed(), " "), "server-1 server-2 server-3")
	expect(t, "servers", environments(s), "env-2 env-2 env-2")
	expect(t, "releases", releases(t, s), "r1 released env-1; r1 released env-2 (environment: LEVEL)")
	expect(t, "LEVEL", variables(t, s, 0)["LEVEL"], "hunter3")
}

func TestAFailedRestartTouchesNoOtherServerAndIsRolledBack(t *testing.T) {
	s := environedApplication(t)
	s.Spec.Env["LEVEL"] = "hunter3"
	b := &simulation.Builder{ReleaseName: "r1"}
	b.OnRefresh = func(string) error {
		if variables(t, s, 0)["LEVEL"] == "hunter3" {
			return errors.New("it does not start")
		}
		return nil
	}
	if err := fails(t.Context(), s.Deployment(t, b)); err != nil {
		t.Fatal(err)
	}
	expect(t, "restarted", strings.Join(b.Refreshed(), " "), "server-1 server-1")
	expect(t, "servers", environments(s), "env-1 env-1 env-1")
	expect(t, "releases", releases(t, s), "r1 released env-1; r1 failed env-2 (environment: LEVEL)")
	s.Spec.Env["LEVEL"] = "hunter1"
	s.Serves(t, "r1")
}

func TestARollbackRestoresTheEnvironment(t *testing.T) {
	s := environedApplication(t)
	s.Spec.Env["LEVEL"] = "hunter3"
	s.Release(t, "r1")
	s.Spec.Env["LEVEL"] = "hunter4"
	s.Release(t, "r2")
	b := &simulation.Builder{ReleaseName: "r2"}
	back := func(to, release, level string) {
		t.Helper()
		if _, _, err := s.Deployment(t, b).Rollback(t.Context(), to); err != nil {
			t.Fatal(err)
		}
		expect(t, "LEVEL", variables(t, s, 0)["LEVEL"], level)
		for _, i := range store.Instances.List(s.Store.View()) {
			if i.State != store.Terminated && i.Tags["aloft:release"] != release {
				t.Errorf("%s runs %s", i.Tags["aloft:address"], i.Tags["aloft:release"])
			}
		}
	}
	back("", "r1", "hunter3") // release and environment
	expect(t, "servers", environments(s), "env-2 env-2 env-2")
	back("", "r1", "hunter1") // environment alone
	expect(t, "restarted", strings.Join(b.Refreshed(), " "), "server-1 server-2 server-3")
	expect(t, "servers", environments(s), "env-1 env-1 env-1")
	back("2", "r1", "hunter3")
	expect(t, "releases", releases(t, s), "r1 rolled back env-1; r1 rolled back env-2 (environment: LEVEL); "+
		"r2 rolled back env-3 (environment: LEVEL); r1 rolled back env-2 (environment: LEVEL); "+
		"r1 rolled back env-1 (environment: LEVEL); r1 released env-2 (environment: LEVEL)")
}

func TestAnUnprovenReleaseLeavesTheEnvironmentAsItWas(t *testing.T) {
	s := environedApplication(t)
	s.Spec.Env["LEVEL"] = "hunter3"
	b := &simulation.Builder{ReleaseName: "r2", ProveErr: errors.New("it does not answer")}
	during := ""
	b.During = func() { during = variables(t, s, 0)["LEVEL"] }
	if err := fails(t.Context(), s.Deployment(t, b)); err != nil {
		t.Fatal(err)
	}
	expect(t, "LEVEL on the candidate", during, "hunter3")
	expect(t, "LEVEL afterwards", variables(t, s, 0)["LEVEL"], "hunter1")
	expect(t, "servers", environments(s), "env-1 env-1 env-1")
	s.Spec.Env["LEVEL"] = "hunter1"
	s.Serves(t, "r1")
}

func TestTheFirstEnvironmentComesWithARelease(t *testing.T) {
	s := simulation.NewApplication(t)
	withEnvironment(s.Spec)
	b := &simulation.Builder{ReleaseName: "r2", ProveErr: errors.New("it does not answer")}
	if err := fails(t.Context(), s.Deployment(t, b)); err != nil {
		t.Fatal(err)
	}
	without := *s.Spec
	without.Env, without.Secrets, without.Permissions = nil, nil, nil
	with := s.Spec
	s.Spec = &without
	s.Release(t, "r1") // deletes the role
	s.Serves(t, "r1")
	if roles := simulation.Roles(s.Store.View()); len(roles) > 0 {
		t.Errorf("roles are left: %v", roles)
	}
	s.Spec = with
	s.Release(t, "r2")
	s.Serves(t, "r2")
	expect(t, "servers", environments(s), "env-1 env-1 env-1")
	expect(t, "releases", releases(t, s), "r1 released env-0; r2 failed env-0 (environment: DB, KEY, LEVEL, TIER); "+
		"r2 released env-1 (environment: DB, KEY, LEVEL, TIER)")
}

func TestAGroupGetsAnotherEnvironmentByAnInstanceRefresh(t *testing.T) {
	s := environedApplication(t, func(s *spec.Spec) { s.Scaling = simulation.ScalingTutorial(t).Scaling })
	s.Spec.Env["LEVEL"] = "hunter3"
	b := &simulation.Builder{ReleaseName: "r1"}
	simulation.Up(t, s.Deployment(t, b))
	if b.Builds() != 0 || len(b.Refreshed()) != 0 {
		t.Errorf("built %d times, refreshed %v", b.Builds(), b.Refreshed())
	}
	expect(t, "servers", environments(s), "env-2 env-2 env-2")
	expect(t, "releases", releases(t, s), "r1 released env-1; r1 released env-2 (environment: LEVEL)")
	simulation.Removed(t, s.Cloud, s.Deployment(t, b))
}

func TestServersGetARoleOfTheUsers(t *testing.T) {
	s := environedApplication(t)
	s.Spec.Machines.Role, s.Spec.Permissions = "own", nil
	err := simulation.RunUp(t.Context(), s.Deployment(t, &simulation.Builder{ReleaseName: "r1"}))
	if err == nil || !strings.Contains(err.Error(), "there is no instance profile own") {
		t.Fatal(err)
	}
	ownRole(t, s.Cloud, "own")
	s.Release(t, "r1")
	s.Serves(t, "r1")
	view := s.Store.View()
	if roles := simulation.Roles(view); len(roles) != 1 || roles[0].Name != "own" {
		t.Errorf("%+v", roles)
	}
	own, _ := store.InstanceProfiles.Get(view, store.NameKey("", "own"))
	for _, i := range store.Instances.List(view) {
		if i.State != store.Terminated && i.ProfileARN != own.ARN {
			t.Errorf("%s has profile %q", i.Tags["aloft:address"], i.ProfileARN)
		}
	}
}

func TestNoValueIsInAPlanOrAnEvent(t *testing.T) {
	s := environedApplication(t)
	s.Spec.Env["LEVEL"], s.Spec.Env["NEW"] = "hunter3", "hunter4"
	delete(s.Spec.Env, "TIER")
	var shown strings.Builder
	d := simulation.Deployment(t, s.Client(t, nil), s.Spec, &simulation.Builder{ReleaseName: "r1"}, s.Keys,
		func(c *apply.Config) {
			c.Events = func(e event.Event) {
				text, err := json.Marshal(e)
				if err != nil {
					t.Error(err)
				}
				shown.Write(text)
			}
		})
	p, err := d.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	simulation.Up(t, d)
	plan := p.String()
	for _, part := range []string{"value of LEVEL: changes", "variables: LEVEL, TIER → LEVEL, NEW"} {
		if !strings.Contains(plan, part) {
			t.Errorf("the plan lacks %q", part)
		}
	}
	if all := plan + string(text) + shown.String() + releases(t, s); strings.Contains(all, "hunter") {
		t.Errorf("a value is shown: %s", all)
	}
	if t.Failed() {
		t.Log(plan)
	}
}

func TestAnEnvironmentThatIsTooLongIsRefused(t *testing.T) {
	s := environedApplication(t)
	s.Spec.Env["LEVEL"] = noise(12000)
	b := &simulation.Builder{ReleaseName: "r1"}
	err := simulation.RunUp(t.Context(), s.Deployment(t, b))
	if err == nil || !strings.Contains(err.Error(), environment.ErrTooLong.Error()) || len(b.Refreshed()) > 0 {
		t.Errorf("%v, restarted %v", err, b.Refreshed())
	}
}

// noise returns text that cannot be compressed to less than half.
func noise(n int) string {
	var out strings.Builder
	for i := uint64(1); out.Len() < n; i++ {
		_, _ = fmt.Fprintf(&out, "%x", i*0x9e3779b97f4a7c15)
	}
	return out.String()
}

func TestAChangedEnvironmentConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 12, func(t *testing.T, n int) string {
		s, b := environedApplication(t), &simulation.Builder{ReleaseName: "r1"}
		s.Spec.Env["LEVEL"] = "hunter3"
		fatal := s.KillAtChange(t, n, b, simulation.RunUp)
		simulation.Up(t, s.Deployment(t, b))
		s.Serves(t, "r1")
		expect(t, "servers", environments(s), "env-2 env-2 env-2")
		expect(t, "releases", releases(t, s), "r1 released env-1; r1 released env-2 (environment: LEVEL)")
		return fatal
	})
}

func TestAFailedEnvironmentIsRolledBackAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 6, func(t *testing.T, n int) string {
		s, b := environedApplication(t), &simulation.Builder{ReleaseName: "r1"}
		s.Spec.Env["LEVEL"] = "hunter3"
		b.OnRefresh = func(string) error {
			if variables(t, s, 0)["LEVEL"] == "hunter3" {
				return errors.New("it does not start")
			}
			return nil
		}
		fatal := s.KillAtChange(t, 2*n, b, func(ctx context.Context, d *apply.Deployment) error {
			return fails(ctx, d)
		})
		s.Spec.Env["LEVEL"] = "hunter1"
		simulation.Up(t, s.Deployment(t, b))
		s.Serves(t, "r1")
		expect(t, "LEVEL", variables(t, s, 0)["LEVEL"], "hunter1")
		return fatal
	})
}

func TestARollbackOfTheEnvironmentConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 6, func(t *testing.T, n int) string {
		s, b := environedApplication(t), &simulation.Builder{ReleaseName: "r1"}
		s.Spec.Env["LEVEL"] = "hunter3"
		s.Release(t, "r1")
		back := func(ctx context.Context, d *apply.Deployment) error {
			_, _, err := d.Rollback(ctx, "")
			return err
		}
		fatal := s.KillAtChange(t, 2*n-1, b, back)
		// A rollback that was complete but for releasing its lease has nothing before it.
		if current := history.Current(s.History(t)); current.Settings.Environment == 2 || current.Number == 1 {
			if err := back(t.Context(), s.Deployment(t, b)); err != nil {
				t.Fatal(err)
			}
		}
		expect(t, "servers", environments(s), "env-1 env-1 env-1")
		expect(t, "releases", releases(t, s), "r1 released env-1; r1 rolled back env-2 (environment: LEVEL); "+
			"r1 released env-1 (environment: LEVEL)")
		s.Spec.Env["LEVEL"] = "hunter1"
		s.Serves(t, "r1")
		return fatal
	})
}

func TestDownDeletesTheEnvironmentAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 15, simulation.KillDown(environed))
}
