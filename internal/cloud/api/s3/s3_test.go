package s3_test

import (
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	api "aloft.dev/aloft/internal/cloud/api/s3"
	"aloft.dev/aloft/internal/cloud/objectfile"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// world is S3 with a client. Tests set its time.
type world struct {
	*testing.T
	*s3.Client
	api   *api.API
	store *store.Store
	files string // folder

	mu  sync.Mutex
	now time.Time // zero: the real time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	data, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, store: data, files: t.TempDir()}
	files, err := objectfile.Open(w.files, seal.NewSecret())
	if err != nil {
		t.Fatal(err)
	}
	w.api = api.New(api.Config{Store: data, Files: files, Log: slog.New(slog.DiscardHandler), Now: w.time})
	w.Client = s3.NewFromConfig(wiretest.Serve(t, "us-east-1", wire.Service{
		Name: "s3", API: w.api, CrossOrigin: w.api.CrossOrigin,
	}))
	w.ok(w.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bkt")}))
	return w
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now.IsZero() {
		return time.Now()
	}
	return w.now
}

func (w *world) set(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
}

func (w *world) ok(_ any, err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// refused checks the code of an error.
func (w *world) refused(err error, code string) {
	w.Helper()
	known, ok := errors.AsType[smithy.APIError](err)
	if !ok || known.ErrorCode() != code {
		w.Errorf("got %v, want %s", err, code)
	}
}

func (w *world) put(key, content string) {
	w.Helper()
	w.ok(w.PutObject(w.Context(), &s3.PutObjectInput{
		Bucket: aws.String("bkt"), Key: &key, Body: strings.NewReader(content),
	}))
}

// get returns the content of an object, or the code of the error.
func (w *world) get(key string) string {
	w.Helper()
	out, err := w.GetObject(w.Context(), &s3.GetObjectInput{Bucket: aws.String("bkt"), Key: &key})
	if known, ok := errors.AsType[smithy.APIError](err); ok {
		return known.ErrorCode()
	}
	w.ok(out, err)
	content, err := io.ReadAll(out.Body)
	w.ok(nil, errors.Join(err, out.Body.Close()))
	return string(content)
}

// onDisk returns the number of files with content.
func (w *world) onDisk() int {
	w.Helper()
	paths, err := filepath.Glob(filepath.Join(w.files, "*", "*"))
	w.ok(paths, err)
	return len(paths)
}
