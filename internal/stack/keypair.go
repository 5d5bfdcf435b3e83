package stack

// KindKeyPair is the kind of an EC2 key pair.
const KindKeyPair Kind = "key-pair"

var keyPairKind = properties{kind: KindKeyPair, uniqueName: true}

// AddressKeyPair is the address of the application's key pair.
const AddressKeyPair = "key-pair"

// AttrFingerprint is the SHA-256 fingerprint of a key pair's public key.
const AttrFingerprint AttributeKey = "fingerprint"

// KeyPair gives users and Aloft SSH access to the instances. The private key
// never leaves the user's computer.
type KeyPair struct {
	KeyName     string
	Fingerprint string // SHA256:… of the public key; "" accepts any
}

// KeyName returns the name of an application's key pair.
func KeyName(app string) string { return "aloft-" + app }

// Kind implements Body.
func (KeyPair) Kind() Kind { return KindKeyPair }

// Title implements Body.
func (k KeyPair) Title() string { return "key pair " + k.KeyName }

// Attributes implements Body.
func (k KeyPair) Attributes() []Attribute {
	all := []Attribute{fixed(text(AttrName, k.KeyName))}
	if k.Fingerprint != "" {
		all = append(all, fixed(text(AttrFingerprint, k.Fingerprint)))
	}
	return all
}

// Needs implements Body.
func (KeyPair) Needs() []Ref { return nil }
