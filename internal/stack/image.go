package stack

// KindImage is the kind of an AMI.
const KindImage Kind = "image"

var imageKind = properties{kind: KindImage, mayReferTo: []Kind{KindServer}, replaceable: true}

// AddressImage is the address of the release's image.
const AddressImage = "image"

// Image is an AMI of a release: the base image with the application installed. It
// is created from the instance that Builder refers to. If Builder is zero, the
// image has to exist.
type Image struct {
	ImageName string
	Release   string
	Base      string // "debian-12"
	Builder   Ref
}

// ImageName returns the name of an application's image of a release.
func ImageName(app, release string) string { return app + "-" + release }

// Kind implements Body.
func (Image) Kind() Kind { return KindImage }

// Title implements Body.
func (i Image) Title() string {
	if i.Builder.Address == "" {
		return "image " + i.ImageName
	}
	return "image " + i.ImageName + " of " + i.Builder.Address
}

// Attributes implements Body.
func (i Image) Attributes() []Attribute {
	return []Attribute{fixed(text(AttrRelease, i.Release)), text(AttrState, "available")}
}

// Needs implements Body.
func (i Image) Needs() []Ref {
	if i.Builder.Address == "" {
		return nil
	}
	return []Ref{i.Builder}
}
