package acm

import (
	"crypto/x509"

	"github.com/aws/aws-sdk-go-v2/service/acm/types"
)

// keyUsages maps the bits of the key usage extension to ACM's names (RFC 5280, section
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

func keyUsagesOf(leaf *x509.Certificate) []types.KeyUsageName {
	if leaf.KeyUsage == 0 {
		return []types.KeyUsageName{types.KeyUsageNameAny}
	}
	var out []types.KeyUsageName
	for _, u := range keyUsages {
		if leaf.KeyUsage&u.bit != 0 {
			out = append(out, u.name)
		}
	}
	return out
}

// extendedUsages maps the purposes of the extended key usage extension to ACM's names
// (RFC 5280, section 4.2.1.12).
var extendedUsages = map[x509.ExtKeyUsage]types.ExtendedKeyUsage{
	x509.ExtKeyUsageAny: extendedUsage(types.ExtendedKeyUsageNameAny, "2.5.29.37.0"),
	x509.ExtKeyUsageServerAuth: extendedUsage(
		types.ExtendedKeyUsageNameTlsWebServerAuthentication, "1.3.6.1.5.5.7.3.1",
	),
	x509.ExtKeyUsageClientAuth: extendedUsage(
		types.ExtendedKeyUsageNameTlsWebClientAuthentication, "1.3.6.1.5.5.7.3.2",
	),
	x509.ExtKeyUsageCodeSigning:     extendedUsage(types.ExtendedKeyUsageNameCodeSigning, "1.3.6.1.5.5.7.3.3"),
	x509.ExtKeyUsageEmailProtection: extendedUsage(types.ExtendedKeyUsageNameEmailProtection, "1.3.6.1.5.5.7.3.4"),
	x509.ExtKeyUsageIPSECEndSystem:  extendedUsage(types.ExtendedKeyUsageNameIpsecEndSystem, "1.3.6.1.5.5.7.3.5"),
	x509.ExtKeyUsageIPSECTunnel:     extendedUsage(types.ExtendedKeyUsageNameIpsecTunnel, "1.3.6.1.5.5.7.3.6"),
	x509.ExtKeyUsageIPSECUser:       extendedUsage(types.ExtendedKeyUsageNameIpsecUser, "1.3.6.1.5.5.7.3.7"),
	x509.ExtKeyUsageTimeStamping:    extendedUsage(types.ExtendedKeyUsageNameTimeStamping, "1.3.6.1.5.5.7.3.8"),
	x509.ExtKeyUsageOCSPSigning:     extendedUsage(types.ExtendedKeyUsageNameOcspSigning, "1.3.6.1.5.5.7.3.9"),
}

func extendedUsage(name types.ExtendedKeyUsageName, oid string) types.ExtendedKeyUsage {
	return types.ExtendedKeyUsage{Name: name, OID: &oid}
}

func extendedKeyUsagesOf(leaf *x509.Certificate) []types.ExtendedKeyUsage {
	var out []types.ExtendedKeyUsage
	for _, u := range leaf.ExtKeyUsage {
		if known, ok := extendedUsages[u]; ok {
			out = append(out, known)
		} else {
			out = append(out, types.ExtendedKeyUsage{Name: types.ExtendedKeyUsageNameCustom})
		}
	}
	for _, oid := range leaf.UnknownExtKeyUsage {
		out = append(out, extendedUsage(types.ExtendedKeyUsageNameCustom, oid.String()))
	}
	if out == nil {
		out = append(out, types.ExtendedKeyUsage{Name: types.ExtendedKeyUsageNameNone})
	}
	return out
}
