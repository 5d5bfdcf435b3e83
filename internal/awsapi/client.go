// Package awsapi provides configured clients of the AWS SDK, classifies their errors,
// and polls at intervals that suit both the local cloud and AWS.
package awsapi

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"aloft.dev/aloft/internal/bufferedbody"
)

// Options configure the clients. As with every AWS tool, empty fields are set from
// the environment and the shared configuration files, unless Credentials are given.
type Options struct {
	Region        string
	DefaultRegion string                  // region if nothing names one
	Profile       string                  // of the shared configuration files
	Endpoint      string                  // base URL of all services, whatever else names one; AWS's if empty
	Credentials   aws.CredentialsProvider // replaces the default chain; environment and files are not read
	HTTPClient    aws.HTTPClient          // replaces the default client
	MaxBackoff    time.Duration           // longest pause before a retry; 10 s if zero

	// Dial replaces the default client's way to connect.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// TokenCode returns the code of the MFA device with the given serial number, for
	// profiles with mfa_serial. If it is nil, such profiles fail.
	TokenCode func(serial string) (string, error)
}

// Client holds the clients of the services that the deployer uses.
type Client struct {
	Region     string
	RegionFrom RegionSource // which source named Region
	EC2        *ec2.Client
	Connect    *ec2instanceconnect.Client
	ELB        *elasticloadbalancingv2.Client
	ASG        *autoscaling.Client
	CW         *cloudwatch.Client
	Logs       *cloudwatchlogs.Client
	SSM        *ssm.Client
	IAM        *iam.Client
	ACM        *acm.Client
	DNS        *route53.Client
	STS        *sts.Client
	Quotas     *servicequotas.Client
	SNS        *sns.Client
	S3         *s3.Client

	config  aws.Config
	dial    func(ctx context.Context, network, address string) (net.Conn, error) // nil: the default
	profile profile
	own     bool // the endpoint is not AWS's
}

const (
	// maxAttempts exceeds the SDK's default of three, because a deployment makes
	// bursts of calls, and EC2 throttles bursts.
	maxAttempts = 12
	maxBackoff  = 10 * time.Second
	callTimeout = time.Minute // of one attempt
)

// New returns the clients. It makes no calls. Its errors are diagnostics.
func New(ctx context.Context, o Options) (*Client, error) {
	transport := awshttp.NewBuildableClient().WithTimeout(callTimeout)
	transport = transport.WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = 32 // discovery makes a dozen calls at once
		if o.Dial != nil {
			t.DialContext = o.Dial
		}
	})
	client := &Client{RegionFrom: RegionGiven, own: o.Endpoint != "", dial: o.Dial}
	if o.Credentials != nil {
		client.config = aws.Config{
			Region: o.Region, Credentials: o.Credentials, Retryer: o.retryer, HTTPClient: transport,
		}
	} else if err := client.load(ctx, o, transport); err != nil {
		return nil, err
	}
	cfg := &client.config
	client.Region = cfg.Region
	cfg.Logger = logging.Nop{} // the SDK's log lines would mix with the events of the run
	if o.HTTPClient != nil {
		cfg.HTTPClient = o.HTTPClient
	}
	cfg.HTTPClient = bufferedbody.Client{HTTPClient: cfg.HTTPClient}
	client.connect(o.Endpoint)
	return client, nil
}

// retryer returns the retryer of all clients.
func (o Options) retryer() aws.Retryer {
	return retry.NewStandard(func(so *retry.StandardOptions) {
		so.MaxAttempts = maxAttempts
		so.MaxBackoff = cmp.Or(o.MaxBackoff, maxBackoff)
		so.Retryables = append([]retry.IsErrorRetryable{refuseCapacity}, so.Retryables...)
		so.Retryables = append(so.Retryables, retryMore)
		so.RateLimiter = ratelimit.None // maxAttempts and the context bound the attempts
	})
}

// connect creates the clients. endpoint, if it is not "", also replaces endpoints of
// single services that the environment or a profile names, such as AWS_ENDPOINT_URL_EC2.
func (c *Client) connect(endpoint string) {
	var base *string
	if endpoint != "" {
		base = &endpoint
	}
	c.EC2 = ec2.NewFromConfig(c.config, func(o *ec2.Options) { o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint) })
	c.Connect = ec2instanceconnect.NewFromConfig(c.config, func(o *ec2instanceconnect.Options) {
		o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint)
	})
	c.ELB = elasticloadbalancingv2.NewFromConfig(c.config, func(o *elasticloadbalancingv2.Options) {
		o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint)
	})
	c.ASG = autoscaling.NewFromConfig(c.config, func(o *autoscaling.Options) {
		o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint)
	})
	c.CW = cloudwatch.NewFromConfig(c.config, func(o *cloudwatch.Options) {
		o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint)
	})
	c.Logs = cloudwatchlogs.NewFromConfig(c.config, func(o *cloudwatchlogs.Options) {
		o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint)
	})
	c.SSM = ssm.NewFromConfig(c.config, func(o *ssm.Options) { o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint) })
	c.IAM = iam.NewFromConfig(c.config, func(o *iam.Options) { o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint) })
	c.ACM = acm.NewFromConfig(c.config, func(o *acm.Options) { o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint) })
	c.DNS = route53.NewFromConfig(c.config, func(o *route53.Options) { o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint) })
	c.STS = sts.NewFromConfig(c.config, func(o *sts.Options) { o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint) })
	c.SNS = sns.NewFromConfig(c.config, func(o *sns.Options) { o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint) })
	c.S3 = s3.NewFromConfig(c.config, func(o *s3.Options) {
		o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint)
		o.UsePathStyle = o.BaseEndpoint != nil // the endpoint's host has one name
	})
	c.Quotas = servicequotas.NewFromConfig(c.config, func(o *servicequotas.Options) {
		o.BaseEndpoint = cmp.Or(base, o.BaseEndpoint)
	})
}

// Endpoints returns the base URLs that are set for services, by the service's name in
// AWS_ENDPOINT_URL_<SERVICE> (AWS SDKs and Tools Reference Guide, "Service-specific
// endpoints"). A service without one uses AWS's endpoint of the region.
func (c *Client) Endpoints() map[string]string {
	set := map[string]string{}
	for name, endpoint := range map[string]*string{
		"EC2":                       c.EC2.Options().BaseEndpoint,
		"EC2_INSTANCE_CONNECT":      c.Connect.Options().BaseEndpoint,
		"ELASTIC_LOAD_BALANCING_V2": c.ELB.Options().BaseEndpoint,
		"AUTO_SCALING":              c.ASG.Options().BaseEndpoint,
		"CLOUDWATCH":                c.CW.Options().BaseEndpoint,
		"CLOUDWATCH_LOGS":           c.Logs.Options().BaseEndpoint,
		"SSM":                       c.SSM.Options().BaseEndpoint,
		"ACM":                       c.ACM.Options().BaseEndpoint,
		"ROUTE_53":                  c.DNS.Options().BaseEndpoint,
		"IAM":                       c.IAM.Options().BaseEndpoint,
		"STS":                       c.STS.Options().BaseEndpoint,
		"SNS":                       c.SNS.Options().BaseEndpoint,
		"S3":                        c.S3.Options().BaseEndpoint,
		"SERVICE_QUOTAS":            c.Quotas.Options().BaseEndpoint,
	} {
		if endpoint != nil && *endpoint != "" {
			set[name] = *endpoint
		}
	}
	return set
}

// PriceList returns a client of the Price List API, which only some regions serve. Each
// request is sent at most n times.
func (c *Client) PriceList(region string, n int) *pricing.Client {
	return pricing.NewFromConfig(c.config, func(o *pricing.Options) {
		o.Region, o.RetryMaxAttempts = region, n
		if c.own {
			o.BaseEndpoint = c.EC2.Options().BaseEndpoint
		}
	})
}

// ConfigOf returns what clients of a region's services are created from.
func (c *Client) ConfigOf(region string) aws.Config {
	config := c.config.Copy()
	config.Region = region
	if c.own {
		config.BaseEndpoint = c.EC2.Options().BaseEndpoint
	}
	return config
}

// WithAttempts returns clients that send each request at most n times.
func (c *Client) WithAttempts(n int) *Client {
	few := *c
	few.EC2 = ec2.New(c.EC2.Options(), func(o *ec2.Options) { o.RetryMaxAttempts = n })
	few.Connect = ec2instanceconnect.New(c.Connect.Options(), func(o *ec2instanceconnect.Options) {
		o.RetryMaxAttempts = n
	})
	few.ELB = elasticloadbalancingv2.New(c.ELB.Options(), func(o *elasticloadbalancingv2.Options) {
		o.RetryMaxAttempts = n
	})
	few.ASG = autoscaling.New(c.ASG.Options(), func(o *autoscaling.Options) { o.RetryMaxAttempts = n })
	few.CW = cloudwatch.New(c.CW.Options(), func(o *cloudwatch.Options) { o.RetryMaxAttempts = n })
	few.Logs = cloudwatchlogs.New(c.Logs.Options(), func(o *cloudwatchlogs.Options) { o.RetryMaxAttempts = n })
	few.SSM = ssm.New(c.SSM.Options(), func(o *ssm.Options) { o.RetryMaxAttempts = n })
	few.IAM = iam.New(c.IAM.Options(), func(o *iam.Options) { o.RetryMaxAttempts = n })
	few.ACM = acm.New(c.ACM.Options(), func(o *acm.Options) { o.RetryMaxAttempts = n })
	few.DNS = route53.New(c.DNS.Options(), func(o *route53.Options) { o.RetryMaxAttempts = n })
	few.STS = sts.New(c.STS.Options(), func(o *sts.Options) { o.RetryMaxAttempts = n })
	few.SNS = sns.New(c.SNS.Options(), func(o *sns.Options) { o.RetryMaxAttempts = n })
	few.Quotas = servicequotas.New(c.Quotas.Options(), func(o *servicequotas.Options) { o.RetryMaxAttempts = n })
	return &few
}
