package acm

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const maxItems = 1000

// ListCertificates lists certificates. As on AWS, it omits certificates whose keys are
// not RSA keys of at most 2048 bits unless the request includes them.
func (a *API) ListCertificates(
	ctx context.Context, in *acm.ListCertificatesInput,
) (*acm.ListCertificatesOutput, error) {
	limit := int(aws.ToInt32(in.MaxItems))
	switch {
	case in.MaxItems != nil && (limit < 1 || limit > maxItems):
		return nil, model.OutOfRange("maxItems", int64(limit), 1, maxItems)
	case (in.SortBy == "") != (in.SortOrder == ""):
		return nil, model.Errorf("SortBy and SortOrder must be specified together.")
	case in.MaxItems == nil:
		limit = maxItems
	}
	if err := checkList(in); err != nil {
		return nil, err
	}
	last, ok := pageTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	rows, err := a.listMatching(ctx, in)
	if err != nil {
		return nil, err
	}
	if last != "" {
		at := slices.IndexFunc(rows, func(s types.CertificateSummary) bool { return *s.CertificateArn == last })
		if at < 0 {
			return nil, invalidToken()
		}
		rows = rows[at+1:]
	}
	out := &acm.ListCertificatesOutput{CertificateSummaryList: rows}
	if len(rows) > limit {
		out.CertificateSummaryList = rows[:limit]
		out.NextToken = pageTokens.Token(*rows[limit-1].CertificateArn)
	}
	return out, nil
}

// checkList refuses values that no certificate can have.
func checkList(in *acm.ListCertificatesInput) error {
	if err := checkEnum("sortBy", nonEmpty(in.SortBy), in.SortBy.Values()); err != nil {
		return err
	}
	if err := checkEnum("sortOrder", nonEmpty(in.SortOrder), in.SortOrder.Values()); err != nil {
		return err
	}
	if err := checkEnum(
		"certificateStatuses", in.CertificateStatuses, types.CertificateStatus("").Values(),
	); err != nil {
		return err
	}
	if in.Includes == nil {
		return nil
	}
	if err := checkEnum("includes.keyTypes", in.Includes.KeyTypes, types.KeyAlgorithm("").Values()); err != nil {
		return err
	}
	if err := checkEnum("includes.keyUsage", in.Includes.KeyUsage, types.KeyUsageName("").Values()); err != nil {
		return err
	}
	return checkEnum("includes.extendedKeyUsage", in.Includes.ExtendedKeyUsage, types.ExtendedKeyUsageName("").Values())
}

// nonEmpty returns a list of v, or no list if v is empty.
func nonEmpty[T ~string](v T) []T {
	if v == "" {
		return nil
	}
	return []T{v}
}

func checkEnum[T ~string](member string, values, known []T) error {
	for _, v := range values {
		if !slices.Contains(known, v) {
			names := make([]string, len(known))
			for i, k := range known {
				names[i] = string(k)
			}
			return model.OutOfSet(member, v, names...)
		}
	}
	return nil
}

// listMatching returns the certificates that a request selects, in the requested
// order.
func (a *API) listMatching(ctx context.Context, in *acm.ListCertificatesInput) ([]types.CertificateSummary, error) {
	view := a.Store.Read(ctx)
	out := []types.CertificateSummary{}
	for _, row := range store.Certificates.InRegion(view, wire.RegionFrom(ctx)) {
		s, err := a.summary(view, row)
		if err != nil {
			return nil, err
		}
		if matches(s, in) {
			out = append(out, s)
		}
	}
	if in.SortBy == types.SortByCreatedAt {
		slices.SortStableFunc(out, func(x, y types.CertificateSummary) int {
			if in.SortOrder == types.SortOrderDescending {
				x, y = y, x
			}
			return x.CreatedAt.Compare(*y.CreatedAt)
		})
	}
	return out, nil
}

// matches reports whether a request selects a certificate.
func matches(s types.CertificateSummary, in *acm.ListCertificatesInput) bool {
	f := in.Includes
	if f == nil {
		f = &types.Filters{}
	}
	keys := f.KeyTypes
	if len(keys) == 0 {
		keys = []types.KeyAlgorithm{types.KeyAlgorithmRsa1024, types.KeyAlgorithmRsa2048}
	}
	origins := in.CertificateKeyPairOrigins
	ofKey := func(k types.KeyAlgorithm) bool { return describedKey(k) == s.KeyAlgorithm }
	return slices.ContainsFunc(keys, ofKey) &&
		(len(in.CertificateStatuses) == 0 || slices.Contains(in.CertificateStatuses, s.Status)) &&
		containsAny(f.KeyUsage, s.KeyUsages, types.KeyUsageNameAny) &&
		containsAny(f.ExtendedKeyUsage, s.ExtendedKeyUsages, types.ExtendedKeyUsageNameAny) &&
		f.ManagedBy == "" && f.ExportOption != types.CertificateExportEnabled &&
		(len(origins) == 0 || slices.Contains(origins, s.CertificateKeyPairOrigin))
}

// containsAny reports whether values contains one of wanted. It also returns true if
// wanted is empty or contains anything.
func containsAny[T comparable](wanted, values []T, anything T) bool {
	if len(wanted) == 0 || slices.Contains(wanted, anything) {
		return true
	}
	return slices.ContainsFunc(wanted, func(v T) bool { return slices.Contains(values, v) })
}

// pageTokens starts the tokens of the API's pages.
const pageTokens page.Prefix = "after "

func invalidToken() error {
	return wire.Errorf("ValidationException", "The nextToken is not valid.")
}
