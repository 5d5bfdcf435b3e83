//go:build linux

package release

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/rolescript"
	"aloft.dev/aloft/test/simulation"
)

// metadata serves what the script reads from the instance metadata service.
func metadata(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	for path, text := range map[string]string{
		"PUT /latest/api/token":                              "token",
		"GET /latest/meta-data/iam/security-credentials/{$}": "aloft-tutorial-us-east-1",
		"GET /latest/meta-data/placement/region":             simulation.Region,
		"GET /latest/meta-data/iam/security-credentials/aloft-tutorial-us-east-1": `{"Code": "Success",
			"AccessKeyId": "AKIAALOFT", "SecretAccessKey": "secret", "Token": ""}`,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// The script signs its requests with curl, so that an AWS API accepts them.
func TestTheScriptOnServersReadsWhatUpStored(t *testing.T) {
	for _, tool := range []string{"curl", "jq", "gunzip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v: make test installs it", err)
		}
	}
	s := environedApplication(t)
	client := s.Client(t, nil)
	_, err := client.SSM.PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String("/shop/db"), Value: aws.String("postgres://x"), Type: types.ParameterTypeSecureString,
	})
	if err != nil {
		t.Fatal(err)
	}
	endpoint := s.Serve(t)
	secrets := secretsmanager.New(secretsmanager.Options{
		Region: simulation.Region, BaseEndpoint: &endpoint, Credentials: client.SSM.Options().Credentials,
	})
	_, err = secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("stripe"), SecretString: aws.String(`{"key": "sk_1"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", installedScript(t), "tutorial")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "AWS_ENDPOINT_URL=" + endpoint, "AWS_EC2_METADATA_SERVICE_ENDPOINT=" + metadata(t),
		"ALOFT_RUN=" + dir, "ALOFT_ETC=" + dir, "ALOFT_ATTEMPTS=1", "NO_PROXY=127.0.0.1",
	}
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	text, err := os.ReadFile(dir + "/tutorial.env")
	if err != nil {
		t.Fatal(err)
	}
	const want = "LEVEL=\"hunter1\"\nTIER=\"hunter2\"\nDB=\"postgres://x\"\nKEY=\"sk_1\"\n"
	expect(t, "the file", strings.TrimSpace(string(text)), strings.TrimSpace(want))
}

// installedScript returns the path of the script beside the functions that it includes, as on
// servers.
func installedScript(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	script, err := os.ReadFile("../../internal/release/recipe/fetch-env.sh")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"env": string(script), "aws.sh": rolescript.AWS} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "env")
}
