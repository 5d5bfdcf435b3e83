package authorization

import (
	"net/http"
	"strings"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/wire"
)

// denial returns the error of a service for a call that is not allowed (IAM User Guide,
// "Troubleshoot access denied error messages"). Without a layer, it does not say why.
func denial(service string, p wire.Principal, n need, d access.Decision) error {
	message := "User: " + p.ARN + " is not authorized to perform: " + n.action
	if n.resource != "" && n.resource != "*" {
		message += " on resource: " + n.resource
	}
	switch {
	case d.Explicit:
		message += " with an explicit deny in " + article(d.Layer) + string(d.Layer)
	case d.Layer != "":
		message += " because no " + string(d.Layer) + " allows the " + n.action + " action"
	}
	switch service {
	case "ec2":
		return &wire.Error{
			Code:    "UnauthorizedOperation",
			Message: "You are not authorized to perform this operation. " + message,
			Status:  http.StatusForbidden,
		}
	case "ssm", "secretsmanager", "logs", "acm", "servicequotas":
		return wire.Errorf("AccessDeniedException", "%s", message)
	case "sns":
		message = strings.ReplaceAll(message, n.action, "SNS"+strings.TrimPrefix(n.action, "sns")) // as in its policies
		return &wire.Error{Code: "AuthorizationError", Message: message, Status: http.StatusForbidden}
	}
	return &wire.Error{
		Code: "AccessDenied", Name: "AccessDeniedException", Message: message, Status: http.StatusForbidden,
	}
}

func article(l access.Layer) string {
	if l == access.Identity {
		return "an "
	}
	return "a "
}
