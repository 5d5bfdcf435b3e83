package userdata

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
)

// isMultipart reports whether data is a MIME message, by the rule of cloud-init: it has the
// header MIME-Version near its beginning.
func isMultipart(data []byte) bool {
	return bytes.Contains(bytes.ToLower(data[:min(len(data), 4096)]), []byte("mime-version:"))
}

// addMessage adds the parts of a MIME message.
func (p *plan) addMessage(data []byte) error {
	message, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("read the MIME message: %w", err)
	}
	return p.addEntity(textproto.MIMEHeader(message.Header), message.Body)
}

// addEntity adds a MIME entity: a part, or several.
func (p *plan) addEntity(header textproto.MIMEHeader, body io.Reader) error {
	kind, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil && header.Get("Content-Type") != "" {
		return fmt.Errorf("read the type %q: %w", header.Get("Content-Type"), err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		return p.addPart(kind, header.Get("Content-Transfer-Encoding"), body)
	}
	if parameters["boundary"] == "" {
		return fmt.Errorf("the type %s has no boundary", kind)
	}
	parts := multipart.NewReader(body, parameters["boundary"])
	for n := 1; ; n++ {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read part %d: %w", n, err)
		}
		if n > maxParts {
			return fmt.Errorf("it has more than %d parts", maxParts)
		}
		nested, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if strings.HasPrefix(nested, "multipart/") {
			return fmt.Errorf("part %d has parts of its own (%s), which is not supported", n, nested)
		}
		if err := p.addEntity(part.Header, part); err != nil {
			return fmt.Errorf("part %d: %w", n, err)
		}
	}
}

// addPart adds one part. A part whose type says nothing about its format is known by its
// first characters.
func (p *plan) addPart(kind, encoding string, body io.Reader) error {
	switch strings.ToLower(encoding) {
	case "", "7bit", "8bit", "binary":
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	default:
		return fmt.Errorf("the transfer encoding %s is not supported", encoding)
	}
	data, err := io.ReadAll(io.LimitReader(body, maxUnpacked+1))
	if err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if data, err = p.unpack(data); err != nil {
		return err
	}
	switch kind {
	case typeScript, typeConfig:
		return p.add(kind, data)
	case "", "text/plain", "text/x-not-multipart", "application/octet-stream",
		"application/gzip", "application/x-gzip", "application/gzip-compressed", "application/gzipped":
		found, known, err := kindOf(data)
		if err != nil {
			return err
		}
		if !known {
			return errors.New("it is no script and no cloud-config: it begins with neither #! nor #cloud-config")
		}
		return p.add(found, data)
	}
	return p.add(kind, data)
}
