//go:build linux

package balancers

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestAccessLogFolderOfBucketAndPrefix(t *testing.T) {
	for _, c := range []struct{ enabled, bucket, prefix, want string }{
		{"false", "b", "", ""},
		{"true", "b", "", "/logs/b"},
		{"true", "b", "team/web", "/logs/b/team/web"},
		{"true", "..", "../../etc", "/logs/etc"},
	} {
		row := &store.LoadBalancer{
			Attributes: map[string]string{
				"access_logs.s3.enabled": c.enabled,
				"access_logs.s3.bucket":  c.bucket,
				"access_logs.s3.prefix":  c.prefix,
			},
		}
		if got := accessLogFolder("/logs", row); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

// buckets takes what is for its bucket and records it.
type buckets struct {
	name string
	got  []bucketpolicy.Delivery
}

func (b *buckets) Deliver(d bucketpolicy.Delivery, _ io.Reader) error {
	if d.Bucket != b.name {
		return bucketpolicy.ErrNotAdmitted
	}
	b.got = append(b.got, d)
	return nil
}

func (b *buckets) BoundDelivered(int64) (int, error) { return 0, nil }

func TestAccessLogsGoToTheirBuckets(t *testing.T) {
	b := &buckets{name: "logs"}
	l := &Loop{Buckets: b}
	const file = "AWSLogs/000000000000/elasticloadbalancing/eu-west-1/2026/11/24/" +
		"000000000000_elasticloadbalancing_eu-west-1_app.web.0123456789abcdef_20261124T1205Z_198.18.0.1_abcdefgh.log.gz"
	if err := l.deliverLog("logs/team/"+file, time.Now(), strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	want := bucketpolicy.Delivery{
		Bucket: "logs", Key: "team/" + file, Region: "eu-west-1",
		Service: bucketpolicy.LoadBalancers,
		Source:  "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/web/0123456789abcdef",
	}
	if len(b.got) != 1 || b.got[0] != want {
		t.Errorf("got %+v, want %+v", b.got, want)
	}
	err := l.deliverLog("other/"+file, time.Now(), strings.NewReader(""))
	if err == nil || errors.Is(err, balancer.ErrUndeliverable) {
		t.Errorf("a log without its bucket does not wait: %v", err)
	}
	err = l.deliverLog("other/"+file, time.Now().Add(-2*deliveryLimit), strings.NewReader(""))
	if !errors.Is(err, balancer.ErrUndeliverable) {
		t.Errorf("a log waits for ever: %v", err)
	}
	for _, name := range []string{"logs", "logs/x", "logs/a_b_c"} {
		if err := l.deliverLog(name, time.Now(), strings.NewReader("")); !errors.Is(err, balancer.ErrUndeliverable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
