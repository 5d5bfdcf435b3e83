//go:build linux

package host

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

func TestListenProblemsHaveACauseAndARemedy(t *testing.T) {
	for summary, cause := range map[string]error{
		"another program listens there": syscall.EADDRINUSE,
		"permission denied":             os.ErrPermission,
	} {
		d := ListenProblem("127.0.0.1:80", fmt.Errorf("listen tcp: %w", cause))
		if !strings.Contains(d.Error(), summary) || !strings.Contains(d.Hint, "--address 127.0.0.1:4600") {
			t.Errorf("%v: got %q with hint %q", cause, d.Error(), d.Hint)
		}
	}
}

// heldPort names the address on which another process of these tests listens.
const heldPort = "HELD_PORT"

// TestMain runs the tests, or is the process that has the port of TestWaitsForAPortOfADyingChild.
func TestMain(m *testing.M) {
	address := os.Getenv(heldPort)
	if address == "" {
		os.Exit(m.Run())
	}
	if err := hold(address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// hold listens on address until the standard input ends.
func hold(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	fmt.Println("listening")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func TestWaitsForAPortOfADyingChild(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	holder := exec.CommandContext(t.Context(), os.Args[0])
	holder.Env = append(os.Environ(), heldPort+"="+address)
	life, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); err != nil || line != "listening\n" {
		t.Fatalf("the holder wrote %q, %v", line, err)
	}
	if heldByAnother(address) {
		t.Error("the holder's program is not recognized")
	}
	result := make(chan error)
	go func() { result <- tryListen(address) }()
	if err := life.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Errorf("after the holder's end: %v", err)
	}
	if err := holder.Wait(); err != nil {
		t.Error(err)
	}
}
