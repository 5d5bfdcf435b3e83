package elbv2

// hostedZones and networkHostedZones map Regions to the Route 53 hosted zones of
// Application Load Balancers and of Network Load Balancers (AWS General Reference,
// Elastic Load Balancing endpoints and quotas).
var hostedZones = map[string]string{
	"us-east-1":      "Z35SXDOTRQ7X7K",
	"us-east-2":      "Z3AADJGX6KTTL2",
	"us-west-1":      "Z368ELLRRE2KJ0",
	"us-west-2":      "Z1H1FL5HABSF5",
	"eu-west-1":      "Z32O12XQLNTSW2",
	"eu-central-1":   "Z215JYRZR1TBD5",
	"ap-northeast-1": "Z14GRHDCWA56QT",
	"ap-southeast-1": "Z1LMS91P8CMLE5",
}

var networkHostedZones = map[string]string{
	"us-east-1":      "Z26RNL4JYFTOTI",
	"us-east-2":      "ZLMOA37VPKANP",
	"us-west-1":      "Z24FKFUX50B4VW",
	"us-west-2":      "Z18D5FSROUN65G",
	"eu-west-1":      "Z2IFOLAFXWLO4F",
	"eu-central-1":   "Z3F0SRJ5LGBH90",
	"ap-northeast-1": "Z31USIVHYNEOWT",
	"ap-southeast-1": "ZKVM4W9LS7TM",
}
