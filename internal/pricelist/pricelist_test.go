package pricelist_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/pricing"

	"aloft.dev/aloft/internal/price"
	"aloft.dev/aloft/internal/pricelist"
)

// entry returns an entry of a price list.
func entry(usageType, usd string) string {
	return fmt.Sprintf(`{"product": {"attributes": {"usagetype": %q}}, "terms": {"OnDemand": {"S.T": `+
		`{"priceDimensions": {"S.T.R": {"beginRange": "0", "unit": "Hrs", "pricePerUnit": {"USD": %q}}}}}}}`,
		usageType, usd)
}

// serve returns a client of a price list whose entries answer returns for the filters
// of a request, by field.
func serve(t *testing.T, answer func(w http.ResponseWriter, filters map[string]string)) *pricing.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			ServiceCode string
			Filters     []struct{ Field, Value string }
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest) // a query that was cancelled because another failed
			return
		}
		filters := map[string]string{"service": in.ServiceCode}
		for _, f := range in.Filters {
			filters[f.Field] = f.Value
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		answer(w, filters)
	}))
	t.Cleanup(server.Close)
	return pricing.New(pricing.Options{
		Region: pricelist.Region, BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
}

func TestPricesAreReadAndMissingOnesAreOfTheTable(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, filters map[string]string) {
		if filters["regionCode"] != "eu-west-1" {
			t.Errorf("filters %v", filters)
		}
		var list []string
		switch {
		case filters["instanceType"] == "m9.large" && filters["operatingSystem"] == "Linux":
			list = []string{entry("EU-BoxUsage:m9.large", "0.5000000000")}
		case filters["service"] == "AWSELB":
			list = []string{
				entry("EU-LoadBalancerUsage", "0.0300000000"), entry("EU-LCUUsage", "0.0090000000"),
				entry("EU-TS-LoadBalancerUsage", "9.0000000000"), entry("EU-ReservedLCUUsage", "9.0000000000"),
			}
		case filters["productFamily"] == "Storage Snapshot":
			list = []string{entry("EU-EBS:SnapshotUsage", "0.0600000000"), entry("EU-EBS:SnapshotArchiveStorage", "9")}
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"FormatVersion": "aws_v1", "PriceList": list}); err != nil {
			t.Error(err)
		}
	})
	prices, err := pricelist.Read(t.Context(), c, "eu-west-1", "m9.large")
	if err != nil {
		t.Fatal(err)
	}
	for item, want := range map[price.Item]float64{
		price.Instance("m9.large"): 0.5, price.LoadBalancer: 0.03, price.LCU: 0.009, price.Snapshot: 0.06,
		price.Disk: 0.088, price.Address: 0.005, // of the table
	} {
		if got, ok := prices.Of(item); !ok || got != want {
			t.Errorf("%s: got %v, want %v", item, got, want)
		}
	}
	if !strings.Contains(prices.Source, "API for 4 of the items") {
		t.Errorf("source %q", prices.Source)
	}
}

func TestARefusedRequestIsAnError(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ map[string]string) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type": "AccessDeniedException", "message": "no pricing for you"}`))
	})
	_, err := pricelist.Read(t.Context(), c, "eu-west-1", "t3.micro")
	if err == nil || !strings.Contains(err.Error(), "no pricing for you") {
		t.Errorf("got %v", err)
	}
}
