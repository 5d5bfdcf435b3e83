package cloud

import (
	"errors"
	"os"
	"testing"
)

func TestCredentialsAreMadeOnceAndReadableByRootAlone(t *testing.T) {
	place, err := PlaceAt(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	first, err := ensureCredentials(place)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ensureCredentials(place)
	if err != nil || first != second {
		t.Errorf("second start: %v, %v", second, err)
	}
	if len(first.AccessKeyID) != 20 || len(first.SecretAccessKey) != 40 {
		t.Errorf("lengths %d and %d, want AWS's 20 and 40", len(first.AccessKeyID), len(first.SecretAccessKey))
	}
	info, err := os.Stat(place.credentials())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestTwoLocalCloudsShareNoName(t *testing.T) {
	a, _ := PlaceAt("/tmp/a")
	b, _ := PlaceAt("/tmp/b")
	if a.Run == b.Run || a.Name == b.Name {
		t.Errorf("%+v and %+v", a, b)
	}
	if len(a.Name) > 8 {
		t.Errorf("%q is too long for a prefix of network devices", a.Name)
	}
}

func TestADaemonThatDiedIsNotTakenForRunning(t *testing.T) {
	place, err := PlaceAt(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	place.Run = t.TempDir()
	ticks, err := startTicks(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := (Daemon{PID: os.Getpid(), Started: ticks}).write(place); err != nil {
		t.Fatal(err)
	}
	if _, err := FindDaemon(place); err != nil {
		t.Errorf("this process runs: %v", err)
	}
	if err := (Daemon{PID: os.Getpid(), Started: ticks - 1}).write(place); err != nil {
		t.Fatal(err)
	}
	if _, err := FindDaemon(place); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a reused pid: %v", err)
	}
}
