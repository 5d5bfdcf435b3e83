package identity

// UserName is the name of the only user of each account, whose access key may do everything.
const UserName = "aloft"

// UserARN returns the ARN of an account's user.
func UserARN(account string) string { return ARN("iam", RegionOf(account, ""), "user/"+UserName) }

// UserID returns the id of an account's user. AWS's ids of IAM users consist of AIDA and 17
// letters and digits.
func UserID(account string) string {
	if account == Account {
		return "AIDAALOFTLOCALCLOUD00"
	}
	return "AIDAALOFT" + account
}
