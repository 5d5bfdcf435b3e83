package s3

import (
	"cmp"
	"context"
	"io"
	"iter"
	"slices"

	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/checksum"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Deliver puts a log of a service into its bucket. It is there as a whole when Deliver
// returns; delivering it again changes nothing. The error is bucketpolicy.ErrNotAdmitted if
// there is no bucket, or its policy does not admit the log.
func (a *API) Deliver(d bucketpolicy.Delivery, log io.Reader) error {
	owner, ok := bucketpolicy.Admits(a.Store.View(), d)
	if !ok {
		return bucketpolicy.ErrNotAdmitted
	}
	sums, err := checksum.Claimed(func(string) string { return "" })
	if err != nil {
		return err
	}
	sums.Use(checksum.CRC64NVME)
	c, err := a.write(log, sums)
	if err != nil {
		return err
	}
	o := &store.Object{
		Bucket: d.Bucket, Key: d.Key, Files: []store.FileRef{c.file}, Size: c.file.Size, ETag: c.etag(),
		Modified: a.now(), Headers: store.ObjectHeaders{ContentType: "application/octet-stream"},
		Checksum: c.checksum, Delivered: true,
	}
	as := wire.WithCaller(context.Background(), wire.Caller{Region: identity.RegionOf(owner, "")})
	if err := a.put(as, "Put", o, nil, condition{}, nil); err != nil {
		a.removeFiles(o.Files)
		return err
	}
	return nil
}

// BoundDelivered deletes the oldest logs until those of all buckets together have at most so
// many bytes, and returns how many it has deleted.
func (a *API) BoundDelivered(limit int64) (deleted int, err error) {
	logs, total := delivered(a.Store.View())
	if total <= limit {
		return 0, nil
	}
	slices.SortFunc(logs, func(a, b *store.Object) int {
		return cmp.Or(a.Modified.Compare(b.Modified), cmp.Compare(a.Key, b.Key))
	})
	var files []store.FileRef
	err = a.Store.Update(func(tx *store.Tx) error {
		for _, o := range logs {
			if total <= limit || deleted == maxDeletions {
				break
			}
			total -= o.Size
			if isStored(tx, o) && !a.isProtected(o, false) {
				files = append(files, removeVersion(tx, o)...)
				deleted++
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	a.removeFiles(files)
	return deleted, nil
}

// delivered returns the logs in all buckets, and their size together.
func delivered(r store.Reader) (logs []*store.Object, total int64) {
	for _, objects := range []iter.Seq[*store.Object]{store.Objects.From(r, ""), store.ObjectVersions.From(r, "")} {
		for o := range objects {
			if o.Delivered {
				logs, total = append(logs, o), total+o.Size
			}
		}
	}
	return logs, total
}
