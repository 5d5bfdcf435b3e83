package route53_test

import (
	"fmt"
	"strings"
	"testing"

	client "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestAnAccountHasLimits(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.zone("example.com")
	if _, err := w.CreateReusableDelegationSet(ctx, &client.CreateReusableDelegationSetInput{
		CallerReference: new("set"),
	}); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[types.AccountLimitType]string{
		types.AccountLimitTypeMaxHostedZonesByOwner:            "1 of 500",
		types.AccountLimitTypeMaxReusableDelegationSetsByOwner: "1 of 100",
		types.AccountLimitTypeMaxHealthChecksByOwner:           "0 of 200",
		types.AccountLimitTypeMaxTrafficPoliciesByOwner:        "0 of 50",
		types.AccountLimitTypeMaxTrafficPolicyInstancesByOwner: "0 of 5",
	} {
		out, err := w.GetAccountLimit(ctx, &client.GetAccountLimitInput{Type: kind})
		if err != nil || fmt.Sprint(out.Count, " of ", *out.Limit.Value) != want || out.Limit.Type != kind {
			t.Errorf("%s: got %+v, %v, want %s", kind, out, err, want)
		}
	}
	if _, err := w.GetAccountLimit(ctx, &client.GetAccountLimitInput{Type: "x"}); err == nil {
		t.Error("there is a limit of type x")
	}
	if err := w.store.Update(func(tx *store.Tx) error {
		first := *store.HostedZones.List(tx)[0]
		for n := range 499 {
			zone := first
			zone.ID, zone.CallerReference = fmt.Sprint("Z", n), fmt.Sprint(n)
			store.HostedZones.Put(tx, &zone)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, err := w.CreateHostedZone(ctx, &client.CreateHostedZoneInput{
		Name: new("more.example.com"), CallerReference: new("more"),
	})
	if err == nil || !strings.Contains(err.Error(), "TooManyHostedZones") {
		t.Errorf("a zone beyond the limit: got %v", err)
	}
}
