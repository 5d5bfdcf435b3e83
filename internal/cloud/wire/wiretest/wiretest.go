// Package wiretest serves AWS APIs to the SDK's clients in tests.
package wiretest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	static "github.com/aws/aws-sdk-go-v2/credentials"

	"aloft.dev/aloft/internal/bufferedbody"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Serve serves the services on a loopback address until the test ends. It returns
// the configuration of a client that does not retry, so that tests see every
// failure.
func Serve(t testing.TB, region string, services ...wire.Service) aws.Config {
	t.Helper()
	handler, err := wire.NewHandler(wire.Config{
		Services:    services,
		Credentials: credentials,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return Client(t, region, server.URL)
}

// credentials returns the only access key, which has no session token.
func credentials(accessKeyID, token string) (wire.Key, error) {
	if accessKeyID != "key" || token != "" {
		return wire.Key{}, wire.ErrUnknownKey
	}
	return wire.Key{Secret: "secret"}, nil
}

// Client returns the configuration of a client that does not retry, for an
// endpoint on this host.
func Client(t testing.TB, region, url string) aws.Config {
	connections := &http.Transport{MaxIdleConnsPerHost: 32}
	t.Cleanup(connections.CloseIdleConnections)
	return aws.Config{
		Region: region, BaseEndpoint: &url, RetryMaxAttempts: 1,
		HTTPClient:  bufferedbody.Client{HTTPClient: &http.Client{Transport: connections}},
		Credentials: static.NewStaticCredentialsProvider("key", "secret", ""),
	}
}
