// Package activekey holds the SSH keys that EC2 Instance Connect has pushed to instances, for
// the minute in which an instance's metadata shows them.
package activekey

import (
	"maps"
	"sync"
	"time"
)

// lifetime is how long a key is active (EC2 Instance Connect API Reference,
// SendSSHPublicKey).
const lifetime = time.Minute

// maxPerUser limits the active keys of one user of an instance. The oldest goes first.
const maxPerUser = 64

// Set holds active keys. Its zero value is empty, and its methods are safe for concurrent use.
type Set struct {
	Now func() time.Time // nil: time.Now

	mu   sync.Mutex
	keys map[owner][]key
}

// owner is a user of an instance's operating system.
type owner struct{ instance, user string }

type key struct {
	text    string
	expires time.Time
}

func (s *Set) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// Push makes a key, a line of authorized_keys, active for a user of an instance.
func (s *Set) Push(instance, user, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.expire(now)
	if s.keys == nil {
		s.keys = map[owner][]key{}
	}
	of := owner{instance, user}
	keys := append(s.keys[of], key{text, now.Add(lifetime)})
	s.keys[of] = keys[max(0, len(keys)-maxPerUser):]
}

// Of returns the active keys of an instance by user, oldest first. Users without keys are
// missing.
func (s *Set) Of(instance string) map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(s.now())
	var all map[string][]string
	for of, keys := range s.keys {
		if of.instance != instance {
			continue
		}
		if all == nil {
			all = map[string][]string{}
		}
		for _, k := range keys {
			all[of.user] = append(all[of.user], k.text)
		}
	}
	return all
}

// expire removes the keys whose time has passed.
func (s *Set) expire(now time.Time) {
	for of, keys := range s.keys {
		for len(keys) > 0 && !now.Before(keys[0].expires) {
			keys = keys[1:]
		}
		s.keys[of] = keys
	}
	maps.DeleteFunc(s.keys, func(_ owner, keys []key) bool { return len(keys) == 0 })
}
