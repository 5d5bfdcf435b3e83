package identity

// The local cloud's only user, whose access key may do everything. AWS's ids of IAM
// users consist of AIDA and 17 letters and digits.
const (
	UserARN = "arn:aws:iam::" + Account + ":user/aloft"
	UserID  = "AIDAALOFTLOCALCLOUD00"
)
