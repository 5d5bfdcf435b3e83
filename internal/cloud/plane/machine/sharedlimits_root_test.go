//go:build linux && root

package machine_test

import "testing"

// TestRealMachineHasItsShareOfMemoryAndTerminals fills what would be limited by a number of
// the whole host if the machine had none of its own.
func TestRealMachineHasItsShareOfMemoryAndTerminals(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	m.MemoryMiB = 640
	s.bootFully(m)
	for _, c := range []struct{ command, want string }{
		{"findmnt --noheadings --bytes --output SIZE /dev/shm", "335544320"},
		{"findmnt --noheadings --bytes --output SIZE /run", "134217728"},
		{"stat -c '%a %U' /dev/shm", "1777 root"},
		{"head -c 400M /dev/zero >/dev/shm/file 2>/dev/null || echo full; rm /dev/shm/file", "full"},
		{`perl -e 'while (@f < 999) { open my $f, "+<", "/dev/ptmx" or last; push @f, $f } print 0 + @f'`, "256"},
		{"systemctl is-system-running", "running"},
	} {
		if got, err := s.inside(m.ID, c.command); got != c.want {
			t.Errorf("%s\n got %q (%v)\nwant %q", c.command, got, err, c.want)
		}
	}
}
