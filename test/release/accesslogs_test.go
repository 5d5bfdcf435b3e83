//go:build linux

package release

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

const logBucket = "aloft-tutorial-000000000000-us-east-1"

// objects returns the keys of the objects in the bucket of access logs.
func objects(t *testing.T, s *simulation.Application) string {
	t.Helper()
	out := simulation.Must(s.Client(t, nil).S3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{
		Bucket: aws.String(logBucket),
	}))(t)
	var keys []string
	for _, o := range out.Contents {
		keys = append(keys, *o.Key)
	}
	return strings.Join(keys, " ")
}

func TestAccessLogsGoToABucketThatComesAndGoesWithTheSpec(t *testing.T) {
	s := &simulation.Application{Cloud: simulation.New(t), Keys: t.TempDir(), Spec: simulation.Tutorial(t)}
	s.Spec.AccessLogs = &spec.AccessLogs{Enabled: true, Retention: "30d"}
	s.Spec.Tags = map[string]string{"team": "a"}
	s.Release(t, "r1")
	d := deploymentOf(t, s)
	simulation.PlanIsEmpty(t, d)
	bucket := func() *store.Bucket {
		b, _ := store.Buckets.Get(s.Store.View(), logBucket)
		return b
	}
	b := bucket()
	if b == nil || b.Tags["aloft:app"] != "tutorial" || b.Tags["team"] != "a" || b.Lifecycle[0].Days != 30 ||
		*b.BlockPublic != (store.PublicAccessBlock{
			PublicACLs: true, IgnoredACLs: true, PublicPolicy: true, RestrictedBuckets: true,
		}) {
		t.Fatalf("the bucket is %+v", b)
	}
	// The load balancer has proven that it may write.
	if got := objects(t, s); got != "AWSLogs/000000000000/ELBAccessLogTestFile" {
		t.Errorf("objects: %s", got)
	}

	s.Spec.AccessLogs.Retention = "7d"
	s.Spec.Tags = nil
	p := simulation.Must(d.Plan(t.Context()))(t)
	simulation.Contains(t, p.String(), "retention: 30d → 7d")
	s.Release(t, "r1")
	simulation.PlanIsEmpty(t, d)
	if b := bucket(); b.Lifecycle[0].Days != 7 || b.Tags["team"] != "" || b.Tags["aloft:app"] != "tutorial" {
		t.Errorf("after changes the bucket is %+v", b)
	}

	// Somebody opens the bucket, and keeps logs out.
	if err := s.Store.Update(func(tx *store.Tx) error {
		store.Buckets.Edit(tx, logBucket, func(b *store.Bucket) { b.BlockPublic, b.Policy = nil, "" })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	p = simulation.Must(d.Plan(t.Context()))(t)
	simulation.Contains(t, p.String(), "public access", "delivery")
	s.Release(t, "r1")
	simulation.PlanIsEmpty(t, d)

	s.Spec.AccessLogs = nil
	p = simulation.Must(d.Plan(t.Context()))(t)
	simulation.Contains(t, p.String(), "access-logs")
	s.Release(t, "r1")
	simulation.PlanIsEmpty(t, d)
	lb := store.LoadBalancers.List(s.Store.View())[0]
	if bucket() != nil || lb.Attributes["access_logs.s3.enabled"] != "false" {
		t.Errorf("without access logs: %+v, %v", bucket(), lb.Attributes)
	}

	s.Spec.AccessLogs = &spec.AccessLogs{Enabled: true, Retention: "30d"}
	s.Release(t, "r1")
	if err := d.Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Fatal(err)
	}
	if left := store.Objects.List(s.Store.View()); bucket() != nil || len(left) > 0 {
		t.Errorf("after down: %+v, %d objects", bucket(), len(left))
	}
}

func TestABucketOfAnotherApplicationIsLeftAlone(t *testing.T) {
	s := &simulation.Application{Cloud: simulation.New(t), Keys: t.TempDir(), Spec: simulation.Tutorial(t)}
	s.Spec.AccessLogs = &spec.AccessLogs{Enabled: true, Retention: "30d"}
	if err := s.Store.Update(func(tx *store.Tx) error {
		store.Buckets.Put(tx, &store.Bucket{
			Name: logBucket, Region: simulation.Region, Tags: store.Tags{"aloft:app": "other"},
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, err := deploymentOf(t, s).Up(t.Context())
	simulation.Contains(t, problemText(err), "already exists and does not belong to this deployment")
}
