//go:build linux

package metadata

import (
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
)

// versions are the versions of the metadata API. Their contents do not differ here.
var versions = []string{
	"1.0", "2007-01-19", "2009-04-04", "2011-01-01", "2016-09-02", "2018-09-24", "2019-10-01", "2020-10-27",
	"2021-01-03", "2021-03-23", "2021-07-15", "2022-09-24", "latest",
}

// serveContent responds with the content at the request's path.
func (s *Server) serveContent(w http.ResponseWriter, r *http.Request, instance Instance) {
	version, rest, _ := strings.Cut(strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/"), "/")
	body, found := "", false
	var err error
	switch {
	case version == "":
		body, found = strings.Join(versions, "\n"), true
	case slices.Contains(versions, version):
		body, found, err = instance.contentAt(rest)
	}
	switch {
	case err != nil:
		s.log.Error("serve a metadata request", "instance", instance.ID, "error", err)
		writeError(w, http.StatusInternalServerError)
	case !found:
		writeError(w, http.StatusNotFound)
	default:
		contentType := "text/plain"
		if rest == "user-data" {
			contentType = "application/octet-stream"
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

// contentAt returns the content at a path below a version.
func (i Instance) contentAt(name string) (body string, found bool, err error) {
	switch name {
	case "":
		body = "dynamic\nmeta-data"
		if i.UserData != nil {
			body += "\nuser-data"
		}
		return body, true, nil
	case "user-data":
		return string(i.UserData), i.UserData != nil, nil
	case "dynamic":
		return "instance-identity/", true, nil
	case "dynamic/instance-identity":
		return "document", true, nil
	case "dynamic/instance-identity/document":
		body, err = i.identityDocument()
		return body, true, err
	}
	if below, ok := strings.CutPrefix(name, "meta-data/iam/"); ok {
		if document, ok := i.profileCategories()[below]; ok {
			body, err = document()
			return body, true, err
		}
	}
	if below, ok := strings.CutPrefix(name+"/", "meta-data/"); ok {
		body, found = i.metadataAt(below)
	}
	return body, found, nil
}
