// Command gen generates the tables of package names.
//
// It reads the sources of the AWS SDK for Go v2 in the versions that go.mod
// requires. Their generated serializers and deserializers contain the wire names
// of exactly the types that this module is compiled with. AWS's older model files
// (aws-sdk-go v1.55.8) do not: they agree on every member that both have, but
// lack a quarter of the members of the v2 types.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// service is an AWS API with the location of its SDK module and the facts about
// its protocol that the SDK's sources do not contain. Namespaces and target
// prefixes are from each service's API reference.
type service struct {
	module    string // last part of the SDK's module path
	signing   string
	protocol  names.Protocol
	namespace string
	target    string
	also      []names.Protocol // other protocols, with the same names
	agent     []string         // operations of AWS's agents, which the SDK lacks; their names follow the rule
	roots     []string         // Amazon S3's responses: operation and name of the document's root
}

var services = []service{
	{module: "ec2", signing: "ec2", protocol: names.EC2, namespace: "http://ec2.amazonaws.com/doc/2016-11-15/"},
	{
		module:    "elasticloadbalancingv2",
		signing:   "elasticloadbalancing",
		protocol:  names.Query,
		namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
	},
	{
		module:    "autoscaling",
		signing:   "autoscaling",
		protocol:  names.Query,
		namespace: "http://autoscaling.amazonaws.com/doc/2011-01-01/",
	},
	{module: "sts", signing: "sts", protocol: names.Query, namespace: "https://sts.amazonaws.com/doc/2011-06-15/"},
	{
		module:    "cloudwatch",
		signing:   "monitoring",
		protocol:  names.Query,
		namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
		target:    "GraniteServiceVersion20100801",
		also:      []names.Protocol{names.CBOR, names.JSON},
	},
	{
		module: "ssm", signing: "ssm", protocol: names.JSON, target: "AmazonSSM",
		agent: []string{"UpdateInstanceInformation"},
	},
	{module: "acm", signing: "acm", protocol: names.JSON, target: "CertificateManager"},
	{module: "servicequotas", signing: "servicequotas", protocol: names.JSON, target: "ServiceQuotasV20190624"},
	{module: "iam", signing: "iam", protocol: names.Query, namespace: "https://iam.amazonaws.com/doc/2010-05-08/"},
	{
		module:    "route53",
		signing:   "route53",
		protocol:  names.RestXML,
		namespace: "https://route53.amazonaws.com/doc/2013-04-01/",
	},
	{
		module: "ec2instanceconnect", signing: "ec2-instance-connect", protocol: names.JSON,
		target: "AWSEC2InstanceConnectService",
	},
	{module: "secretsmanager", signing: "secretsmanager", protocol: names.JSON, target: "secretsmanager"},
	{
		module:    "sns",
		signing:   "sns",
		protocol:  names.Query,
		namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
	},
	{module: "cloudwatchlogs", signing: "logs", protocol: names.JSON, target: "Logs_20140328"},
	{
		module:    "s3",
		signing:   "s3",
		protocol:  names.S3,
		namespace: "http://s3.amazonaws.com/doc/2006-03-01/",
		roots: []string{
			"CompleteMultipartUpload CompleteMultipartUploadResult",
			"CreateMultipartUpload InitiateMultipartUploadResult",
			"DeleteObjects DeleteResult", "GetBucketCors CORSConfiguration",
			"GetBucketLifecycleConfiguration LifecycleConfiguration",
			"GetBucketLocation LocationConstraint", "GetBucketTagging Tagging",
			"GetBucketVersioning VersioningConfiguration", "GetObjectTagging Tagging",
			"ListBuckets ListAllMyBucketsResult", "ListMultipartUploads ListMultipartUploadsResult",
			"ListObjects ListBucketResult", "ListObjectsV2 ListBucketResult", "ListParts ListPartsResult",
			"ListObjectVersions ListVersionsResult", "GetObjectAttributes GetObjectAttributesResponse",
			"GetBucketAcl AccessControlPolicy", "GetObjectAcl AccessControlPolicy",
			"GetBucketLogging BucketLoggingStatus",
			"GetBucketNotificationConfiguration NotificationConfiguration",
			"GetBucketAccelerateConfiguration AccelerateConfiguration",
			"GetBucketRequestPayment RequestPaymentConfiguration",
			"ListBucketAnalyticsConfigurations ListBucketAnalyticsConfigurationResult",
			"ListBucketIntelligentTieringConfigurations ListBucketIntelligentTieringConfigurationsOutput",
			"ListBucketInventoryConfigurations ListInventoryConfigurationsResult",
			"ListBucketMetricsConfigurations ListMetricsConfigurationsResult",
		},
	},
}

func main() {
	for _, s := range services {
		text, err := table(s)
		if err == nil {
			err = os.WriteFile(s.signing+".txt", []byte(text), 0o644)
		}
		if err != nil {
			slog.Error("generate wire names", "service", s.signing, "error", err)
			os.Exit(1)
		}
	}
}

// table returns the text of a service's table.
func table(s service) (string, error) {
	dir, err := moduleDir("github.com/aws/aws-sdk-go-v2/service/" + s.module)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintln(&b, "# Code generated by gen from the AWS SDK for Go v2; DO NOT EDIT.")
	fmt.Fprintln(&b, "protocol", s.protocol)
	if s.namespace != "" {
		fmt.Fprintln(&b, "namespace", s.namespace)
	}
	if s.target != "" {
		fmt.Fprintln(&b, "target", s.target)
	}
	for _, p := range s.also {
		fmt.Fprintln(&b, "also", p)
	}
	operations, err := operations(dir)
	if err != nil {
		return "", err
	}
	operations = append(operations, s.agent...)
	slices.Sort(operations)
	fmt.Fprintln(&b, "operations", strings.Join(operations, " "))
	found, err := spellings(&b, s, dir)
	if err != nil {
		return "", err
	}
	nameMessages(found, operations)
	exceptions(&b, s, found)
	return b.String(), nil
}

// spellings returns the names that the SDK's sources give each field, by type and
// field, and writes the service's API version.
func spellings(b *strings.Builder, s service, dir string) (map[string]map[string]*names.Field, error) {
	requests, err := os.ReadFile(filepath.Join(dir, "serializers.go"))
	if errors.Is(err, fs.ErrNotExist) { // the SDK describes types by schemas
		schemas, err := os.ReadFile(filepath.Join(dir, "schemas", "schemas.go"))
		if err == nil && s.protocol == names.Query {
			err = queryNames(b, schemas)
		}
		return scanSchemas(schemas), err
	}
	if err != nil {
		return nil, err
	}
	responses, err := os.ReadFile(filepath.Join(dir, "deserializers.go"))
	if err != nil {
		return nil, err
	}
	switch s.protocol {
	case names.RestXML:
		return scanRest(b, requests, responses), nil
	case names.S3:
		return scanS3(b, s, dir, requests, responses)
	case names.EC2, names.Query, names.JSON, names.CBOR:
	}
	version, err := apiVersion(requests)
	fmt.Fprintln(b, "version", version)
	return scan(requests, responses), err
}

// exceptions writes one line per type with the names that do not follow the rule.
func exceptions(b *strings.Builder, s service, found map[string]map[string]*names.Field) {
	rule := &names.Table{Protocol: s.protocol}
	for _, typeName := range slices.Sorted(maps.Keys(found)) {
		var entries []string
		for _, field := range slices.Sorted(maps.Keys(found[typeName])) {
			if e := exception(field, *found[typeName][field], rule.DefaultField(field)); e != "" {
				entries = append(entries, e)
			}
		}
		if len(entries) > 0 {
			fmt.Fprintln(b, typeName, strings.Join(entries, " "))
		}
	}
}

// exception returns a field's entry, or "" if all its names follow the rule.
// Parts that follow the rule or are missing from the sources are empty.
func exception(field string, found, rule names.Field) string {
	parts := []string{found.Response, found.Request, found.Item}
	for i, byRule := range []string{rule.Response, rule.Request, rule.Item} {
		if parts[i] == byRule {
			parts[i] = ""
		}
	}
	if strings.Join(parts, "") == "" {
		return ""
	}
	return strings.TrimRight(field+":"+strings.Join(parts, ":"), ":")
}

// operations returns a service's operations, each of which has a file in the SDK.
func operations(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "api_op_*.go"))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "api_op_"), ".go")
		if !strings.HasSuffix(name, "_test") {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no operations in %s", dir)
	}
	return out, nil
}

func moduleDir(path string) (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		return "", fmt.Errorf("find module %s: %w", path, err)
	}
	return strings.TrimSpace(string(out)), nil
}
