package authorization

import (
	"net/http"

	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/wire"
)

// checkSession refuses a call that sessions of users cannot make, whatever policies allow:
// those of IAM need a second factor (AWS STS API Reference, GetSessionToken and
// GetFederationToken). STS refuses its operations itself.
func checkSession(s *session.Session, call wire.Call) error {
	if s == nil || s.UserID == "" || s.MFA || call.Service != "iam" {
		return nil
	}
	return &wire.Error{
		Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid",
		Status: http.StatusForbidden,
	}
}
