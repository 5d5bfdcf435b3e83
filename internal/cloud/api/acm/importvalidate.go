package acm

import (
	"crypto/x509"
	"errors"
	"time"

	"aloft.dev/aloft/internal/cloud/keypair"
)

// Limits in bytes (AWS Certificate Manager API Reference, ImportCertificate).
const (
	maxCertificate = 32768
	maxKey         = 5120
	maxChain       = 2097152
)

// parseCertificates parses PEM blocks. Errors call the text field.
func parseCertificates(field string, text []byte) ([]*x509.Certificate, error) {
	out, err := keypair.Certificates(text)
	if err != nil {
		return nil, model.Errorf("Unable to parse the %s: %v.", field, err)
	}
	return out, nil
}

// imported holds the parameters of an import that are valid.
type imported struct {
	leaf             *x509.Certificate
	body, chain, key string
}

// parseImport validates the parameters of an import.
func parseImport(certificate, chain, key []byte, now time.Time) (*imported, error) {
	switch {
	case len(certificate) == 0 || len(certificate) > maxCertificate:
		return nil, model.Size("certificate", len(certificate), maxCertificate)
	case len(key) == 0 || len(key) > maxKey:
		return nil, model.Size("privateKey", len(key), maxKey)
	case len(chain) > maxChain:
		return nil, model.TooLong("certificateChain", maxChain)
	}
	leaves, err := parseCertificates("certificate", certificate)
	if err != nil {
		return nil, err
	}
	if len(leaves) != 1 {
		return nil, model.Errorf(
			"The certificate field contains more than one certificate. You can specify only one certificate in " +
				"this field.",
		)
	}
	issuers, err := parseCertificates("certificate chain", chain)
	if err != nil {
		return nil, err
	}
	leaf := leaves[0]
	if err := checkLeaf(leaf, now); err != nil {
		return nil, err
	}
	if err := checkKey(certificate, key); err != nil {
		return nil, err
	}
	return &imported{
		leaf:  leaf,
		body:  string(certificate),
		chain: string(chain),
		key:   string(key),
	}, checkChain(leaf, issuers)
}

func checkLeaf(leaf *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(leaf.NotBefore):
		return model.Errorf("The certificate is not valid yet. Provide a certificate that is valid now.")
	case now.After(leaf.NotAfter):
		return model.Errorf("The certificate has expired. Provide a certificate that is valid now.")
	case len(leaf.Issuer.Names) == 0:
		return model.Errorf("The issuer of the certificate must not be empty.")
	case keyAlgorithm(leaf.PublicKey) == "":
		return model.Errorf("The key algorithm of the certificate is not supported.")
	}
	return nil
}

// checkKey refuses a key that does not belong to the certificate.
func checkKey(certificate, key []byte) error {
	switch err := keypair.CheckKey(certificate, key); {
	case errors.Is(err, keypair.ErrKeyFormat):
		return model.Errorf("The private key is not in PEM format.")
	case errors.Is(err, keypair.ErrKeyEncrypted):
		return model.Errorf("The private key is encrypted. Provide an unencrypted private key.")
	case err != nil:
		return model.Errorf("The private key does not match the certificate, or is not supported.")
	}
	return nil
}

func checkChain(leaf *x509.Certificate, issuers []*x509.Certificate) error {
	if len(issuers) == 0 {
		if leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) != nil {
			return model.Errorf(
				"Provided certificate is not a valid self signed. Please provide either a valid self-signed " +
					"certificate or certificate chain.",
			)
		}
		return nil
	}
	if keypair.BrokenLink(leaf, issuers) >= 0 {
		return model.Errorf("Could not validate the certificate with the certificate chain.")
	}
	return nil
}
