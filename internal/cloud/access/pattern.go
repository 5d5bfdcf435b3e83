package access

// The wildcards of a pattern. They are no characters, so that a variable's value which
// contains an asterisk is not mistaken for one.
const (
	anyText rune = -1 - iota // *
	anyRune                  // ?
)

// pattern is a text with wildcards.
type pattern []rune

// compile returns the pattern that a text of a policy denotes.
func compile(text string) pattern {
	p := make(pattern, 0, len(text))
	for _, c := range text {
		switch c {
		case '*':
			c = anyText
		case '?':
			c = anyRune
		}
		p = append(p, c)
	}
	return p
}

// literal returns the text in which wildcards are characters.
func (p pattern) literal() string {
	text := make([]rune, len(p))
	for i, c := range p {
		switch c {
		case anyText:
			c = '*'
		case anyRune:
			c = '?'
		}
		text[i] = c
	}
	return string(text)
}

// matches reports whether the pattern matches a whole text.
func (p pattern) matches(text string) bool {
	return p.match(text, func(int, rune) bool { return true })
}

// matchesARN reports whether the pattern matches a resource. A wildcard stays in its
// segment of an ARN, except an asterisk at the end of a segment, which may extend over
// the next ones (IAM User Guide, "IAM JSON policy elements: Resource", "Using wildcards
// in resource ARNs").
func (p pattern) matchesARN(resource string) bool {
	return p.match(resource, func(i int, c rune) bool {
		return c != ':' || p[i] == anyText && (i+1 == len(p) || p[i+1] == ':')
	})
}

// match matches the pattern with a whole text. reaches reports whether the wildcard at
// an index of the pattern may stand for a character. It takes time in proportion to the
// product of both lengths, whatever the pattern.
func (p pattern) match(text string, reaches func(wildcard int, c rune) bool) bool {
	// current holds, for each index of the pattern, whether the part before the index
	// matches the text read so far.
	current, next := make([]bool, len(p)+1), make([]bool, len(p)+1)
	current[0] = true
	p.skipStars(current)
	for _, c := range text {
		clear(next)
		for i, want := range p {
			if !current[i] {
				continue
			}
			switch {
			case want == anyText && reaches(i, c):
				next[i] = true
			case want == anyRune && reaches(i, c), want == c:
				next[i+1] = true
			}
		}
		p.skipStars(next)
		current, next = next, current
	}
	return current[len(p)]
}

// skipStars lets asterisks stand for nothing.
func (p pattern) skipStars(reached []bool) {
	for i, want := range p {
		if want == anyText && reached[i] {
			reached[i+1] = true
		}
	}
}
