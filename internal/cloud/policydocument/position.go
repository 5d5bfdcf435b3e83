package policydocument

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Position is a place in the text of a document. Line and column count from 1, the column in
// characters.
type Position struct{ Line, Column int }

// Span is where the text of a statement is: between what precedes it, or the start of its content
// if it is the only one and not in a list, and the character after its end. These are the positions of
// IAM's policy simulator.
type Span struct{ Start, End Position }

// Spans returns where the statements of a valid document are.
func Spans(text string) []Span {
	d := json.NewDecoder(strings.NewReader(text))
	_, _ = d.Token() // the document is valid: it is an object
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil
		}
		if name == "Statement" {
			end := int(d.InputOffset())
			return spansIn(text, end-len(value), value)
		}
	}
	return nil
}

// spansIn returns where statements are, which begin at an offset of the text.
func spansIn(text string, offset int, statements []byte) []Span {
	if statements[0] == '{' {
		return []Span{{positionAt(text, offset+1), positionAt(text, offset+len(statements))}}
	}
	d := json.NewDecoder(bytes.NewReader(statements))
	_, _ = d.Token() // the start of the list
	var spans []Span
	for start := offset + int(d.InputOffset()); d.More(); {
		var statement json.RawMessage
		if d.Decode(&statement) != nil {
			return nil
		}
		end := offset + int(d.InputOffset())
		spans = append(spans, Span{positionAt(text, start), positionAt(text, end)})
		start = end
	}
	return spans
}

func positionAt(text string, offset int) Position {
	before := text[:offset]
	return Position{
		Line:   1 + strings.Count(before, "\n"),
		Column: 1 + utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]),
	}
}
