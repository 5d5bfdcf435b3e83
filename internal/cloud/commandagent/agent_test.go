//go:build linux

package commandagent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/api/ec2messages"
	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/commandagent"
	"aloft.dev/aloft/internal/cloud/control/commands"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const (
	region   = "eu-west-1"
	instance = "i-0123456789abcdef0"
	patience = 3 * time.Minute // of tests, on hosts that are busy
)

// machine is a folder in which the agent runs, as in a machine, beside the services that it
// needs.
type machine struct {
	*testing.T
	store  *store.Store
	api    *ssm.API
	dir    string
	url    string
	fails  atomic.Pointer[func(operation string) bool] // reports whether an operation's answer is lost
	agent  *exec.Cmd
	output *os.File
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{T: t, store: s, dir: t.TempDir()}
	m.api = ssm.New(ssm.Config{Store: s, Key: seal.NewRandomKey()})
	m.update(func(tx *store.Tx) {
		store.Instances.Put(tx, &store.Instance{ID: instance, Region: region, State: store.Running})
	})
	own := &session.Session{RoleName: "web", RoleID: "AROA", Name: instance, Instance: instance}
	apis, err := wire.NewHandler(wire.Config{
		Services: []wire.Service{
			{Name: "ssm", API: m.api}, {Name: "ec2messages", API: ec2messages.New(ec2messages.Config{Store: s})},
		},
		Credentials: func(id, token string) (wire.Key, error) {
			if id != "AKIA" || token != "token" {
				return wire.Key{}, wire.ErrUnknownKey
			}
			return wire.Key{
				Secret: "secret", Principal: wire.Principal{Session: own}, Expires: time.Now().Add(time.Hour),
			}, nil
		},
		Around: func(ctx context.Context, call wire.Call, next func(context.Context) (any, error)) (any, error) {
			out, err := next(ctx)
			if fails := m.fails.Load(); fails != nil && (*fails)(call.Operation) {
				return nil, wire.ErrHangUp
			}
			return out, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", apis)
	const credentials = `{"AccessKeyId":"AKIA","SecretAccessKey":"secret","Token":"token"}`
	for path, text := range map[string]string{
		"PUT /latest/api/token":                              "x",
		"GET /latest/meta-data/iam/security-credentials/{$}": "web",
		"GET /latest/meta-data/iam/security-credentials/web": credentials,
		"GET /latest/meta-data/placement/region":             region,
		"GET /latest/meta-data/instance-id":                  instance,
		"GET /latest/meta-data/local-ipv4":                   "10.0.1.5",
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, text) })
	}
	server := httptest.NewServer(mux)
	m.url = server.URL
	for path, text := range commandagent.Files() {
		m.write(filepath.Base(path), text)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- (&commands.Loop{Store: s, Log: slog.New(slog.DiscardHandler)}).Run(ctx) }()
	t.Cleanup(func() {
		m.stop()
		server.CloseClientConnections()
		server.Close()
		cancel()
		<-ended
	})
	return m
}

func (m *machine) update(change func(tx *store.Tx)) {
	m.Helper()
	if err := m.store.Update(func(tx *store.Tx) error { change(tx); return nil }); err != nil {
		m.Fatal(err)
	}
}

func (m *machine) write(name, text string) {
	m.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o600); err != nil {
		m.Fatal(err)
	}
}

// start starts the agent.
func (m *machine) start() {
	m.Helper()
	output, err := os.OpenFile(filepath.Join(m.dir, "journal"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		m.Fatal(err)
	}
	m.output = output
	m.agent = exec.Command("/bin/sh", filepath.Join(m.dir, "agent.sh"))
	m.agent.Dir = m.dir
	m.agent.Stdout, m.agent.Stderr = output, output
	m.agent.Env = append(os.Environ(), "STATE_DIRECTORY="+m.dir+"/state", "RUNTIME_DIRECTORY="+m.dir+"/run",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT="+m.url, "AWS_ENDPOINT_URL="+m.url, "ALOFT_PACE=0",
		"no_proxy=127.0.0.1", "NO_PROXY=127.0.0.1")
	m.agent.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := m.agent.Start(); err != nil {
		m.Fatal(err)
	}
}

// stop ends the agent and its workers, as the stop of a machine does, and the commands.
func (m *machine) stop() {
	if m.agent == nil {
		return
	}
	pids, _ := filepath.Glob(m.dir + "/run/*/pid")
	for _, file := range pids {
		var pid int
		text, _ := os.ReadFile(file)
		if _, err := fmt.Sscan(string(text), &pid); err == nil {
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	}
	_ = syscall.Kill(-m.agent.Process.Pid, syscall.SIGKILL)
	_ = m.agent.Wait()
	m.agent = nil
	_ = m.output.Close()
	_ = os.RemoveAll(m.dir + "/run") // a machine's /run ends with it
}

func (m *machine) journal() string {
	text, _ := os.ReadFile(filepath.Join(m.dir, "journal"))
	return string(text)
}

func (m *machine) context() context.Context {
	return wire.WithCaller(m.Context(), wire.Caller{Region: region})
}

// until waits until a condition holds that changes of the store bring about.
func (m *machine) until(what string, holds func(r store.Reader) bool) {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), patience)
	defer cancel()
	for {
		view := m.store.View()
		if holds(view) {
			return
		}
		if view.Changed(ctx, store.ManagedInstances, store.CommandInvocations) != nil {
			m.Fatalf("%s: not in time\n%s", what, m.journal())
		}
	}
}

// managed waits until the agent has reported.
func (m *machine) managed() {
	m.Helper()
	m.until("the agent reports", func(r store.Reader) bool {
		_, ok := store.ManagedInstances.Get(r, instance)
		return ok
	})
}

// send sends a command and returns its id.
func (m *machine) send(parameters map[string][]string) string {
	m.Helper()
	out, err := m.api.SendCommand(m.context(), &client.SendCommandInput{
		DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{instance}, Parameters: parameters,
	})
	if err != nil {
		m.Fatal(err)
	}
	return *out.Command.CommandId
}

// sent reports whether the agent has fetched a command.
func (m *machine) sent() bool {
	return slices.ContainsFunc(store.CommandInvocationsByInstance.List(m.store.View(), instance),
		func(i *store.CommandInvocation) bool { return i.Sent })
}

// reaches waits until a command on the instance has a status.
func (m *machine) reaches(id, status string) *client.GetCommandInvocationOutput {
	m.Helper()
	m.until(status, func(r store.Reader) bool {
		row, ok := store.CommandInvocations.Get(r, store.CommandInvocationKey(region, id, instance))
		return ok && row.Status == status
	})
	out, err := m.api.GetCommandInvocation(m.context(), &client.GetCommandInvocationInput{
		CommandId: &id, InstanceId: aws.String(instance),
	})
	if err != nil {
		m.Fatal(err)
	}
	return out
}

// empty waits until no file has a name.
func (m *machine) empty(pattern string) {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), patience)
	defer cancel()
	for again := time.NewTicker(10 * time.Millisecond); ; {
		left, err := filepath.Glob(filepath.Join(m.dir, pattern))
		if err != nil || len(left) == 0 {
			again.Stop()
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			m.Fatalf("left: %v", left)
		}
	}
}

func lines(commands ...string) map[string][]string { return map[string][]string{"commands": commands} }

func TestTheAgentRunsCommandsAndReportsTheirEnd(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.start()
	m.managed()
	long := m.send(lines("yes ü | head -n 20000", "yes x | head -n 9000 >&2", "printf 'a\\0b' >&2"))
	plain := lines(`printf '%s\n' "a  \"b\" \\c 'd' $((1 + 2)) ü"`,
		"pwd >&2; echo $AWS_SSM_INSTANCE_ID-$AWS_SSM_REGION_NAME")
	plain["workingDirectory"] = []string{"/tmp"}
	out := m.reaches(m.send(plain), "Success")
	if *out.StandardOutputContent != "a  \"b\" \\c 'd' 3 ü\n"+instance+"-"+region+"\n" ||
		*out.StandardErrorContent != "/tmp\n" || out.ResponseCode != 0 || *out.ExecutionElapsedTime == "" {
		t.Errorf("got %s", show(out))
	}
	failed := m.reaches(m.send(lines("echo no >&2; exit 3")), "Failed")
	if failed.ResponseCode != 3 || *failed.StandardErrorContent != "no\nfailed to run commands: exit status 3\n" {
		t.Errorf("got %s", show(failed))
	}
	bounded := m.reaches(long, "Success")
	n, e := len(*bounded.StandardOutputContent), len(*bounded.StandardErrorContent)
	if n < 23990 || n > 24010 || e != 8000 {
		t.Errorf("got %d and %d bytes of output", n, e)
	}
	listed, err := m.api.ListCommandInvocations(m.context(), &client.ListCommandInvocationsInput{
		CommandId: &long, Details: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if short := []rune(*listed.CommandInvocations[0].CommandPlugins[0].Output); len(short) != 2500 {
		t.Errorf("the short output has %d characters", len(short))
	}
	m.empty("state/*/*")
	m.empty("run/*.lock")
	information, err := m.api.DescribeInstanceInformation(m.context(), &client.DescribeInstanceInformationInput{})
	if err != nil || len(information.InstanceInformationList) != 1 {
		t.Fatalf("got %+v, %v", information, err)
	}
	i := information.InstanceInformationList[0]
	if *i.IPAddress != "10.0.1.5" || i.PingStatus != types.PingStatusOnline {
		t.Errorf("got %s", show(i))
	}
}

func show(v any) string {
	text, _ := json.MarshalIndent(v, "", "  ")
	return string(text)
}

func TestTheAgentEndsCommandsThatTakeTooLongOrAreCancelled(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.start()
	m.managed()
	slow := lines("echo begun; sleep 1000 & wait")
	slow["executionTimeout"] = []string{"1"}
	out := m.reaches(m.send(slow), "TimedOut")
	if *out.StatusDetails != "ExecutionTimedOut" || out.ResponseCode != 137 || *out.StandardOutputContent != "begun\n" {
		t.Errorf("got %s", show(out))
	}
	fifo := filepath.Join(m.dir, "begun")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	id := m.send(lines("echo begun", "echo >"+fifo, "sleep 1000"))
	if _, err := os.ReadFile(fifo); err != nil { // waits for the command
		t.Fatal(err)
	}
	if _, err := m.api.CancelCommand(m.context(), &client.CancelCommandInput{CommandId: &id}); err != nil {
		t.Fatal(err)
	}
	out = m.reaches(id, "Cancelled")
	if *out.StandardOutputContent != "begun\n" || out.ResponseCode != 137 {
		t.Errorf("got %s", show(out))
	}
}

func TestACommandRunsOnceWhenAnswersAreLost(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	var mu sync.Mutex
	lost := map[string]bool{}
	fails := func(operation string) bool {
		mu.Lock()
		defer mu.Unlock()
		first := !lost[operation]
		lost[operation] = true
		return first
	}
	m.fails.Store(&fails)
	m.start()
	m.managed()
	ran := filepath.Join(m.dir, "ran")
	out := m.reaches(m.send(lines("echo x >>"+ran)), "Success")
	if text, _ := os.ReadFile(ran); string(text) != "x\n" {
		t.Errorf("the command ran %q times: %s", text, show(out))
	}
	if len(lost) < 4 {
		t.Errorf("lost the answers to %v only", lost)
	}
}

func TestACommandRunsOnceWhenTheMachineStops(t *testing.T) {
	for _, operation := range []string{"GetMessages", "AcknowledgeMessage", "SendReply"} {
		t.Run("before the answer to "+operation, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.start()
			m.managed()
			reached, stopped := make(chan struct{}), make(chan struct{})
			var once atomic.Bool
			ran := filepath.Join(m.dir, "ran")
			fails := func(called string) bool {
				if called != operation || !m.sent() || once.Swap(true) {
					return false
				}
				close(reached)
				<-stopped
				return true
			}
			m.fails.Store(&fails)
			id := m.send(lines("echo x >>" + ran))
			<-reached
			m.stop()
			close(stopped)
			m.start()
			out := m.reaches(id, "Success")
			if text, _ := os.ReadFile(ran); string(text) != "x\n" {
				t.Errorf("the command ran %q times: %s", text, show(out))
			}
		})
	}
}

func TestAMachineThatStopsContinuesWithItsCommands(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.start()
	m.managed()
	fifo, ran := filepath.Join(m.dir, "begun"), filepath.Join(m.dir, "ran")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	interrupted := m.send(lines("echo x >>"+ran, "echo >"+fifo, "sleep 1000"))
	if _, err := os.ReadFile(fifo); err != nil {
		t.Fatal(err)
	}
	m.stop()
	later := m.send(lines("echo later"))
	m.start()
	out := m.reaches(interrupted, "Failed")
	if !strings.Contains(*out.StandardErrorContent, "stopped meanwhile") {
		t.Errorf("got %s", show(out))
	}
	if text, _ := os.ReadFile(ran); string(text) != "x\n" {
		t.Errorf("the interrupted command ran %q times", text)
	}
	m.reaches(later, "Success")
}
