// Package wiretest serves an API to the SDK's clients in tests.
package wiretest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"aloft.dev/aloft/internal/bufferedbody"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Serve serves services on a loopback address until the test ends, and returns the
// configuration of a client of theirs in a region: one that asks once, so that what
// went wrong is seen and not tried again.
func Serve(t testing.TB, region string, services ...wire.Service) aws.Config {
	t.Helper()
	handler, err := wire.NewHandler(wire.Config{
		Services:    services,
		Credentials: func(key string) (string, bool) { return "secret", key == "key" },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return Client(t, region, server.URL)
}

// Client is the configuration of a client of a near cloud.
func Client(t testing.TB, region, url string) aws.Config {
	connections := &http.Transport{MaxIdleConnsPerHost: 32}
	t.Cleanup(connections.CloseIdleConnections)
	return aws.Config{
		Region: region, BaseEndpoint: &url, RetryMaxAttempts: 1,
		HTTPClient:  bufferedbody.Client{HTTPClient: &http.Client{Transport: connections}},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}
}
