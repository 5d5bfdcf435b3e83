package iam

import (
	"bytes"
	"image/png"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// pictureSize is the width and the height of pictures in pixels.
const pictureSize = 400

// provisioning returns the picture that a user's application reads to become a second factor (IAM API Reference,
// VirtualMFADevice).
func provisioning(name, account, seed string) ([]byte, error) {
	code, err := qr.Encode("otpauth://totp/"+name+"@"+account+"?secret="+seed, qr.M, qr.Auto)
	if err != nil {
		return nil, err
	}
	if code, err = barcode.Scale(code, pictureSize, pictureSize); err != nil {
		return nil, err
	}
	var picture bytes.Buffer
	err = png.Encode(&picture, code)
	return picture.Bytes(), err
}
