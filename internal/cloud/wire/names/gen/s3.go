package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

var (
	// func (in *PutObjectInput) bindEndpointParams(p *EndpointParameters) { … p.Bucket = in.Bucket
	inBucket = regexp.MustCompile(`(?s)func \(in \*(\w+)Input\) bindEndpointParams\([^}]*?p\.Bucket = in\.Bucket\n`)
	// func validateOpUploadPartInput(v *UploadPartInput) error { … }
	validator = regexp.MustCompile(`(?ms)^func validateOp\w+\(v \*(\w+)Input\) .*?^}`)
	// smithy.NewErrParamRequired("PartNumber")
	required = regexp.MustCompile(`NewErrParamRequired\("(\w+)"\)`)

	// locationName := "Expires" … encoder.SetHeader(locationName).String(smithytime.FormatHTTPDate(*v.Expires))
	namedHeader = regexp.MustCompile(
		`locationName := "([\w-]+)"\s+encoder\.SetHeader\(locationName\)\.\w+\((?:[\w.]+\()?\*?v\.(\w+)\)`,
	)
	// locationName := "X-Amz-Object-Attributes" … for i := range v.ObjectAttributes {
	listHeader = regexp.MustCompile(
		`locationName := "([\w-]+)"\s+if len\(v\.\w+\) == 0 \{\s+encoder\.AddHeader[^}]*\}\s+for i := range v\.(\w+) `,
	)
	// hv := encoder.Headers("X-Amz-Meta-") for mapKey, mapVal := range v.Metadata {
	writtenPrefix = regexp.MustCompile(`encoder\.Headers\("([\w-]+)"\)\s+for mapKey, mapVal := range v\.(\w+)`)
	// lenPrefix := len("x-amz-meta-"); … v.Metadata[
	readPrefix = regexp.MustCompile(`(?s)lenPrefix := len\("([\w-]+)"\).*?v\.(\w+)\[`)

	// func (m *awsRestxml_serializeOpPutObject) HandleSerialize( … }
	requestWriter = regexp.MustCompile(`(?ms)^func \(m \*awsRestxml_serializeOp(\w+)\) HandleSerialize\(.*?^}`)
	// if input.Body != nil { payload := input.Body
	streamWritten = regexp.MustCompile(`if input\.(\w+) != nil \{\s+payload := `)
	// if input.Tagging != nil { if !restEncoder … Local: "Tagging"
	documentWritten = regexp.MustCompile(`(?s)if input\.(\w+) != nil \{\s+if !restEncoder.*?Local: "(\w+)"`)

	// func (m *awsRestxml_deserializeOpCopyObject) HandleDeserialize( … }
	responseReader = regexp.MustCompile(`(?ms)^func \(m \*awsRestxml_deserializeOp(\w+)\) HandleDeserialize\(.*?^}`)
	// awsRestxml_deserializeDocumentCopyObjectResult(&output.CopyObjectResult, decoder)
	documentRead = regexp.MustCompile(`deserializeDocument(\w+)\(&output\.(\w+), decoder\)`)
	// func awsRestxml_deserializeOpDocumentGetObjectOutput(v *GetObjectOutput, body io.ReadCloser) error { … }
	streamReader = regexp.MustCompile(`(?ms)^func awsRestxml_deserializeOpDocument\w+\(v \*(\w+), body .*?^}`)
	// v.Body = body; v.Policy = ptr.String(buf.String())
	streamRead = regexp.MustCompile(`v\.(\w+) = (?:body|ptr\.String)`)
)

// scanS3 returns the names in the bodies of Amazon S3, and writes its routes, the fields
// that are not in documents, and the roots of documents.
//
// The bucket is the first segment of paths, though the SDK prefers to have it in the host.
// Operations with the same path and method differ by the parameters that they require.
func scanS3(w io.Writer, s service, dir string, requests, responses []byte) (fields, error) {
	validators, err := os.ReadFile(filepath.Join(dir, "validators.go"))
	if err != nil {
		return nil, err
	}
	buckets, err := operationsInBuckets(dir)
	if err != nil {
		return nil, err
	}
	found := scanS3Bindings(requests, responses)
	for _, operation := range buckets {
		found.add([]byte(operation+"Input"), []byte("Bucket"), names.InPath, []byte("Bucket"))
	}
	needs := map[string][]string{}
	for _, fn := range validator.FindAllSubmatch(validators, -1) {
		for _, m := range required.FindAllSubmatch(fn[0], -1) {
			needs[string(fn[1])] = append(needs[string(fn[1])], string(m[1]))
		}
	}
	for _, m := range route.FindAllSubmatch(requests, -1) {
		operation, path := string(m[1]), string(m[2])
		if slices.Contains(buckets, operation) {
			path = strings.TrimSuffix("/{Bucket}"+path, "/")
			path = strings.Replace(path, "/?", "?", 1)
		}
		path += found.conditions(operation, needs[operation])
		if !strings.Contains(path, "?") {
			path = strings.Replace(path, "&", "?", 1)
		}
		fmt.Fprintln(w, "route", operation, string(m[3]), path)
	}
	writeBindings(w, found)
	for _, root := range s.roots {
		fmt.Fprintln(w, "root", root)
	}
	return scanBodies(requests, responses), nil
}

// conditions returns the parameters that a request must have to be for an operation: those
// in the query string and, after a space each, those in headers.
func (b bindings) conditions(operation string, needed []string) string {
	query, headers := "", ""
	for _, entry := range b[operation+"Input"] {
		parts := strings.SplitN(entry, ":", 3)
		if !slices.Contains(needed, parts[0]) {
			continue
		}
		switch names.Place(parts[1]) {
		case names.InQuery:
			query += "&" + parts[2]
		case names.InHeader:
			headers += " " + parts[2]
		case names.InBody, names.InPath, names.InHeaders, names.AsBody, names.AsAttribute:
		}
	}
	return query + headers
}

// operationsInBuckets returns the operations whose requests name a bucket.
func operationsInBuckets(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "api_op_*.go"))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if m := inBucket.FindSubmatch(source); m != nil {
			out = append(out, string(m[1]))
		}
	}
	return out, nil
}

// scanS3Bindings returns the fields that are not in documents.
func scanS3Bindings(requests, responses []byte) bindings {
	found := scanBindings(requests, responses)
	for _, fn := range binder.FindAllSubmatch(requests, -1) {
		for _, m := range namedHeader.FindAllSubmatch(fn[0], -1) {
			found.add(fn[1], m[2], names.InHeader, m[1])
		}
		for _, m := range listHeader.FindAllSubmatch(fn[0], -1) {
			found.add(fn[1], m[2], names.InHeader, m[1])
		}
		for _, m := range writtenPrefix.FindAllSubmatch(fn[0], -1) {
			found.add(fn[1], m[2], names.InHeaders, m[1])
		}
	}
	for _, fn := range headerReader.FindAllSubmatch(responses, -1) {
		for _, m := range readPrefix.FindAllSubmatch(fn[0], -1) {
			found.add(fn[1], m[2], names.InHeaders, m[1])
		}
	}
	for _, fn := range requestWriter.FindAllSubmatch(requests, -1) {
		input := append(fn[1], "Input"...)
		for _, m := range streamWritten.FindAllSubmatch(fn[0], -1) {
			found.add(input, m[1], names.AsBody, nil)
		}
		for _, m := range documentWritten.FindAllSubmatch(fn[0], -1) {
			found.add(input, m[1], names.AsBody, m[2])
		}
	}
	for _, fn := range responseReader.FindAllSubmatch(responses, -1) {
		for _, m := range documentRead.FindAllSubmatch(fn[0], -1) {
			found.add(append(fn[1], "Output"...), m[2], names.AsBody, m[1])
		}
	}
	for _, fn := range streamReader.FindAllSubmatch(responses, -1) {
		for _, m := range streamRead.FindAllSubmatch(fn[0], -1) {
			found.add(fn[1], m[1], names.AsBody, nil)
		}
	}
	constraint := []byte("LocationConstraint") // which the SDK's reader takes for an element
	found.add([]byte("GetBucketLocationOutput"), constraint, names.AsBody, constraint)
	found.add([]byte("Grantee"), []byte("Type"), names.AsAttribute, []byte("type"))
	return found
}
