package wire

import (
	"context"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

const (
	testKey    = "AKIAALOFTTEST"
	testSecret = "a secret/with+signs="
)

// inProcess passes a client's requests to a handler without a socket.
type inProcess struct{ http.Handler }

func (p inProcess) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}

func testConfig(h http.Handler) aws.Config {
	return aws.Config{
		Region: "eu-central-1", HTTPClient: inProcess{h}, BaseEndpoint: aws.String("http://127.0.0.1:4566"),
		Credentials:      credentials.NewStaticCredentialsProvider(testKey, testSecret, ""),
		RetryMaxAttempts: 1,
	}
}

func testCredentials(key, token string) (Key, error) {
	if key != testKey || token != "" {
		return Key{}, ErrUnknownKey
	}
	return Key{Secret: testSecret}, nil
}

// The test sets every field of every operation's input and output in the SDK's
// client, and compares them with what arrives on the other side.
func TestEveryOperationRoundTrips(t *testing.T) {
	tests := []struct {
		service string
		client  func(aws.Config) any
		without []string // operations that cannot be carried
	}{
		{"ec2", func(c aws.Config) any { return ec2.NewFromConfig(c) }, nil},
		{"elasticloadbalancing", func(c aws.Config) any { return elasticloadbalancingv2.NewFromConfig(c) }, nil},
		// The SDK does not sign these: the token in them proves the identity.
		{
			"sts",
			func(c aws.Config) any { return sts.NewFromConfig(c) },
			[]string{"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"},
		},
		{"route53", func(c aws.Config) any { return route53.NewFromConfig(c) }, nil},
		// The types of these contain unions.
		{"acm", func(c aws.Config) any { return acm.NewFromConfig(c) }, []string{
			"CreateAcmeDomainValidation", "CreateAcmeEndpoint",
			"DescribeAcmeDomainValidation", "DescribeAcmeEndpoint",
			"ListAcmeDomainValidations", "ListAcmeEndpoints", "ListCertificateDomainValidations",
			"SearchCertificates",
			"UpdateAcmeDomainValidation", "UpdateAcmeEndpoint",
		}},
		{"ssm", func(c aws.Config) any { return ssm.NewFromConfig(c) }, []string{
			"CreateCloudConnector", "GetCloudConnector", "GetExecutionPreview", "ListNodes",
			"StartExecutionPreview", "UpdateCloudConnector",
			"UpdateInstanceInformation", // the SDK lacks it
		}},
	}
	for _, tc := range tests {
		t.Run(tc.service, func(t *testing.T) {
			table, err := names.Load(tc.service)
			if err != nil {
				t.Fatal(err)
			}
			svc := &service{table: table, operations: map[string]*operation{}}
			h := &handler{
				Config:   Config{Credentials: testCredentials, Now: now, NewRequestID: newRequestID, Log: quiet()},
				services: map[string]*service{tc.service: svc},
			}
			client := reflect.ValueOf(tc.client(testConfig(h)))
			shapes := newShapes(table)
			count := 0
			for i := range client.NumMethod() {
				name := client.Type().Method(i).Name
				if !table.HasOperation(name) {
					continue
				}
				if slices.Contains(tc.without, name) {
					continue
				}
				count++
				t.Run(name, func(t *testing.T) { roundTrip(t, svc, shapes, name, client.Method(i)) })
			}
			if got, want := count+len(tc.without), len(table.Operations()); got != want {
				t.Errorf("tried %d operations, the table has %d", got, want)
			}
		})
	}
}

func roundTrip(t *testing.T, svc *service, shapes *shapes, name string, method reflect.Value) {
	seed := fnv.New64a()
	seed.Write([]byte(name))
	f := newFiller(t, seed.Sum64())
	inType, outType := method.Type().In(1), method.Type().Out(0)
	in, out := reflect.New(inType.Elem()), reflect.New(outType.Elem())
	f.fill(in.Elem())
	f.millis = true
	f.fill(out.Elem())

	var arrived any
	serve := reflect.FuncOf([]reflect.Type{contextType, inType}, []reflect.Type{outType, errorType}, false)
	op, err := newOperation(shapes, name, reflect.MakeFunc(serve, func(args []reflect.Value) []reflect.Value {
		arrived = args[1].Interface()
		return []reflect.Value{out, reflect.Zero(errorType)}
	}))
	if err != nil {
		t.Fatal(err)
	}
	svc.operations[name] = op

	results := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), in})
	if err, failed := results[1].Interface().(error); failed {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in.Interface(), arrived, sameValues); diff != "" {
		t.Errorf("input, sent (-) and arrived (+):\n%s", diff)
	}
	if diff := cmp.Diff(out.Interface(), results[0].Interface(), sameValues); diff != "" {
		t.Errorf("output, sent (-) and arrived (+):\n%s", diff)
	}
}

// sameValues ignores what is not encoded: the SDK's metadata and unexported
// fields.
var sameValues = cmp.Options{
	cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		if !ok {
			return false
		}
		return f.Name() == "ResultMetadata" || !exported(f.Name())
	}, cmp.Ignore()),
	// The SDK truncates JSON's fractional seconds, sometimes to the millisecond before.
	cmpopts.EquateApproxTime(time.Millisecond),
}

func exported(name string) bool { return name[0] >= 'A' && name[0] <= 'Z' }
