//go:build linux

package client

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/test/simulation"
)

// cli is the aws command with an endpoint and a folder for its files.
type cli struct {
	t        *testing.T
	endpoint string
	dir      string
}

func newCLI(t *testing.T, endpoint string) *cli {
	t.Helper()
	if _, err := exec.LookPath("aws"); err != nil {
		t.Fatal("the test needs the aws command: ", err)
	}
	return &cli{t, endpoint, t.TempDir()}
}

// run runs the command and returns what it prints.
func (c *cli) run(args ...string) (string, error) {
	cmd := exec.CommandContext(c.t.Context(), "aws", args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+c.endpoint, "AWS_ACCESS_KEY_ID=AKIAALOFT",
		"AWS_SECRET_ACCESS_KEY=secret", "AWS_DEFAULT_REGION="+simulation.Region, "AWS_CONFIG_FILE=/dev/null",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "NO_PROXY=127.0.0.1,localhost")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c *cli) must(args ...string) string {
	c.t.Helper()
	out, err := c.run(args...)
	if err != nil {
		c.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// file writes a file of random content and returns it. The file is old: S3 keeps times in whole
// seconds, and sync uploads what seems newer than its object.
func (c *cli) file(name string, size int) []byte {
	c.t.Helper()
	content := make([]byte, size)
	_, _ = rand.Read(content)
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		c.t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		c.t.Fatal(err)
	}
	return content
}

func (c *cli) same(name string, want []byte) {
	c.t.Helper()
	if got, err := os.ReadFile(filepath.Join(c.dir, name)); err != nil || !bytes.Equal(got, want) {
		c.t.Errorf("%s has %d bytes that differ, %v", name, len(got), err)
	}
}

// contains checks that an output has a text.
func (c *cli) contains(out, want string) {
	c.t.Helper()
	if !strings.Contains(out, want) {
		c.t.Errorf("%q is not in:\n%s", want, out)
	}
}

func TestTheAWSCommandWorksWithBuckets(t *testing.T) {
	t.Parallel()
	c := newCLI(t, simulation.New(t).Serve(t))
	c.must("s3", "mb", "s3://team-files")
	c.contains(c.must("s3", "ls"), "team-files")

	small, large := c.file("small.txt", 1000), c.file("large.bin", 20<<20+1) // the large one in parts
	c.must("s3", "cp", "small.txt", "s3://team-files/a folder/small ü+%.txt")
	c.must("s3", "cp", "large.bin", "s3://team-files/large.bin")
	c.contains(c.must("s3", "ls", "s3://team-files/"), "PRE a folder/")
	c.contains(c.must("s3", "ls", "s3://team-files", "--recursive"), "20971521 large.bin")
	c.must("s3", "cp", "s3://team-files/a folder/small ü+%.txt", "small.back")
	c.must("s3", "cp", "s3://team-files/large.bin", "large.back")
	c.same("small.back", small)
	c.same("large.back", large)

	c.must("s3", "cp", "s3://team-files/large.bin", "s3://team-files/copies/large.bin")
	c.must("s3", "mv", "s3://team-files/copies/large.bin", "moved.back")
	c.same("moved.back", large)
	c.must("s3api", "get-object", "--bucket", "team-files", "--key", "large.bin", "--range", "bytes=8388600-8388620",
		"part")
	c.same("part", large[8388600:8388621])

	for _, name := range []string{"site/a", "site/b/c", "site/b/d"} {
		c.file(name, 100)
	}
	c.must("s3", "sync", "site", "s3://team-files/site")
	c.must("s3", "rm", "s3://team-files/site/b/c")
	if out := c.must("s3", "sync", "site", "s3://team-files/site"); strings.Count(out, "upload:") != 1 {
		t.Errorf("a second sync uploads:\n%s", out)
	}
	c.must("s3", "sync", "s3://team-files/site", "copy")
	for _, name := range []string{"a", "b/d"} {
		content, err := os.ReadFile(filepath.Join(c.dir, "site", name))
		if err != nil {
			t.Fatal(err)
		}
		c.same(filepath.Join("copy", name), content)
	}

	link := strings.TrimSpace(c.must("s3", "presign", "s3://team-files/a folder/small ü+%.txt"))
	response, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if got, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(got, small) {
		t.Errorf("the link %s returns %s: %s", link, response.Status, got)
	}

	if out, err := c.run("s3", "rb", "s3://team-files"); err == nil {
		t.Errorf("a bucket with objects is deleted: %s", out)
	} else {
		c.contains(out, "BucketNotEmpty")
	}
	c.must("s3", "rb", "--force", "s3://team-files")
	if out := c.must("s3", "ls"); strings.TrimSpace(out) != "" {
		t.Errorf("left: %s", out)
	}
	if out, err := c.run("s3", "cp", "small.txt", "s3://team-files/x"); err == nil {
		t.Errorf("an object is in a bucket that does not exist: %s", out)
	} else {
		c.contains(out, "NoSuchBucket")
	}
}

func TestTheAWSCommandConfiguresBuckets(t *testing.T) {
	t.Parallel()
	c := newCLI(t, simulation.New(t).Serve(t))
	api := func(args ...string) string {
		t.Helper()
		return c.must(append([]string{"s3api", args[0], "--bucket", "settings"}, args[1:]...)...)
	}
	api("create-bucket", "--create-bucket-configuration", "LocationConstraint=eu-west-1")
	c.contains(api("get-bucket-location"), "eu-west-1")
	api("head-bucket")
	api("put-bucket-tagging", "--tagging", "TagSet=[{Key=team,Value=web}]")
	c.contains(api("get-bucket-tagging"), `"web"`)
	api("put-bucket-lifecycle-configuration", "--lifecycle-configuration",
		`{"Rules": [{"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "AWSLogs/"},
		  "Expiration": {"Days": 30}}]}`)
	c.contains(api("get-bucket-lifecycle-configuration"), `"Days": 30`)
	policy := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ` +
		`"logdelivery.elasticloadbalancing.amazonaws.com"}, "Action": "s3:PutObject", "Resource": ` +
		`"arn:aws:s3:::settings/AWSLogs/000000000000/*"}]}`
	api("put-bucket-policy", "--policy", policy)
	c.contains(api("get-bucket-policy"), "logdelivery")
	c.contains(api("get-public-access-block"), `"BlockPublicPolicy": true`)
	c.contains(api("get-bucket-encryption"), "AES256")
	c.contains(api("get-bucket-ownership-controls"), "BucketOwnerEnforced")
	if out := api("get-bucket-versioning"); strings.Contains(out, "Status") {
		t.Errorf("versioning: %s", out)
	}
	api("put-bucket-versioning", "--versioning-configuration", "Status=Enabled")
	c.contains(api("get-bucket-versioning"), `"Status": "Enabled"`)
	api("put-bucket-cors", "--cors-configuration",
		`{"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}`)
	c.contains(api("get-bucket-cors"), "AllowedOrigins")
	api("delete-bucket-cors")
	api("put-bucket-policy", "--policy", strings.Replace(policy, "Allow", "Deny", 1))
	c.contains(api("get-bucket-policy"), "Deny")
	public := strings.Replace(policy, `{"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}`, `"*"`, 1)
	for operation, want := range map[string][]string{
		"NotImplemented) when calling the PutBucketWebsite": {
			"put-bucket-website", "--website-configuration", `{"IndexDocument": {"Suffix": "index.html"}}`,
		},
		"prevented by the BlockPublicPolicy": {"put-bucket-policy", "--policy", public},
		"AccessControlListNotSupported":      {"put-object", "--key", "k", "--acl", "public-read"},
		"encryption of objects with AWS KMS keys": {
			"put-bucket-encryption", "--server-side-encryption-configuration",
			`{"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}`,
		},
		"transitions of objects to other storage classes": {
			"put-bucket-lifecycle-configuration", "--lifecycle-configuration",
			`{"Rules": [{"Status": "Enabled", "Filter": {"Prefix": ""},
			  "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]}]}`,
		},
		"storage class GLACIER": {"put-object", "--key", "k", "--storage-class", "GLACIER"},
		"NoSuchUpload":          {"list-parts", "--key", "k", "--upload-id", "x"},
		"(404) when calling the HeadObject operation: Not Found": {"head-object", "--key", "k"},
		"(NoSuchKey) when calling the GetObject operation":       {"get-object", "--key", "k", "out"},
	} {
		if out, err := c.run(append([]string{"s3api", want[0], "--bucket", "settings"}, want[1:]...)...); err == nil {
			t.Errorf("%v succeeds: %s", want, out)
		} else {
			c.contains(out, operation)
		}
	}
	api("delete-bucket-policy")
	api("delete-bucket-lifecycle")
	api("delete-bucket-tagging")
	api("delete-bucket")
}
