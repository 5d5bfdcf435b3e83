package authorization

import (
	"sync"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

// maxDocuments is how many parsed documents are remembered. An account of the local
// cloud has far fewer.
const maxDocuments = 512

// documents parses documents and remembers the results, because every call needs those
// of its caller. The zero value is ready for use.
type documents struct {
	mu     sync.Mutex
	byText map[source]*policydocument.Document
}

type source struct {
	kind policydocument.Kind
	text string
}

func (d *documents) parse(kind policydocument.Kind, text string) (*policydocument.Document, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if document, ok := d.byText[source{kind, text}]; ok {
		return document, nil
	}
	document, err := policydocument.Parse(kind, text)
	if err != nil {
		return nil, err
	}
	if d.byText == nil || len(d.byText) >= maxDocuments {
		d.byText = map[source]*policydocument.Document{}
	}
	d.byText[source{kind, text}] = document
	return document, nil
}
