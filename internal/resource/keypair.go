package resource

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// keyPairKind has no update: all attributes of a key pair are fixed.
var keyPairKind = kind{
	name:   stack.KindKeyPair,
	find:   listed((*Cloud).KeyPairs),
	create: created((*Provisioner).createKeyPair),
	remove: (*Provisioner).deleteKeyPair,
}

type keyPairAPI interface {
	DescribeKeyPairs(
		context.Context, *ec2.DescribeKeyPairsInput, ...func(*ec2.Options),
	) (*ec2.DescribeKeyPairsOutput, error)
	ImportKeyPair(context.Context, *ec2.ImportKeyPairInput, ...func(*ec2.Options)) (*ec2.ImportKeyPairOutput, error)
	DeleteKeyPair(context.Context, *ec2.DeleteKeyPairInput, ...func(*ec2.Options)) (*ec2.DeleteKeyPairOutput, error)
}

// KeyPairs returns the application's key pairs.
func (c *Cloud) KeyPairs(ctx context.Context) ([]plan.Found, error) {
	list, err := c.EC2.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{Filters: c.tagged()})
	if err != nil {
		return nil, fmt.Errorf("list key pairs: %w", err)
	}
	var all []plan.Found
	for _, k := range list.KeyPairs {
		f := foundByTags(stack.KindKeyPair, k.KeyName, k.Tags)
		f.Status.TagIDs = []string{aws.ToString(k.KeyPairId)}
		f.Set(stack.AttrName, f.ID)
		f.Set(stack.AttrFingerprint, tagValue(k.Tags, stack.TagFingerprint))
		all = append(all, f)
	}
	return all, nil
}

func (p *Provisioner) createKeyPair(ctx context.Context, r stack.Resource, body stack.KeyPair) (plan.Found, error) {
	public, err := p.Keys.publicKey(ctx, body.KeyName)
	if err != nil {
		return plan.Found{}, err
	}
	fingerprint := ssh.FingerprintSHA256(public)
	tags := p.tags(r, tag{stack.TagFingerprint, fingerprint})
	out, err := p.EC2.ImportKeyPair(ctx, &ec2.ImportKeyPairInput{
		KeyName:           &body.KeyName,
		PublicKeyMaterial: ssh.MarshalAuthorizedKey(public),
		TagSpecifications: tagSpecifications(tags, types.ResourceTypeKeyPair),
	})
	if awsapi.IsExists(err) {
		return plan.Found{}, &diag.Diagnostic{
			Where:   r.Address,
			Summary: fmt.Sprintf("key pair %s already exists, and Aloft did not create it", body.KeyName),
			Hint:    "rename or delete that key pair, or give the application another name",
			Cause:   err,
		}
	}
	if err != nil {
		return plan.Found{}, fmt.Errorf("import key pair %s: %w", body.KeyName, err)
	}
	f := foundByTags(stack.KindKeyPair, out.KeyName, out.Tags)
	f.Status.TagIDs = []string{aws.ToString(out.KeyPairId)}
	f.Set(stack.AttrFingerprint, fingerprint)
	return f, nil
}

// deleteKeyPair deletes the key pair, and the private key if Aloft created it.
func (p *Provisioner) deleteKeyPair(ctx context.Context, f plan.Found) error {
	_, err := p.EC2.DeleteKeyPair(ctx, &ec2.DeleteKeyPairInput{KeyName: &f.ID})
	if err := ignoreNotFound("delete key pair "+f.ID, err); err != nil {
		return err
	}
	return p.Keys.removeFor(ctx, f)
}
