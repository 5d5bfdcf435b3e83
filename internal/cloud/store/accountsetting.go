package store

import "aloft.dev/aloft/internal/cloud/identity"

// AccountSettings contains what accounts have set for a region, by region. A region without a row
// has the settings of a new account.
var AccountSettings = newTable(
	"account_settings", func(r *AccountSetting) string { return string(r.Region) }, (*AccountSetting).region,
)

// AccountSetting holds an account's settings for Amazon EC2 in a region.
type AccountSetting struct {
	Region         identity.Region
	EncryptVolumes bool              // new volumes are encrypted
	VolumeKeyARN   string            // of their encryption; "": the key aws/ebs
	CPUCredits     map[string]string // credit option of new instances by family: "t3"
	Metadata       MetadataDefaults
	BlockImages    bool   // images cannot be made public
	BlockSnapshots string // "block-all-sharing", "block-new-sharing"; "": snapshots can be public
	SerialConsole  bool   // users may open serial consoles, which no machine of the local cloud has
}

// MetadataDefaults are the metadata options of launches that do not say another. Zero values
// leave the choice to the image.
type MetadataDefaults struct {
	Tokens   string // "optional", "required"
	Endpoint string // "enabled", "disabled"
	HopLimit int32
	Tags     string // "enabled", "disabled"
}

func (r *AccountSetting) region() identity.Region { return r.Region }

// SettingOf returns what an account has set in a region.
func SettingOf(r Reader, region identity.Region) AccountSetting {
	if row, ok := AccountSettings.Get(r, string(region)); ok {
		return *row
	}
	return AccountSetting{Region: region}
}
