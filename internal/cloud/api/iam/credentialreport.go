package iam

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// reportAge is how old a credential report becomes before the next can be made (IAM User Guide,
// "Generate credential reports for your AWS account").
const reportAge = 4 * time.Hour

// GenerateCredentialReport makes a report of the credentials of all users, unless there is one of
// the last four hours. The report exists at once, but the first call answers that it has started, as
// on AWS.
func (a *API) GenerateCredentialReport(
	ctx context.Context, _ *iam.GenerateCredentialReportInput,
) (*iam.GenerateCredentialReportOutput, error) {
	out := &iam.GenerateCredentialReportOutput{State: types.ReportStateTypeComplete}
	return out, a.editAccount(ctx, func(tx *store.Tx, row *store.AccountIdentity) error {
		if row.Report != nil && a.now().Sub(row.Report.Created) < reportAge {
			return nil
		}
		out.State = types.ReportStateTypeStarted
		out.Description = aws.String("No report exists. Starting a new report generation task")
		row.Report = &store.CredentialReport{Created: a.now(), Content: report(ctx, tx, row.Passwords)}
		return nil
	})
}

// GetCredentialReport returns the latest report.
func (a *API) GetCredentialReport(
	ctx context.Context, _ *iam.GetCredentialReportInput,
) (*iam.GetCredentialReportOutput, error) {
	row := accountIn(ctx, a.Store.Read(ctx))
	switch {
	case row.Report == nil:
		return nil, withStatus(http.StatusGone, "ReportNotPresent", "")
	case a.now().Sub(row.Report.Created) >= reportAge:
		return nil, withStatus(http.StatusGone, "ReportExpired", "The report is older than four hours.")
	}
	return &iam.GetCredentialReportOutput{
		Content: row.Report.Content, GeneratedTime: &row.Report.Created, ReportFormat: types.ReportFormatTypeTextCsv,
	}, nil
}

// reportColumns are the columns of a report (IAM User Guide, "Understanding the report format").
var reportColumns = []string{
	"user", "arn", "user_creation_time",
	"password_enabled", "password_last_used", "password_last_changed", "password_next_rotation", "mfa_active",
	"access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date",
	"access_key_1_last_used_region", "access_key_1_last_used_service",
	"access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date",
	"access_key_2_last_used_region", "access_key_2_last_used_service",
	"cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
}

// Values of reports for what is not there, and for what nobody knows.
const (
	noInformation = "no_information"
	notSupported  = "not_supported"
)

// report returns a report in CSV. Its first line is about the account's root user, which the local
// cloud does not have, and which has no credentials here.
func report(ctx context.Context, r store.Reader, rules *store.PasswordPolicy) []byte {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	_ = w.Write(reportColumns) // a buffer takes everything
	root := []string{
		"<root_account>", arn(ctx, "root", "", ""), reportTime(ownerCreated),
		notSupported, noInformation, notSupported, notSupported, "false",
	}
	_ = w.Write(slices.Concat(root, reportKey(nil), reportKey(nil), noCertificates))
	users := usersIn(ctx, r)
	slices.SortFunc(users, func(a, b *store.User) int { return cmp.Compare(a.Key(), b.Key()) })
	for _, user := range users {
		line := []string{user.Name, user.ARN, reportTime(user.Created)}
		line = append(line, reportPassword(user.Login, rules)...)
		line = append(line, strconv.FormatBool(store.MFADevicesByUser.Has(r, user.Key())))
		_ = w.Write(slices.Concat(line, reportKeys(r, user), noCertificates))
	}
	w.Flush()
	return text.Bytes()
}

// noCertificates is the column of signing certificates in reports. No user has any.
var noCertificates = []string{"false", notApplicable, "false", notApplicable}

func reportTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-07:00") }

// reportPassword returns the columns about the password of a user. Nobody signs in with a password, so it was
// never used.
func reportPassword(login *store.Login, rules *store.PasswordPolicy) []string {
	if login == nil {
		return []string{"false", notApplicable, notApplicable, notApplicable}
	}
	next := notApplicable
	if rules != nil && rules.MaxAge > 0 {
		next = reportTime(login.LastChanged().AddDate(0, 0, int(rules.MaxAge)))
	}
	return []string{"true", noInformation, reportTime(login.LastChanged()), next}
}

// reportKeys returns the columns about the access keys of a user, the oldest first. The key of the
// account's own user is in no table.
func reportKeys(r store.Reader, user *store.User) []string {
	keys := slices.Clone(store.AccessKeysByUser.List(r, user.Key()))
	if user.ID == identity.UserID(user.Region().Account()) {
		keys = append(keys, &store.AccessKey{Created: ownerCreated})
	}
	slices.SortFunc(keys, func(a, b *store.AccessKey) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	keys = append(keys, nil, nil)
	return append(reportKey(keys[0]), reportKey(keys[1])...)
}

// reportKey returns the columns about an access key, or about none.
func reportKey(key *store.AccessKey) []string {
	switch {
	case key == nil:
		return []string{"false", notApplicable, notApplicable, notApplicable, notApplicable}
	case key.LastUsed.IsZero():
		return []string{
			strconv.FormatBool(!key.Inactive), reportTime(key.Created), notApplicable, notApplicable, notApplicable,
		}
	}
	return []string{
		strconv.FormatBool(!key.Inactive), reportTime(key.Created), reportTime(key.LastUsed), key.LastUsedRegion,
		key.LastUsedService,
	}
}
