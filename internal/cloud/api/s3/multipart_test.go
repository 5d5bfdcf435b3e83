package s3_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// upload begins an upload and uploads parts of random content.
func (w *world) upload(
	algorithm types.ChecksumAlgorithm, sizes ...int,
) (id string, parts []types.CompletedPart, all []byte) {
	w.Helper()
	created, err := w.CreateMultipartUpload(w.Context(), &s3.CreateMultipartUploadInput{
		Bucket: aws.String("bkt"), Key: aws.String("k"), ChecksumAlgorithm: algorithm, ContentType: aws.String("x/y"),
	})
	w.ok(created, err)
	for i, size := range sizes {
		content := make([]byte, size)
		_, _ = rand.Read(content)
		all = append(all, content...)
		number := aws.Int32(int32(i + 1))
		part, err := w.UploadPart(w.Context(), &s3.UploadPartInput{
			Bucket: aws.String("bkt"), Key: aws.String("k"), UploadId: created.UploadId, PartNumber: number,
			Body: bytes.NewReader(content), ChecksumAlgorithm: algorithm,
		})
		w.ok(part, err)
		parts = append(parts, types.CompletedPart{
			ETag: part.ETag, PartNumber: number, ChecksumCRC32: part.ChecksumCRC32, ChecksumSHA256: part.ChecksumSHA256,
			ChecksumCRC64NVME: part.ChecksumCRC64NVME,
		})
	}
	return *created.UploadId, parts, all
}

func (w *world) complete(id string, parts ...types.CompletedPart) (*s3.CompleteMultipartUploadOutput, error) {
	return w.CompleteMultipartUpload(w.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: aws.String("bkt"), Key: aws.String("k"), UploadId: &id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
}

func TestPartsBecomeAnObject(t *testing.T) {
	const part = 5 << 20
	for _, algorithm := range []types.ChecksumAlgorithm{"CRC32", "CRC64NVME", "SHA256"} {
		w := newWorld(t)
		w.put("k", "replaced")
		id, parts, all := w.upload(algorithm, part, part+1, 10)
		listed, err := w.ListParts(t.Context(), &s3.ListPartsInput{
			Bucket: aws.String("bkt"), Key: aws.String("k"), UploadId: &id, MaxParts: aws.Int32(2),
		})
		w.ok(listed, err)
		if len(listed.Parts) != 2 || *listed.NextPartNumberMarker != "2" || *listed.Parts[1].Size != part+1 {
			t.Errorf("parts: %+v", listed)
		}
		out, err := w.complete(id, parts...)
		w.ok(out, err)
		if !strings.HasSuffix(*out.ETag, `-3"`) {
			t.Errorf("ETag %s", *out.ETag)
		}
		if got := w.get("k"); got != string(all) { // the SDK compares full checksums
			t.Errorf("%s: got %d bytes that differ", algorithm, len(got))
		}
		got, err := w.GetObject(t.Context(), &s3.GetObjectInput{
			Bucket: aws.String("bkt"), Key: aws.String("k"),
			Range: aws.String(fmt.Sprintf("bytes=%d-%d", part-5, 2*part+5)),
		})
		w.ok(got, err)
		if content, err := io.ReadAll(got.Body); err != nil || !bytes.Equal(content, all[part-5:2*part+6]) {
			t.Errorf("a range over parts: got %d bytes that differ, %v", len(content), err)
		}
		got, err = w.GetObject(t.Context(), &s3.GetObjectInput{
			Bucket: aws.String("bkt"), Key: aws.String("k"), PartNumber: aws.Int32(3),
		})
		w.ok(got, err)
		content, err := io.ReadAll(got.Body)
		if err != nil || !bytes.Equal(content, all[2*part+1:]) || *got.PartsCount != 3 {
			t.Errorf("a part: got %d bytes that differ, %v", len(content), err)
		}
		w.ok(w.CopyObject(t.Context(), &s3.CopyObjectInput{
			Bucket: aws.String("bkt"), Key: aws.String("copy"), CopySource: aws.String("bkt/k"),
		}))
		if w.get("copy") != string(all) || w.onDisk() != 4 {
			t.Errorf("the copy differs, or %d files are there", w.onDisk())
		}
		if _, err := w.complete(id, parts...); err == nil {
			t.Error("an upload is completed twice")
		}
	}
}

func TestPartsThatDoNotFitAreRefused(t *testing.T) {
	w := newWorld(t)
	id, parts, _ := w.upload("", 100, 100)
	_, err := w.complete(id, parts...)
	w.refused(err, "EntityTooSmall")
	_, err = w.complete(id, parts[1], parts[0])
	w.refused(err, "InvalidPartOrder")
	_, err = w.complete(id, types.CompletedPart{PartNumber: aws.Int32(1), ETag: parts[1].ETag})
	w.refused(err, "InvalidPart")
	_, err = w.complete(id, types.CompletedPart{PartNumber: aws.Int32(3), ETag: parts[1].ETag})
	w.refused(err, "InvalidPart")
	_, err = w.complete(id, types.CompletedPart{
		PartNumber: aws.Int32(1), ETag: parts[0].ETag, ChecksumSHA512: aws.String("AAAA"),
	})
	w.refused(err, "NotImplemented")
	_, err = w.complete(id)
	w.refused(err, "MalformedXML")
	if out, err := w.complete(id, parts[1]); err != nil || w.onDisk() != 1 {
		t.Errorf("one part of two: %v, %v, %d files", out, err, w.onDisk())
	}
	id, _, _ = w.upload("", 100)
	uploads, err := w.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String("bkt")})
	w.ok(uploads, err)
	if len(uploads.Uploads) != 1 || *uploads.Uploads[0].UploadId != id {
		t.Errorf("uploads: %+v", uploads.Uploads)
	}
	w.ok(w.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{
		Bucket: aws.String("bkt"), Key: aws.String("k"), UploadId: &id,
	}))
	if w.onDisk() != 1 {
		t.Errorf("%d files after an upload was aborted", w.onDisk())
	}
}
