package acm

import (
	"crypto/x509"

	"github.com/aws/aws-sdk-go-v2/service/acm/types"
)

// keyUsages are the bits of the extension, in ACM's words (RFC 5280, section
// 4.2.1.3).
var keyUsages = []struct {
	bit  x509.KeyUsage
	name types.KeyUsageName
}{
	{x509.KeyUsageDigitalSignature, types.KeyUsageNameDigitalSignature},
	{x509.KeyUsageContentCommitment, types.KeyUsageNameNonRepudation},
	{x509.KeyUsageKeyEncipherment, types.KeyUsageNameKeyEncipherment},
	{x509.KeyUsageDataEncipherment, types.KeyUsageNameDataEncipherment},
	{x509.KeyUsageKeyAgreement, types.KeyUsageNameKeyAgreement},
	{x509.KeyUsageCertSign, types.KeyUsageNameCertificateSigning},
	{x509.KeyUsageCRLSign, types.KeyUsageNameCrlSigning},
	{x509.KeyUsageEncipherOnly, types.KeyUsageNameEnchiperOnly},
	{x509.KeyUsageDecipherOnly, types.KeyUsageNameDecipherOnly},
}

func usagesOf(leaf *x509.Certificate) []types.KeyUsageName {
	var out []types.KeyUsageName
	for _, u := range keyUsages {
		if leaf.KeyUsage&u.bit != 0 {
			out = append(out, u.name)
		}
	}
	return out
}

// extendedUsages are the purposes of the extension, in ACM's words (RFC 5280,
// section 4.2.1.12).
var extendedUsages = map[x509.ExtKeyUsage]types.ExtendedKeyUsage{
	x509.ExtKeyUsageAny: extended(types.ExtendedKeyUsageNameAny, "2.5.29.37.0"),
	x509.ExtKeyUsageServerAuth: extended(
		types.ExtendedKeyUsageNameTlsWebServerAuthentication, "1.3.6.1.5.5.7.3.1",
	),
	x509.ExtKeyUsageClientAuth: extended(
		types.ExtendedKeyUsageNameTlsWebClientAuthentication, "1.3.6.1.5.5.7.3.2",
	),
	x509.ExtKeyUsageCodeSigning:     extended(types.ExtendedKeyUsageNameCodeSigning, "1.3.6.1.5.5.7.3.3"),
	x509.ExtKeyUsageEmailProtection: extended(types.ExtendedKeyUsageNameEmailProtection, "1.3.6.1.5.5.7.3.4"),
	x509.ExtKeyUsageIPSECEndSystem:  extended(types.ExtendedKeyUsageNameIpsecEndSystem, "1.3.6.1.5.5.7.3.5"),
	x509.ExtKeyUsageIPSECTunnel:     extended(types.ExtendedKeyUsageNameIpsecTunnel, "1.3.6.1.5.5.7.3.6"),
	x509.ExtKeyUsageIPSECUser:       extended(types.ExtendedKeyUsageNameIpsecUser, "1.3.6.1.5.5.7.3.7"),
	x509.ExtKeyUsageTimeStamping:    extended(types.ExtendedKeyUsageNameTimeStamping, "1.3.6.1.5.5.7.3.8"),
	x509.ExtKeyUsageOCSPSigning:     extended(types.ExtendedKeyUsageNameOcspSigning, "1.3.6.1.5.5.7.3.9"),
}

func extended(name types.ExtendedKeyUsageName, oid string) types.ExtendedKeyUsage {
	return types.ExtendedKeyUsage{Name: name, OID: &oid}
}

func extendedUsagesOf(leaf *x509.Certificate) []types.ExtendedKeyUsage {
	var out []types.ExtendedKeyUsage
	for _, u := range leaf.ExtKeyUsage {
		if known, ok := extendedUsages[u]; ok {
			out = append(out, known)
		} else {
			out = append(out, types.ExtendedKeyUsage{Name: types.ExtendedKeyUsageNameCustom})
		}
	}
	for _, oid := range leaf.UnknownExtKeyUsage {
		out = append(out, extended(types.ExtendedKeyUsageNameCustom, oid.String()))
	}
	return out
}
