package ec2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var keyPairs = resourceType[store.KeyPair]{
	table: store.KeyPairs, kind: types.ResourceTypeKeyPair, prefix: "key-",
	notFoundCode: "InvalidKeyPair.NotFound", notFoundText: "The key pair ID", malformedCode: "InvalidKeyPair.NotFound",
	malformedText: "The key pair ID '%s' does not exist",
	key:           func(row *store.KeyPair) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row *store.KeyPair) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row *store.KeyPair) store.Tags { return row.Tags }, filters[*store.KeyPair]{
		"key-pair-id": field(func(row *store.KeyPair) string { return row.ID }),
		"key-name":    field(func(row *store.KeyPair) string { return row.Name }),
		"fingerprint": field(func(row *store.KeyPair) string { return row.Fingerprint }),
	}),
}

const maxKeyName = 255

func checkKeyName(name *string) error {
	if err := required(parameter{"KeyName", name}); err != nil {
		return err
	}
	if len(*name) > maxKeyName || !isASCII(*name) {
		return invalidValue("KeyName", *name, "A name has at most 255 ASCII characters.")
	}
	return nil
}

// keyNamed returns the region's key pair with the name, or EC2's error.
func keyNamed(r store.Reader, region identity.Region, name string) (*store.KeyPair, error) {
	rows := store.KeyPairsByName.List(r, region.Key(name))
	if len(rows) == 0 {
		return nil, keyPairNotFound(name)
	}
	return rows[0], nil
}

// addKeyPair stores a key pair. It refuses a name that is in use.
func (a *API) addKeyPair(
	ctx context.Context,
	dryRun *bool,
	name string,
	specifications []types.TagSpecification,
	key publicKey,
) (*store.KeyPair, error) {
	tags, err := tagsOfSpecifications(specifications, types.ResourceTypeKeyPair)
	if err != nil {
		return nil, err
	}
	row := &store.KeyPair{
		ID:          a.ids.ID(keyPairs.prefix),
		Name:        name,
		Type:        string(key.kind),
		Fingerprint: key.fingerprint,
		PublicKey:   key.text,
		Created:     a.Now(),
		Tags:        tags[types.ResourceTypeKeyPair],
	}
	return row, a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		if _, err := keyNamed(tx, region, name); err == nil {
			return wire.Errorf("InvalidKeyPair.Duplicate", "The keypair already exists")
		}
		row.Region = region
		store.KeyPairs.Put(tx, row)
		return nil
	})
}

// CreateKeyPair creates a key pair and returns its private key, which is not stored.
func (a *API) CreateKeyPair(ctx context.Context, in *ec2.CreateKeyPairInput) (*ec2.CreateKeyPairOutput, error) {
	if err := checkKeyName(in.KeyName); err != nil {
		return nil, err
	}
	switch in.KeyFormat {
	case "", types.KeyFormatPem:
	case types.KeyFormatPpk:
		return nil, wire.Errorf(
			"UnsupportedOperation",
			"aloft's local cloud gives out private keys in the format pem only",
		)
	default:
		return nil, invalidValue("KeyFormat", string(in.KeyFormat), "Valid values are pem and ppk.")
	}
	if in.KeyType != "" && !slices.Contains(in.KeyType.Values(), in.KeyType) {
		return nil, invalidValue("KeyType", string(in.KeyType), "Valid values are rsa and ed25519.")
	}
	// Generate the key outside of the transaction: RSA keys take long.
	private, key, err := generateKey(in.KeyType)
	if err != nil {
		return nil, err
	}
	row, err := a.addKeyPair(ctx, in.DryRun, *in.KeyName, in.TagSpecifications, key)
	if err != nil {
		return nil, err
	}
	return &ec2.CreateKeyPairOutput{
		KeyPairId:      &row.ID,
		KeyName:        &row.Name,
		KeyFingerprint: &row.Fingerprint,
		KeyMaterial:    &private,
		Tags:           tagSet(row.Tags),
	}, nil
}

// ImportKeyPair stores a public key of the user's.
func (a *API) ImportKeyPair(ctx context.Context, in *ec2.ImportKeyPairInput) (*ec2.ImportKeyPairOutput, error) {
	if err := checkKeyName(in.KeyName); err != nil {
		return nil, err
	}
	if len(in.PublicKeyMaterial) == 0 {
		return nil, missingParameter("PublicKeyMaterial")
	}
	key, err := parseImportedKey(in.PublicKeyMaterial)
	if err != nil {
		return nil, err
	}
	row, err := a.addKeyPair(ctx, in.DryRun, *in.KeyName, in.TagSpecifications, key)
	if err != nil {
		return nil, err
	}
	return &ec2.ImportKeyPairOutput{
		KeyPairId:      &row.ID,
		KeyName:        &row.Name,
		KeyFingerprint: &row.Fingerprint,
		Tags:           tagSet(row.Tags),
	}, nil
}

// DescribeKeyPairs lists key pairs.
func (a *API) DescribeKeyPairs(
	ctx context.Context, in *ec2.DescribeKeyPairsInput,
) (*ec2.DescribeKeyPairsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	ids := slices.Clone(in.KeyPairIds)
	for _, name := range in.KeyNames {
		row, err := keyNamed(view, region, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, row.ID)
	}
	rows, _, err := keyPairs.describe(view, region, describeQuery{ids: ids, filters: in.Filters})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeKeyPairsOutput{KeyPairs: list(rows, func(row *store.KeyPair) types.KeyPairInfo {
		item := types.KeyPairInfo{
			KeyPairId:      aws.String(row.ID),
			KeyName:        aws.String(row.Name),
			KeyType:        types.KeyType(row.Type),
			KeyFingerprint: aws.String(row.Fingerprint),
			CreateTime:     aws.Time(row.Created),
			Tags:           tagSet(row.Tags),
		}
		if aws.ToBool(in.IncludePublicKey) {
			item.PublicKey = aws.String(row.PublicKey)
		}
		return item
	})}, nil
}

// DeleteKeyPair deletes a key pair. Deleting an unknown name is not an error.
func (a *API) DeleteKeyPair(ctx context.Context, in *ec2.DeleteKeyPairInput) (*ec2.DeleteKeyPairOutput, error) {
	if aws.ToString(in.KeyName) == "" && aws.ToString(in.KeyPairId) == "" {
		return nil, missingParameter("KeyName")
	}
	out := &ec2.DeleteKeyPairOutput{Return: aws.Bool(true)}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		gone := store.KeyPairsByName.List(tx, region.Key(aws.ToString(in.KeyName)))
		if aws.ToString(in.KeyPairId) != "" {
			row, err := keyPairs.get(tx, region, *in.KeyPairId)
			if err != nil {
				return err
			}
			gone = []*store.KeyPair{row}
		}
		for _, row := range gone {
			store.KeyPairs.Delete(tx, row.ID)
			out.KeyPairId = &row.ID
		}
		return nil
	})
}
