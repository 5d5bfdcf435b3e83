package sns

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// Clients ask about what the local cloud has none of, because no operation of it makes one. The truthful answer is an
// empty list.

// emptyList returns the error for a page of an empty list, or nil. most is the size of the largest page.
func emptyList(token *string, size *int32, most int32) error {
	if n := aws.ToInt32(size); size != nil && (n < 1 || n > most) {
		return invalid("MaxResults")
	}
	_, _, err := pageOf([]string{}, token, func(s string) string { return s })
	return err
}

// ListPlatformApplications lists the applications of mobile push.
func (a *API) ListPlatformApplications(
	_ context.Context, in *sns.ListPlatformApplicationsInput,
) (*sns.ListPlatformApplicationsOutput, error) {
	return &sns.ListPlatformApplicationsOutput{
		PlatformApplications: []types.PlatformApplication{},
	}, emptyList(in.NextToken, nil, 0)
}

// ListPhoneNumbersOptedOut lists the phone numbers that want no text messages.
func (a *API) ListPhoneNumbersOptedOut(
	_ context.Context, in *sns.ListPhoneNumbersOptedOutInput,
) (*sns.ListPhoneNumbersOptedOutOutput, error) {
	return &sns.ListPhoneNumbersOptedOutOutput{PhoneNumbers: []string{}}, emptyList(in.NextToken, nil, 0)
}

// ListOriginationNumbers lists the phone numbers that text messages come from.
func (a *API) ListOriginationNumbers(
	_ context.Context, in *sns.ListOriginationNumbersInput,
) (*sns.ListOriginationNumbersOutput, error) {
	return &sns.ListOriginationNumbersOutput{
		PhoneNumbers: []types.PhoneNumberInformation{},
	}, emptyList(in.NextToken, in.MaxResults, 30)
}

// ListSMSSandboxPhoneNumbers lists the phone numbers that an account in the sandbox may send text messages to.
func (a *API) ListSMSSandboxPhoneNumbers(
	_ context.Context, in *sns.ListSMSSandboxPhoneNumbersInput,
) (*sns.ListSMSSandboxPhoneNumbersOutput, error) {
	return &sns.ListSMSSandboxPhoneNumbersOutput{
		PhoneNumbers: []types.SMSSandboxPhoneNumber{},
	}, emptyList(in.NextToken, in.MaxResults, 100)
}

// GetSMSSandboxAccountStatus reports that the account is in the sandbox of text messages, as every new account is.
func (a *API) GetSMSSandboxAccountStatus(
	context.Context, *sns.GetSMSSandboxAccountStatusInput,
) (*sns.GetSMSSandboxAccountStatusOutput, error) {
	return &sns.GetSMSSandboxAccountStatusOutput{IsInSandbox: true}, nil
}
