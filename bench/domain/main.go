//go:build linux

// Command domain gives a running application a domain and HTTPS, on real machines of the local
// cloud. Clients that know the load balancer's own name request the application over HTTP all
// the time, and follow redirects, as browsers do. It prints what became of their requests, and
// then one line of JSON. No request should fail. No other local cloud may be running.
package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"aloft.dev/aloft/bench/site"
	"aloft.dev/aloft/internal/load"
)

func main() {
	b := bench{}
	flag.Float64Var(&b.rate, "rate", 300, "requests a second")
	flag.IntVar(&b.requests, "requests", 30_000, "the least number of requests")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench/domain:", err)
		os.Exit(1)
	}
}

// bench is a run of the benchmark.
type bench struct {
	rate     float64
	requests int
}

const (
	app    = "bench-domain"
	zone   = "bench.localhost"
	plain  = "load_balancer: {deregistration_delay: 2s, health: {path: /}}\n"
	secure = plain + "domain: shop." + zone + "\nhsts: true\n"
)

// result is the outcome of the requests.
type result struct {
	Benchmark string            `json:"benchmark"`
	Rate      float64           `json:"requests_per_second"`
	Seconds   float64           `json:"change_seconds"` // that the change took
	Sent      int               `json:"sent"`
	Failed    int               `json:"failed"`
	ByKind    map[load.Kind]int `json:"failed_by_kind"`
	HTTP      int               `json:"answered_over_http"`
	HTTPS     int               `json:"answered_over_https"`
	First     float64           `json:"first_failure_seconds,omitempty"` // after the change began
	Last      float64           `json:"last_failure_seconds,omitempty"`
}

// steadyTime is how long requests are sent before the change.
const steadyTime = 5 * time.Second

func (b bench) run(ctx context.Context) (err error) {
	s, err := site.Start(ctx, app)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	deleteZone, err := createZone(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, deleteZone(context.WithoutCancel(ctx))) }()
	if err := up(ctx, s, plain); err != nil {
		return err
	}
	r, err := b.underLoad(ctx, s)
	if err != nil {
		return err
	}
	fmt.Printf("%g requests/s by the load balancer's name, while a domain and HTTPS are added in %.1f s\n",
		b.rate, r.Seconds)
	fmt.Printf("%d sent, %d answered over HTTP, %d over HTTPS, %d failed %v\n",
		r.Sent, r.HTTP, r.HTTPS, r.Failed, r.ByKind)
	if r.Failed > 0 {
		fmt.Printf("the first %.1f s and the last %.1f s after the change began\n", r.First, r.Last)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

// createZone creates the hosted zone that owns the domain. deleteZone deletes it, and before
// it the application with its records.
func createZone(ctx context.Context) (deleteZone func(context.Context) error, err error) {
	api, err := site.Connect(ctx)
	if err != nil {
		return nil, err
	}
	created, err := api.DNS.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{
		Name: aws.String(zone), CallerReference: aws.String(time.Now().String()),
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		_, down := site.Aloft(ctx, "down", "--app", app, "--images", "--yes")
		_, deletion := api.DNS.DeleteHostedZone(ctx, &route53.DeleteHostedZoneInput{Id: created.HostedZone.Id})
		return errors.Join(down, deletion)
	}, nil
}

// up deploys the application with a spec.
func up(ctx context.Context, s *site.Site, spec string) error {
	if err := s.Write("1", spec); err != nil {
		return err
	}
	return s.Up(ctx)
}

// roots returns the certificates that clients trust: the local cloud's.
func roots() (*x509.CertPool, error) {
	text, err := os.ReadFile("/var/lib/aloft/authority.pem")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool, nil
}

// protocol names how a response came.
func protocol(response *http.Response, _ []byte) string {
	if response.TLS != nil {
		return "https"
	}
	return "http"
}

// underLoad adds the domain while requests are sent, and then sends more until there are
// enough.
func (b bench) underLoad(ctx context.Context, s *site.Site) (result, error) {
	status, err := s.Status(ctx)
	if err != nil {
		return result{}, err
	}
	trusted, err := roots()
	if err != nil {
		return result{}, err
	}
	generator := load.New(load.Config{
		URL: status.URL + "/", Rate: b.rate, Dial: load.Dial, Roots: trusted, Follow: true, Target: protocol,
	})
	running, stop := context.WithCancel(ctx)
	defer stop()
	recorded := make(chan load.Recording, 1)
	go func() { recorded <- generator.Run(running) }()
	if err := pause(ctx, steadyTime); err != nil {
		stop()
		<-recorded
		return result{}, err
	}
	began := time.Now()
	err = up(ctx, s, secure)
	took := time.Since(began)
	if err == nil {
		err = b.awaitEnough(ctx, generator)
	}
	stop()
	recording := <-recorded
	r := result{
		Benchmark: "domain", Rate: b.rate, Seconds: took.Seconds(),
		Sent: len(recording.Samples), ByKind: map[load.Kind]int{},
	}
	for _, sample := range recording.Samples {
		switch {
		case sample.Kind != load.OK:
			r.Last = recording.Started.Add(sample.At).Sub(began).Seconds()
			if r.Failed == 0 {
				r.First = r.Last
			}
			r.Failed++
			r.ByKind[sample.Kind]++
		case sample.Target == "https":
			r.HTTPS++
		default:
			r.HTTP++
		}
	}
	return r, err
}

// awaitEnough waits until enough requests have ended.
func (b bench) awaitEnough(ctx context.Context, generator *load.Generator) error {
	for len(generator.Snapshot().Samples) < b.requests {
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
