// Package awsapi is the edge to AWS: configured clients of the SDK, classes of
// errors, and waiting that is quick on a near cloud and gentle on a far one.
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

// Options say which AWS to speak to, and as whom. What is left empty comes from
// the environment and the shared configuration files, as with every AWS tool.
type Options struct {
	Region      string
	Profile     string                  // of the shared configuration files
	Endpoint    string                  // base URL of all services; AWS's own by default
	Credentials aws.CredentialsProvider // instead of the default chain
	HTTPClient  aws.HTTPClient          // instead of one of our own
	MaxBackoff  time.Duration           // the longest pause before a call is sent again; ten seconds by default
}

// Client is the services that the deployer uses.
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
	// maxAttempts is above the SDK's three: a deployment makes bursts of calls,
	// and EC2 throttles bursts.
	maxAttempts = 12
	maxBackoff  = 10 * time.Second
)

// New makes the clients. It sends nothing.
func New(ctx context.Context, o Options) (*Client, error) {
	load := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(so *retry.StandardOptions) {
				so.MaxAttempts = maxAttempts
				so.MaxBackoff = cmp.Or(o.MaxBackoff, maxBackoff)
				so.Retryables = append(so.Retryables, lostAgain)
				so.RateLimiter = ratelimit.None // attempts are bounded by their number and by the context
			})
		}),
		config.WithLogger(logging.Nop{}), // the SDK's own lines would fall into the story of the run
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
	load = append(
		load,
		config.WithHTTPClient(
			awshttp.NewBuildableClient().WithTimeout(time.Minute).WithTransportOptions(func(t *http.Transport) {
				t.MaxIdleConnsPerHost = 32 // discovery asks a dozen questions at once
			}),
		),
	)
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
