// Package awsapi provides configured clients of the AWS SDK, classifies their errors,
// and polls at intervals that suit both the local cloud and AWS.
package awsapi

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"aloft.dev/aloft/internal/bufferedbody"
)

// Options configure the clients. As with every AWS tool, empty fields are set from
// the environment and the shared configuration files.
type Options struct {
	Region      string
	Profile     string                  // of the shared configuration files
	Endpoint    string                  // base URL of all services; AWS's if empty
	Credentials aws.CredentialsProvider // replaces the default chain
	HTTPClient  aws.HTTPClient          // replaces the default client
	MaxBackoff  time.Duration           // longest pause before a retry; 10 s if zero
}

// Client holds the clients of the services that the deployer uses.
type Client struct {
	Region string
	EC2    *ec2.Client
	ELB    *elasticloadbalancingv2.Client
	ASG    *autoscaling.Client
	CW     *cloudwatch.Client
	SSM    *ssm.Client
	STS    *sts.Client
}

const (
	// maxAttempts exceeds the SDK's default of three, because a deployment makes
	// bursts of calls, and EC2 throttles bursts.
	maxAttempts = 12
	maxBackoff  = 10 * time.Second
	callTimeout = time.Minute // of one attempt
)

// New returns the clients. It makes no calls.
func New(ctx context.Context, o Options) (*Client, error) {
	load := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(so *retry.StandardOptions) {
				so.MaxAttempts = maxAttempts
				so.MaxBackoff = cmp.Or(o.MaxBackoff, maxBackoff)
				so.Retryables = append(so.Retryables, retryLostResponses)
				so.RateLimiter = ratelimit.None // maxAttempts and the context bound the attempts
			})
		}),
		config.WithLogger(logging.Nop{}), // the SDK's log lines would mix with the events of the run
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	if o.Endpoint != "" {
		load = append(load, config.WithBaseEndpoint(o.Endpoint))
	}
	if o.Credentials != nil {
		load = append(load, config.WithCredentialsProvider(o.Credentials))
	}
	client := awshttp.NewBuildableClient().WithTimeout(callTimeout)
	client = client.WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = 32 // discovery makes a dozen calls at once
	})
	load = append(load, config.WithHTTPClient(client))
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if o.HTTPClient != nil {
		cfg.HTTPClient = o.HTTPClient
	}
	cfg.HTTPClient = bufferedbody.Client{HTTPClient: cfg.HTTPClient}
	return &Client{
		Region: cfg.Region,
		EC2:    ec2.NewFromConfig(cfg),
		ELB:    elasticloadbalancingv2.NewFromConfig(cfg),
		ASG:    autoscaling.NewFromConfig(cfg),
		CW:     cloudwatch.NewFromConfig(cfg),
		SSM:    ssm.NewFromConfig(cfg),
		STS:    sts.NewFromConfig(cfg),
	}, nil
}
