//go:build linux

package release

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/test/simulation"
)

// forbidding is a transport to a cloud that does not allow some operations of IAM.
type forbidding struct {
	next       http.RoundTripper
	operations []string
}

func (f forbidding) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if !slices.Contains(f.operations, simulation.Operation(r, body)) {
		return f.next.RoundTrip(r)
	}
	const text = `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error>` +
		`</ErrorResponse>`
	return &http.Response{
		StatusCode: http.StatusForbidden, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(text)), Request: r,
	}, nil
}

// ownRole creates a role with an instance profile of the same name.
func ownRole(t *testing.T, c *simulation.Cloud, name string) {
	t.Helper()
	client := c.Client(t, nil).IAM
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
		`"Principal":{"Service":"ec2.amazonaws.com"}}]}`
	_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: aws.String(trust),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: &name})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.AddRoleToInstanceProfile(t.Context(), &iam.AddRoleToInstanceProfileInput{
		InstanceProfileName: &name, RoleName: &name,
	})
	if err != nil {
		t.Fatal(err)
	}
}
