package price

// source names where the table is from: tables of AWS's prices that others publish.
// None of the prices was read from AWS's own list.
const source = "published copies of AWS's on-demand prices, without taxes"

// dates say when the prices of a region were read. Those of other regions are of
// otherDate.
var dates = map[string]string{"us-east-1": "2026-01"}

const otherDate = "2026-10"

// addressHour is the price of a public IPv4 address, the same in all regions (AWS
// News Blog, "New – AWS Public IPv4 Address Charge + Public IP Insights").
const addressHour = 0.005

// sizes are the prices of a family's sizes in relation to its size large. AWS prices
// the sizes of these families in proportion to their vCPUs and memory, and rounds.
var sizes = map[string]float64{
	"nano": 1. / 16, "micro": 1. / 8, "small": 1. / 4, "medium": 1. / 2, "large": 1, "xlarge": 2,
	"2xlarge": 4, "4xlarge": 8, "8xlarge": 16, "12xlarge": 24, "16xlarge": 32, "24xlarge": 48,
}

// families are the hourly prices of the size large in US dollars, by region and
// family: Linux, on demand, shared tenancy.
var families = map[string]map[string]float64{
	"us-east-1": {
		"t2": 0.0928, "t3": 0.0832, "t3a": 0.0752, "t4g": 0.0672,
		"m5": 0.096, "m5a": 0.086, "m6a": 0.0864, "m6g": 0.077, "m6i": 0.096,
		"m7a": 0.11592, "m7g": 0.0816, "m7i": 0.1008, "m7i-flex": 0.09576, "m8g": 0.08976, "m8i": 0.10584,
		"c5": 0.085, "c5a": 0.077, "c6a": 0.0765, "c6g": 0.068, "c6i": 0.085,
		"c7a": 0.10264, "c7g": 0.0725, "c7i": 0.08925, "c7i-flex": 0.08479, "c8g": 0.07976, "c8i": 0.09371,
		"r5": 0.126, "r5a": 0.113, "r6a": 0.1134, "r6g": 0.1008, "r6i": 0.126,
		"r7a": 0.15215, "r7g": 0.1071, "r7i": 0.1323, "r8g": 0.11782, "r8i": 0.13892,
	},
	"us-west-2":      {"t3": 0.0832, "m5": 0.096},
	"eu-west-1":      {"t3": 0.0912, "m5": 0.107},
	"eu-central-1":   {"t3": 0.096, "m5": 0.115, "m6i": 0.115, "m7g": 0.0978, "c6i": 0.097},
	"ap-northeast-1": {"t3": 0.1088, "t4g": 0.0864},
	"ap-northeast-2": {"t4g": 0.0832},
	"ap-southeast-1": {"t3": 0.1056},
}

// exceptions are hourly prices that are not in proportion to their family's.
var exceptions = map[string]map[string]float64{
	"us-east-1": {"t2.small": 0.023},
}

// others are the prices of everything but instances and addresses. A metric's price is
// that of the first 10,000.
var others = map[string]map[Item]float64{
	"us-east-1": {
		LoadBalancer: 0.0225, LCU: 0.008, Disk: 0.08, Snapshot: 0.05, Metric: 0.3, Alarm: 0.1,
		NatGateway: 0.045, NatData: 0.045, ObjectData: 0.023,
	},
	"eu-west-1":      {LoadBalancer: 0.0252, LCU: 0.008, Disk: 0.088, Metric: 0.3, Alarm: 0.1, ObjectData: 0.023},
	"eu-central-1":   {LoadBalancer: 0.027, LCU: 0.008, Disk: 0.0952, Metric: 0.3, Alarm: 0.1, ObjectData: 0.0245},
	"ap-northeast-1": {Disk: 0.096},
	"ap-northeast-2": {LoadBalancer: 0.0225, LCU: 0.008},
	"ap-southeast-1": {Disk: 0.096},
	"ap-southeast-2": {Snapshot: 0.055},
}
