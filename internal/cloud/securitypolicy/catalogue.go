package securitypolicy

// Default is the policy of listeners created through the API without one. AWS's
// console proposes a different one.
const Default = "ELBSecurityPolicy-2016-08"

// Groups of ciphers that make up AWS's policies, in AWS's order.
const (
	tls13     = "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 "
	gcm128    = "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 "
	cbc128    = "ECDHE-ECDSA-AES128-SHA256 ECDHE-RSA-AES128-SHA256 "
	sha128    = "ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA "
	gcm256    = "ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 "
	cbc256    = "ECDHE-ECDSA-AES256-SHA384 ECDHE-RSA-AES256-SHA384 "
	sha256    = "ECDHE-RSA-AES256-SHA ECDHE-ECDSA-AES256-SHA "
	rsa       = "AES128-GCM-SHA256 AES128-SHA256 AES256-GCM-SHA384 AES256-SHA256 "
	rsaAndSHA = "AES128-GCM-SHA256 AES128-SHA256 AES128-SHA AES256-GCM-SHA384 AES256-SHA256 AES256-SHA "

	gcmOnly              = gcm128 + gcm256
	forwardSecrecy       = gcm128 + cbc128 + gcm256 + cbc256
	forwardSecrecyAndSHA = gcm128 + cbc128 + sha128 + gcm256 + cbc256 + sha256
)

// catalogue lists the policies in the order in which AWS describes them.
var catalogue = []struct {
	name, versions, ciphers string
}{
	{Default, "TLSv1 TLSv1.1 TLSv1.2", forwardSecrecyAndSHA + rsaAndSHA},
	{"ELBSecurityPolicy-TLS13-1-2-2021-06", "TLSv1.2 TLSv1.3", tls13 + forwardSecrecy},
	{"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", "TLSv1.2 TLSv1.3", tls13 + gcmOnly},
	{"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", "TLSv1.2 TLSv1.3", tls13 + forwardSecrecy + rsa},
	{"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", "TLSv1.2 TLSv1.3", tls13 + forwardSecrecyAndSHA + rsaAndSHA},
	{"ELBSecurityPolicy-TLS13-1-1-2021-06", "TLSv1.1 TLSv1.2 TLSv1.3", tls13 + forwardSecrecyAndSHA + rsaAndSHA},
	{"ELBSecurityPolicy-TLS13-1-0-2021-06", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", tls13 + forwardSecrecyAndSHA + rsaAndSHA},
	{"ELBSecurityPolicy-TLS13-1-3-2021-06", "TLSv1.3", tls13},
	{"ELBSecurityPolicy-TLS-1-2-2017-01", "TLSv1.2", forwardSecrecy + rsa},
	{"ELBSecurityPolicy-TLS-1-1-2017-01", "TLSv1.1 TLSv1.2", forwardSecrecyAndSHA + rsaAndSHA},
	{"ELBSecurityPolicy-TLS-1-2-Ext-2018-06", "TLSv1.2", forwardSecrecyAndSHA + rsaAndSHA},
	{"ELBSecurityPolicy-FS-2018-06", "TLSv1 TLSv1.1 TLSv1.2", forwardSecrecyAndSHA},
	{"ELBSecurityPolicy-2015-05", "TLSv1 TLSv1.1 TLSv1.2", forwardSecrecyAndSHA + rsaAndSHA},
	{"ELBSecurityPolicy-TLS-1-0-2015-04", "TLSv1 TLSv1.1 TLSv1.2", forwardSecrecyAndSHA + rsaAndSHA + "DES-CBC3-SHA"},
	{"ELBSecurityPolicy-FS-1-2-Res-2019-08", "TLSv1.2", forwardSecrecy},
	{"ELBSecurityPolicy-FS-1-1-2019-08", "TLSv1.1 TLSv1.2", forwardSecrecyAndSHA},
	{"ELBSecurityPolicy-FS-1-2-2019-08", "TLSv1.2", forwardSecrecyAndSHA},
	{"ELBSecurityPolicy-FS-1-2-Res-2020-10", "TLSv1.2", gcmOnly},
	{"ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", "TLSv1.2 TLSv1.3", tls13 + forwardSecrecy},
	{"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", "TLSv1.2 TLSv1.3", tls13 + gcmOnly},
	{"ELBSecurityPolicy-TLS13-1-2-Ext1-PQ-2025-09", "TLSv1.2 TLSv1.3", tls13 + forwardSecrecy + rsa},
	{"ELBSecurityPolicy-TLS13-1-2-Ext2-PQ-2025-09", "TLSv1.2 TLSv1.3", tls13 + forwardSecrecyAndSHA + rsaAndSHA},
	{"ELBSecurityPolicy-TLS13-1-3-PQ-2025-09", "TLSv1.3", tls13},
}
