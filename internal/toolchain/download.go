package toolchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// answerTimeout is how long a place may take to answer a question. A firewall that
	// drops packets would otherwise cost minutes.
	answerTimeout = 10 * time.Second
	// documentTimeout is how long a document may take.
	documentTimeout = 2 * time.Minute
	// maxDocument limits documents that are read whole; the registry's are the largest.
	maxDocument = 64 << 20
)

// statusError is an answer that is not 200.
type statusError struct {
	url    string
	status int
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s answers %d %s", e.url, e.status, http.StatusText(e.status))
}

// isAbsent reports whether a server answered that it does not have a document.
func isAbsent(err error) bool {
	var status *statusError
	return errors.As(err, &status) && (status.status == http.StatusNotFound || status.status == http.StatusGone)
}

// open starts a download. The caller closes the body.
func (f *Fetcher) open(ctx context.Context, url, accept string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := f.client().Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, &statusError{request.URL.Redacted(), response.StatusCode}
	}
	return response, nil
}

// document returns a document.
func (f *Fetcher) document(ctx context.Context, url, accept string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, documentTimeout)
	defer cancel()
	answer := time.AfterFunc(answerTimeout, cancel)
	response, err := f.open(ctx, url, accept)
	if err != nil {
		if !answer.Stop() && ctx.Err() != nil {
			err = fmt.Errorf("%s does not answer within %v", url, answerTimeout)
		}
		return nil, err
	}
	answer.Stop()
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxDocument))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", url, err)
	}
	return data, nil
}

// readJSON decodes a document.
func (f *Fetcher) readJSON(ctx context.Context, url, accept string, into any) error {
	data, err := f.document(ctx, url, accept)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read %s: %w", url, err)
	}
	return nil
}

// download calls read with an archive's bytes, and then compares their checksum. What
// read made is worth nothing if download returns an error.
func (f *Fetcher) download(ctx context.Context, url string, want checksum, read func(io.Reader) error) error {
	response, err := f.open(ctx, url, "")
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	hash := want.new()
	body := io.TeeReader(&counter{Reader: response.Body, total: response.ContentLength, report: f.Progress}, hash)
	readErr := read(body)
	if _, err := io.Copy(io.Discard, body); err != nil { // what follows the end of the archive
		return fmt.Errorf("download %s: %w", url, err)
	}
	if err := want.compare(hash, url); err != nil {
		return err
	}
	if readErr != nil {
		return fmt.Errorf("unpack %s: %w", url, readErr)
	}
	return nil
}

// counter reports how many bytes were read.
type counter struct {
	io.Reader
	done, total int64
	report      func(done, total int64)
}

// Read reads and reports.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.done += int64(n)
	if c.report != nil && n > 0 {
		c.report(c.done, c.total)
	}
	return n, err
}
