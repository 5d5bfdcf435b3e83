package authorization

import (
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

var certificateOperations = operations{
	"ImportCertificate":         {instead: importNeeds},
	"RequestCertificate":        {instead: importNeeds},
	"DescribeCertificate":       onNew("CertificateArn", certificate),
	"GetCertificate":            onNew("CertificateArn", certificate),
	"DeleteCertificate":         onNew("CertificateArn", certificate),
	"AddTagsToCertificate":      onNew("CertificateArn", certificate),
	"RemoveTagsFromCertificate": onNew("CertificateArn", certificate),
	"ListTagsForCertificate":    onNew("CertificateArn", certificate),
	"UpdateCertificateOptions":  onNew("CertificateArn", certificate),
	"ExportCertificate":         onNew("CertificateArn", certificate),
	"GetAccountConfiguration":   {},
	"PutAccountConfiguration":   {},
	"ListCertificates":          {},
}

func certificate(s *subject, arn string) []target {
	t := target{arn: arn}
	if row, ok := store.Certificates.Get(s, arn); ok {
		t.tags = row.Tags
	}
	return []target{t}
}

// importNeeds returns the permissions to import or request a certificate, a new one if the
// call names none.
func importNeeds(s *subject) []need {
	arns := s.values("CertificateArn")
	if len(arns) == 0 {
		arns = []string{identity.ARN("acm", s.region, "certificate/*")}
	}
	var needs []need
	for _, arn := range arns {
		for _, t := range certificate(s, arn) {
			needs = append(needs, s.needOf(actionOf(s.call), t))
			if len(tagsIn(s.input)) > 0 {
				needs = append(needs, s.needOf("acm:AddTagsToCertificate", t))
			}
		}
	}
	return needs
}
