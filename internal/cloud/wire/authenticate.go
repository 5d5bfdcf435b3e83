package wire

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/wire/names"
)

// How far a client's clock may differ from the local cloud's, as on AWS: for all services
// but S3, and for S3.
const (
	maxSkew   = 5 * time.Minute
	maxSkewS3 = 15 * time.Minute
)

// authenticate verifies the signature that the exchange claims, reads the body, and
// records whose key made the signature. Whoever has no valid key cannot make it read a
// body: what can be checked without one is checked first.
func (h *handler) authenticate(r *http.Request, x *exchange) error {
	c := &x.claim
	key, err := h.Credentials(c.accessKey, c.token)
	anyKey := h.acceptsAny(key, err)
	x.account = h.accountOf(key, c.accessKey, anyKey)
	if !anyKey {
		if err := h.checkClaim(r, x, key, err); err != nil {
			return err
		}
	}
	if x.dialect == names.S3 {
		return h.openPayload(r, x, key, anyKey)
	}
	body := h.bodies.hold(sourceIP(r), r.Body)
	defer body.release()
	if err := x.readBody(r, body); err != nil {
		return err
	}
	if !anyKey {
		if !c.verify(r, x.rawBody, key.Secret) {
			return badSignature(x.dialect)
		}
		x.principal = key.Principal
	}
	x.verified = true
	return x.decompress(r)
}

// acceptsAny reports whether a key needs no valid signature. err is the error with which it was found.
func (h *handler) acceptsAny(key Key, err error) bool {
	return h.AcceptAnyCredentials && (errors.Is(err, ErrUnknownKey) || err == nil && key.Principal.Owner())
}

// accountOf returns the account of a key; "": the local cloud's own.
func (h *handler) accountOf(key Key, id string, anyKey bool) string {
	if anyKey && h.AccountKeys && identity.IsAccount(id) {
		return id
	}
	return key.Account
}

// checkClaim checks what can be checked of a claim without the body. keyErr is the error
// with which the key was found.
func (h *handler) checkClaim(r *http.Request, x *exchange, key Key, keyErr error) error {
	if err := x.checkSignedHeaders(r); err != nil {
		return err
	}
	if keyErr != nil {
		return unknownKey(x.dialect)
	}
	if err := x.claim.checkTime(h.Now(), x.dialect); err != nil {
		return err
	}
	if !x.claim.verifyClaimed(r, key.Secret) {
		return badSignature(x.dialect)
	}
	if key.temporary() && !h.Now().Before(key.Expires) {
		return expiredToken(x.dialect)
	}
	return nil
}

// checkTime checks that the request was signed just now or, if it is presigned,
// has not expired.
func (c *claim) checkTime(now time.Time, protocol names.Protocol) error {
	age := now.Sub(c.time)
	if c.version2 {
		if age > 0 {
			return c.skewedS3()
		}
		return nil
	}
	skew := maxSkew
	if protocol == names.S3 {
		skew = maxSkewS3
	}
	limit := skew
	if c.presigned {
		limit = c.expires
	}
	if age <= limit && age >= -skew {
		return nil
	}
	switch protocol {
	case names.EC2:
		return Errorf("RequestExpired", "Request has expired.")
	case names.S3:
		return c.skewedS3()
	case names.Query, names.JSON, names.CBOR, names.RestXML:
	}
	signed, current := c.time.Format(basicTime), now.UTC().Format(basicTime)
	message := fmt.Sprintf(
		"Signature expired: %s is now earlier than the server's time %s less %s.", signed, current, limit,
	)
	if age < 0 {
		message = fmt.Sprintf(
			"Signature not yet current: %s is still later than the server's time %s plus %s.", signed, current, maxSkew,
		)
	}
	e := badSignature(protocol)
	e.Message = message
	return e
}

// missingToken is the response to a request without a signature.
func missingToken() *Error {
	return &Error{
		Code:    "MissingAuthenticationToken",
		Message: "Request is missing Authentication Token",
		Status:  http.StatusForbidden,
	}
}

func incompleteSignature(why string) *Error {
	return &Error{Code: "IncompleteSignature", Message: why, Status: http.StatusBadRequest}
}

func unknownKey(protocol names.Protocol) *Error {
	switch protocol {
	case names.EC2:
		return authFailure()
	case names.JSON, names.CBOR:
		return Errorf("UnrecognizedClientException", "The security token included in the request is invalid.")
	case names.S3:
		return s3Denial("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
	case names.Query, names.RestXML:
	}
	return &Error{
		Code:    "InvalidClientTokenId",
		Message: "The security token included in the request is invalid.",
		Status:  http.StatusForbidden,
	}
}

// expiredToken is the response to a request with temporary credentials that have expired.
func expiredToken(protocol names.Protocol) *Error {
	const message = "The security token included in the request is expired"
	switch protocol {
	case names.EC2:
		return Errorf("RequestExpired", "Request has expired.")
	case names.JSON, names.CBOR:
		return Errorf("ExpiredTokenException", "%s", message)
	case names.S3:
		return Errorf("ExpiredToken", "The provided token has expired.")
	case names.Query, names.RestXML:
	}
	return &Error{Code: "ExpiredToken", Message: message, Status: http.StatusForbidden}
}

func badSignature(protocol names.Protocol) *Error {
	const message = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	switch protocol {
	case names.EC2:
		return authFailure()
	case names.JSON, names.CBOR:
		return Errorf("InvalidSignatureException", "%s", message)
	case names.S3:
		return s3Denial("SignatureDoesNotMatch", "The request signature we calculated does not match the signature "+
			"you provided. Check your key and signing method.")
	case names.Query, names.RestXML:
	}
	return &Error{Code: "SignatureDoesNotMatch", Message: message, Status: http.StatusForbidden}
}

func authFailure() *Error {
	return &Error{
		Code:    "AuthFailure",
		Message: "AWS was not able to validate the provided access credentials",
		Status:  http.StatusUnauthorized,
	}
}

// tooManyRequests is the response to a request for which there is no room now. Clients
// try it again.
func tooManyRequests(protocol names.Protocol) *Error {
	code := "Throttling"
	switch protocol {
	case names.EC2:
		code = "RequestLimitExceeded"
	case names.JSON, names.CBOR:
		code = "ThrottlingException"
	case names.S3:
		return &Error{
			Code: "SlowDown", Message: "Please reduce your request rate.", Status: http.StatusServiceUnavailable,
		}
	case names.Query, names.RestXML:
	}
	return &Error{Code: code, Message: "Request limit exceeded.", Status: http.StatusServiceUnavailable}
}
