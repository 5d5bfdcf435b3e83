//go:build linux

package failure

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/drilling"
	"aloft.dev/aloft/test/simulation"
)

// lossy is a transport that carries out every change but loses the first answer to
// each, like a network that fails at the wrong moment.
type lossy struct {
	next  http.RoundTripper
	whole bool // lose the whole answer; otherwise cut it off in its body

	mu   sync.Mutex
	lost map[string]bool // by operation and body
	done map[string]int  // number of calls, by operation
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	name := simulation.Operation(r, body)
	answer, err := l.next.RoundTrip(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil || !simulation.ChangesState(name) || answer.StatusCode != http.StatusOK {
		return answer, err
	}
	if l.done[name]++; l.lost[name+string(body)] {
		return answer, nil
	}
	l.lost[name+string(body)] = true
	if l.whole {
		return nil, errors.Join(syscall.ECONNRESET, answer.Body.Close())
	}
	answer.Body = broken{io.LimitReader(answer.Body, 20), answer.Body}
	return answer, nil
}

// broken is a body that ends early.
type broken struct {
	begin io.Reader
	io.Closer
}

func (b broken) Read(p []byte) (int, error) {
	n, err := b.begin.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// losing runs a test for each way to lose an answer. At least atLeast answers must
// be lost. A create with neither a token nor a unique name must not be repeated:
// the next run would have to delete a duplicate.
func losing(t *testing.T, atLeast int, run func(t *testing.T, c *simulation.Cloud, lossy *awsapi.Client)) {
	for _, whole := range []bool{true, false} {
		t.Run(fmt.Sprintf("whole=%t", whole), func(t *testing.T) {
			t.Parallel()
			c, l := simulation.New(t), &lossy{whole: whole, lost: map[string]bool{}, done: map[string]int{}}
			run(t, c, c.Client(t, func(next http.RoundTripper) http.RoundTripper { l.next = next; return l }))
			if len(l.lost) < atLeast {
				t.Errorf("only %d answers were lost, want at least %d", len(l.lost), atLeast)
			}
			for _, name := range []string{"CreateVpc", "CreateInternetGateway", "AllocateAddress"} {
				if l.done[name] > 1 {
					t.Errorf("%s was carried out %d times", name, l.done[name])
				}
			}
		})
	}
}

// temporaryRules counts the rules that let a deployer in over SSH.
func temporaryRules(c *simulation.Cloud) (n int) {
	for _, group := range store.SecurityGroups.List(c.Store.View()) {
		for _, rule := range group.Rules {
			if rule.Description == "aloft:temporary" {
				n++
			}
		}
	}
	return n
}

// upOnce brings an application up and checks that every resource exists once.
func upOnce(of func(*testing.T) *spec.Spec) func(*testing.T, *simulation.Cloud, *awsapi.Client) {
	return func(t *testing.T, c *simulation.Cloud, lossy *awsapi.Client) {
		b, keys := &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
		simulation.Up(t, simulation.Deployment(t, lossy, of(t), b, keys))
		if n := temporaryRules(c); n != 0 {
			t.Errorf("%d temporary rules are left", n)
		}
		d := simulation.Deployment(t, c.Client(t, nil), of(t), b, keys)
		simulation.PlanIsEmpty(t, d)
		simulation.EverythingOnce(t, c)
	}
}

func TestUpCreatesEverythingOnceDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	losing(t, 24, upOnce(simulation.Tutorial))
}

func TestUpOfPrivateServersCreatesEverythingOnceDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	losing(t, 28, upOnce(simulation.PrivateTutorial))
}

func TestUpOfGroupCreatesEverythingOnceDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	losing(t, 25, upOnce(simulation.ScalingTutorial))
}

// replaced releases another version and rolls back from it.
func replaced(of func(*testing.T) *spec.Spec) func(*testing.T, *simulation.Cloud, *awsapi.Client) {
	return func(t *testing.T, c *simulation.Cloud, lossy *awsapi.Client) {
		s := &simulation.Application{Cloud: c, Keys: t.TempDir(), Spec: of(t)}
		s.Release(t, "r1")
		b := &simulation.Builder{ReleaseName: "r2"}
		simulation.Up(t, simulation.Deployment(t, lossy, s.Spec, b, s.Keys))
		s.Serves(t, "r2")
		if _, _, err := simulation.Deployment(t, lossy, s.Spec, b, s.Keys).Rollback(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		s.Serves(t, "r1")
		if got := s.Results(t); got != "r1 released, r2 rolled back, r1 released" {
			t.Error(got)
		}
	}
}

func TestReleaseAndRollbackDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	losing(t, 10, replaced(simulation.Tutorial))
}

func TestReleaseAndRollbackOfGroupDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	losing(t, 10, replaced(simulation.ScalingTutorial))
}

// downOnce removes an application and checks that nothing is left.
func downOnce(of func(*testing.T) *spec.Spec) func(*testing.T, *simulation.Cloud, *awsapi.Client) {
	return func(t *testing.T, c *simulation.Cloud, lossy *awsapi.Client) {
		b, keys := &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
		simulation.Up(t, simulation.Deployment(t, c.Client(t, nil), of(t), b, keys))
		if err := simulation.Deployment(t, lossy, of(t), b, keys).Down(
			t.Context(), apply.DownOptions{Images: true},
		); err != nil {
			t.Fatal(err)
		}
		simulation.NothingLeft(t, c)
	}
}

func TestDownLeavesNothingDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	losing(t, 12, downOnce(simulation.Tutorial))
}

func TestDownOfPrivateServersLeavesNothingDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	losing(t, 14, downOnce(simulation.PrivateTutorial))
}

func TestDownOfGroupLeavesNothingDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	losing(t, 12, downOnce(simulation.ScalingTutorial))
}

func TestDrillRestoresEverythingDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	losing(t, 4, func(t *testing.T, c *simulation.Cloud, lossy *awsapi.Client) {
		b, keys := &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
		status := simulation.Up(t, simulation.Deployment(t, c.Client(t, nil), simulation.Tutorial(t), b, keys))
		d := drilling.New(lossy, simulation.Deployment(t, lossy, simulation.Tutorial(t), b, keys))
		if _, err := d.Run(t.Context(), status, drillOptions(drill.Zone)); err != nil {
			t.Error(err)
		}
		asBefore(t, c)
	})
}

func TestForeignKeyPairIsRefused(t *testing.T) {
	t.Parallel()
	c := simulation.New(t)
	client := c.Client(t, nil)
	made := simulation.Must(
		client.EC2.CreateKeyPair(t.Context(), &ec2.CreateKeyPairInput{KeyName: aws.String("aloft-tutorial")}),
	)(t)
	_, err := simulation.Deployment(
		t, client, simulation.Tutorial(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir(),
	).Up(t.Context())
	if err == nil {
		t.Fatal("up used a key pair that it did not create")
	}
	simulation.Contains(t, err.Error(), "key pair aloft-tutorial already exists, and Aloft did not create it")
	if pairs := store.KeyPairs.List(c.Store.View()); len(pairs) != 1 || pairs[0].ID != *made.KeyPairId {
		t.Errorf("%+v", pairs)
	}
}
