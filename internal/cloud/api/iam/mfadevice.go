package iam

import (
	"cmp"
	"context"
	"encoding/base32"
	"io"
	"net/http"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/onetimecode"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of second factors (IAM User Guide, "IAM and AWS STS quotas").
const (
	maxMFADevices = 8   // of a user
	maxDeviceName = 226 // without a path: serial numbers, which are ARNs, have at most 256 characters
)

// The forms of serial numbers and codes (IAM API Reference, EnableMFADevice).
var (
	serialNumber = identifierForm{
		"serialNumber", 9, 256, `[\w+=/:,.@-]+`, regexp.MustCompile(`^[\w+=/:,.@-]+$`),
	}
	firstCode  = identifierForm{"authenticationCode1", 6, 6, `[\d]+`, codeForm}
	secondCode = identifierForm{"authenticationCode2", 6, 6, `[\d]+`, codeForm}

	codeForm = regexp.MustCompile(`^\d+$`)
)

// CreateVirtualMFADevice creates a virtual second factor, which is nobody's yet. Its answer is the only one that
// contains the seed.
func (a *API) CreateVirtualMFADevice(
	ctx context.Context, in *iam.CreateVirtualMFADeviceInput,
) (*iam.CreateVirtualMFADeviceOutput, error) {
	if err := checkName("virtualMFADeviceName", in.VirtualMFADeviceName, maxDeviceName); err != nil {
		return nil, err
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	serial := arn(ctx, "mfa", path, *in.VirtualMFADeviceName)
	if serialNumber.check(&serial) != nil {
		return nil, model.TooLong("virtualMFADeviceName", maxDeviceName+1-len(path))
	}
	tags, err := insensitive.merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	seed := make([]byte, onetimecode.SeedSize)
	if _, err := io.ReadFull(a.Random, seed); err != nil {
		return nil, err
	}
	row := &store.MFADevice{Serial: serial, Tags: tags}
	row.Seed = a.Seal.Seal(seed, row.SealRow())
	if err := a.Store.Update(func(tx *store.Tx) error {
		if _, taken := store.MFADevices.Get(tx, row.Serial); taken {
			return entityExists("MFADevice entity at the same path and name already exists.")
		}
		store.MFADevices.Put(tx, row)
		return nil
	}); err != nil {
		return nil, err
	}
	text := base32.StdEncoding.EncodeToString(seed)
	picture, err := provisioning(*in.VirtualMFADeviceName, wire.AccountFrom(ctx), text)
	return &iam.CreateVirtualMFADeviceOutput{VirtualMFADevice: &types.VirtualMFADevice{
		SerialNumber: &row.Serial, Base32StringSeed: []byte(text), QRCodePNG: picture, Tags: tagItems(tags),
	}}, err
}

// findDevice returns the second factor with a serial number.
func findDevice(ctx context.Context, r store.Reader, serial *string) (*store.MFADevice, error) {
	if err := serialNumber.check(serial); err != nil {
		return nil, err
	}
	row, ok := store.MFADevices.Get(r, *serial)
	if !ok || row.Region() != wire.GlobalFrom(ctx) {
		return nil, noSuchEntity("VirtualMFADevice with serial number %s does not exist.", *serial)
	}
	return row, nil
}

// DeleteVirtualMFADevice deletes a second factor that is nobody's.
func (a *API) DeleteVirtualMFADevice(
	ctx context.Context, in *iam.DeleteVirtualMFADeviceInput,
) (*iam.DeleteVirtualMFADeviceOutput, error) {
	return &iam.DeleteVirtualMFADeviceOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := findDevice(ctx, tx, in.SerialNumber)
		switch {
		case err != nil:
			return err
		case row.User != "":
			return deleteConflict("MFA VirtualDevice in use. Must deactivate first.")
		}
		store.MFADevices.Delete(tx, row.Serial)
		return nil
	})
}

// ListVirtualMFADevices lists the virtual second factors of the account.
func (a *API) ListVirtualMFADevices(
	ctx context.Context, in *iam.ListVirtualMFADevicesInput,
) (*iam.ListVirtualMFADevicesOutput, error) {
	assigned, unassigned := true, true
	switch in.AssignmentStatus {
	case "", types.AssignmentStatusTypeAny:
	case types.AssignmentStatusTypeAssigned:
		unassigned = false
	case types.AssignmentStatusTypeUnassigned:
		assigned = false
	default:
		return nil, model.OutOfSet("assignmentStatus", "Unassigned", "Any", "Assigned")
	}
	view := a.Store.Read(ctx)
	var rows []*store.MFADevice
	for _, row := range store.MFADevices.InRegion(view, wire.GlobalFrom(ctx)) {
		if row.User == "" && unassigned || row.User != "" && assigned {
			rows = append(rows, row)
		}
	}
	page, err := paginate(rows, serialOf, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListVirtualMFADevicesOutput{
		IsTruncated: page.more, Marker: page.marker,
		VirtualMFADevices: convert(page.items, func(row *store.MFADevice) types.VirtualMFADevice {
			out := types.VirtualMFADevice{SerialNumber: &row.Serial}
			if user, ok := store.Users.Get(view, store.NameKey(row.Region(), row.User)); ok && row.User != "" {
				out.User, out.EnableDate = new(describeUser(user)), &row.Enabled
			}
			return out
		}),
	}, nil
}

func serialOf(row *store.MFADevice) string { return row.Serial }

// ListMFADevices lists the second factors of a user, or of the caller.
func (a *API) ListMFADevices(
	ctx context.Context, in *iam.ListMFADevicesInput,
) (*iam.ListMFADevicesOutput, error) {
	view := a.Store.Read(ctx)
	user, err := userOrCaller(ctx, view, in.UserName)
	if err != nil {
		return nil, err
	}
	page, err := paginate(store.MFADevicesByUser.List(view, user.Key()), serialOf, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListMFADevicesOutput{
		IsTruncated: page.more, Marker: page.marker,
		MFADevices: convert(page.items, func(row *store.MFADevice) types.MFADevice {
			return types.MFADevice{UserName: &row.User, SerialNumber: &row.Serial, EnableDate: &row.Enabled}
		}),
	}, nil
}

// GetMFADevice returns a second factor of a user.
func (a *API) GetMFADevice(ctx context.Context, in *iam.GetMFADeviceInput) (*iam.GetMFADeviceOutput, error) {
	row, err := findDevice(ctx, a.Store.Read(ctx), in.SerialNumber)
	switch {
	case err != nil:
		return nil, err
	case row.User == "" || in.UserName != nil && *in.UserName != row.User:
		return nil, notOfUser()
	}
	return &iam.GetMFADeviceOutput{
		UserName: &row.User, SerialNumber: &row.Serial, EnableDate: &row.Enabled, Certifications: map[string]string{},
	}, nil
}

func notOfUser() error { return noSuchEntity("MFA Device invalid for user.") }

// editDevice changes a copy of the second factor with a serial number, and stores it.
func (a *API) editDevice(
	ctx context.Context, serial *string, change func(tx *store.Tx, row *store.MFADevice) error,
) error {
	return a.Store.Update(func(tx *store.Tx) error {
		old, err := findDevice(ctx, tx, serial)
		if err != nil {
			return err
		}
		row := *old
		if err := change(tx, &row); err != nil {
			return err
		}
		store.MFADevices.Put(tx, &row)
		return nil
	})
}

// EnableMFADevice makes a second factor that of a user, who proves with two codes that it has the seed.
func (a *API) EnableMFADevice(
	ctx context.Context, in *iam.EnableMFADeviceInput,
) (*iam.EnableMFADeviceOutput, error) {
	if err := checkCodes(in.AuthenticationCode1, in.AuthenticationCode2); err != nil {
		return nil, err
	}
	out := &iam.EnableMFADeviceOutput{}
	return out, a.editKeys(ctx, in.UserName, func(tx *store.Tx, user *store.User) error {
		row, err := findDevice(ctx, tx, in.SerialNumber)
		switch {
		case err != nil:
			return err
		case row.User != "":
			return entityExists("MFA Device is already in use.")
		case len(store.MFADevicesByUser.List(tx, user.Key())) >= maxMFADevices:
			return quotaExceeded("MFADevicesPerUser", maxMFADevices)
		}
		enabled := *row
		enabled.User, enabled.Enabled = user.Name, a.now()
		if err := a.synchronize(&enabled, *in.AuthenticationCode1, *in.AuthenticationCode2); err != nil {
			return err
		}
		store.MFADevices.Put(tx, &enabled)
		return nil
	})
}

func checkCodes(first, second *string) error {
	return cmp.Or(firstCode.check(first), secondCode.check(second))
}

// ResyncMFADevice finds out by two codes how far the clock of a user's second factor is ahead.
func (a *API) ResyncMFADevice(
	ctx context.Context, in *iam.ResyncMFADeviceInput,
) (*iam.ResyncMFADeviceOutput, error) {
	if err := checkCodes(in.AuthenticationCode1, in.AuthenticationCode2); err != nil {
		return nil, err
	}
	return &iam.ResyncMFADeviceOutput{}, a.editDeviceOf(
		ctx, in.UserName, in.SerialNumber, func(row *store.MFADevice) error {
			return a.synchronize(row, *in.AuthenticationCode1, *in.AuthenticationCode2)
		})
}

// DeactivateMFADevice takes a second factor from a user. Codes that were accepted stay used.
func (a *API) DeactivateMFADevice(
	ctx context.Context, in *iam.DeactivateMFADeviceInput,
) (*iam.DeactivateMFADeviceOutput, error) {
	name, err := callersName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	return &iam.DeactivateMFADeviceOutput{}, a.editDeviceOf(
		ctx, name, in.SerialNumber, func(row *store.MFADevice) error {
			*row = store.MFADevice{Serial: row.Serial, Seed: row.Seed, LastStep: row.LastStep, Tags: row.Tags}
			return nil
		})
}

// editDeviceOf changes a second factor of a user.
func (a *API) editDeviceOf(
	ctx context.Context, name, serial *string, change func(row *store.MFADevice) error,
) error {
	return a.editDevice(ctx, serial, func(tx *store.Tx, row *store.MFADevice) error {
		user, err := findUser(ctx, tx, name)
		switch {
		case err != nil:
			return err
		case row.User != user.Name:
			return notOfUser()
		}
		return change(row)
	})
}

// maxDrift is by how many steps the clock of a second factor may be wrong when it is synchronized.
const maxDrift = 20

// synchronize accepts two consecutive codes of a second factor.
func (a *API) synchronize(row *store.MFADevice, first, second string) error {
	seed, err := a.Seal.Open(row.Seed, row.SealRow())
	if err != nil {
		return err
	}
	now, found := onetimecode.Step(a.Now()), int64(0)
	for step := max(now-maxDrift, row.LastStep+1); step < now+maxDrift; step++ {
		_, isFirst := onetimecode.Find(seed, step, step, first)
		if _, isSecond := onetimecode.Find(seed, step+1, step+1, second); isFirst && isSecond {
			found = step + 1
		}
	}
	if found == 0 {
		return withStatus(http.StatusForbidden, "InvalidAuthenticationCode",
			"Authentication code for device is not valid.")
	}
	row.LastStep, row.Drift = found, found-now
	return nil
}

// TagMFADevice adds tags to a virtual second factor. A tag replaces one with the same key.
func (a *API) TagMFADevice(ctx context.Context, in *iam.TagMFADeviceInput) (*iam.TagMFADeviceOutput, error) {
	if in.Tags == nil {
		return nil, model.Null("tags")
	}
	return &iam.TagMFADeviceOutput{}, a.editDevice(
		ctx, in.SerialNumber, func(_ *store.Tx, row *store.MFADevice) (err error) {
			row.Tags, err = insensitive.merge(row.Tags, in.Tags)
			return err
		})
}

// UntagMFADevice removes the tags with the keys from a virtual second factor.
func (a *API) UntagMFADevice(ctx context.Context, in *iam.UntagMFADeviceInput) (*iam.UntagMFADeviceOutput, error) {
	if err := checkTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	return &iam.UntagMFADeviceOutput{}, a.editDevice(
		ctx, in.SerialNumber, func(_ *store.Tx, row *store.MFADevice) error {
			row.Tags = insensitive.without(row.Tags, in.TagKeys...)
			return nil
		})
}

// ListMFADeviceTags lists the tags of a virtual second factor.
func (a *API) ListMFADeviceTags(
	ctx context.Context, in *iam.ListMFADeviceTagsInput,
) (*iam.ListMFADeviceTagsOutput, error) {
	row, err := findDevice(ctx, a.Store.Read(ctx), in.SerialNumber)
	if err != nil {
		return nil, err
	}
	page, err := tagPage(row.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListMFADeviceTagsOutput{Tags: page.items, IsTruncated: page.more, Marker: page.marker}, nil
}
