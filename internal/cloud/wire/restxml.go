package wire

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// route determines the operation of a REST request from its method and path, and the
// parts of the path that are parameters.
func (x *exchange) route(r *http.Request) {
	var labels map[string]string
	x.operation, labels = x.table.Route(r.Method, r.URL.EscapedPath())
	x.labels = map[string]string{}
	for name, text := range labels {
		plain, err := url.PathUnescape(text)
		x.malformed = x.malformed || err != nil // decode reports it
		x.labels[name] = plain
	}
	x.headers = r.Header
	var err error
	x.values, err = url.ParseQuery(r.URL.RawQuery)
	x.malformed = x.malformed || err != nil
}

// decodeRest decodes the body of a REST request and then the parameters outside it.
func (x *exchange) decodeRest(op *operation, v reflect.Value) error {
	if x.malformed {
		return malformedQuery("The path or the query string contains a syntax error.")
	}
	if len(x.body) > 0 {
		d := xmlDecoder{}
		err := d.read(x.body, op.name+"Request", op.in, v)
		x.parameters, x.unknown = d.seen, d.unknown
		if err != nil {
			return err
		}
	}
	for _, m := range op.in.fields {
		text, given := x.bound(m.at)
		if !given {
			continue
		}
		x.parameters = append(x.parameters, m.name)
		if err := setScalar(m.at.Name, text, m.shape, settableField(m, v)); err != nil {
			return err
		}
	}
	return nil
}

// bound returns the text of a parameter outside the body.
func (x *exchange) bound(at names.Binding) (text string, given bool) {
	switch at.Place {
	case names.InPath:
		text, given = x.labels[at.Name]
	case names.InQuery:
		text, given = x.values.Get(at.Name), x.values.Has(at.Name)
	case names.InHeader:
		text = strings.Join(x.headers.Values(at.Name), ",")
		given = text != ""
	case names.InBody, names.InHeaders, names.AsBody, names.AsAttribute:
	}
	return text, given
}

// encodeRest encodes the output of a REST operation. A response that names a new
// resource's location has the status that says so (RFC 9110, section 15.3.2).
func encodeRest(x *exchange, op *operation, out reflect.Value) *response {
	w := &xmlEncoder{}
	w.restResponse(x.table, op.name, op.out, out)
	r := &response{status: http.StatusOK, contentType: xmlType, body: w.Bytes(), header: http.Header{}}
	for _, m := range op.out.fields {
		if field := out.Field(m.index); m.at.Place == names.InHeader && m.isPresent(field) {
			r.header.Set(m.at.Name, reflect.Indirect(field).String())
		}
	}
	if r.header.Get("Location") != "" {
		r.status = http.StatusCreated
	}
	return r
}

// restResponse writes the document of a REST response.
func (w *xmlEncoder) restResponse(table *names.Table, operation string, sh *shape, out reflect.Value) {
	w.WriteString(xmlHeader)
	w.WriteString("<" + operation + "Response xmlns=\"" + table.Namespace + "\">")
	w.structure(sh, out)
	w.WriteString("</" + operation + "Response>")
}
