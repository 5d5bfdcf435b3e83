package metric

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Summaries are encoded together: a byte with the version of the encoding and then,
// compressed, the texts that identify metrics, each once, and the summaries. A summary
// refers to its texts by number.
const encodingVersion = 1

// maxEncoded is how many bytes encoded summaries have at most when they are not compressed.
const maxEncoded = 64 << 20

// Flags of an encoded summary.
const (
	flagUnknown = 1 << iota // its values are unknown
	flagOne                 // it has one value, from which Sum, Min and Max follow
)

// encoder encodes summaries. The zero value is ready to use.
type encoder struct {
	numbers map[string]uint64 // of texts
	texts   []byte
	points  []byte
	minute  int64 // of the last summary
}

func (e *encoder) add(at place, s *Summary) {
	for _, text := range []string{string(at.region), at.id.Namespace, at.id.Name, at.id.dimensions, at.unit} {
		e.points = binary.AppendUvarint(e.points, e.number(text))
	}
	e.points = binary.AppendVarint(e.points, at.minute-e.minute)
	e.minute = at.minute
	one := len(s.values) == 1 && !s.valuesUnknown && s.Min == s.Max && s.Sum == s.Min*s.Count &&
		s.values[0] == occurrences(s.Min, s.Count)[0]
	switch {
	case one:
		e.points = append(e.points, flagOne)
		e.points = appendFloat(appendFloat(e.points, s.Count), s.Min)
		return
	case s.valuesUnknown:
		e.points = append(e.points, flagUnknown)
	default:
		e.points = append(e.points, 0)
	}
	for _, f := range []float64{s.Count, s.Sum, s.Min, s.Max} {
		e.points = appendFloat(e.points, f)
	}
	e.points = binary.AppendUvarint(e.points, uint64(len(s.values)))
	for _, v := range s.values {
		e.points = appendFloat(appendFloat(e.points, v.value), v.times)
	}
}

// number returns the number of a text.
func (e *encoder) number(text string) uint64 {
	n, known := e.numbers[text]
	if !known {
		if e.numbers == nil {
			e.numbers = map[string]uint64{}
		}
		n = uint64(len(e.numbers))
		e.numbers[text] = n
		e.texts = append(binary.AppendUvarint(e.texts, uint64(len(text))), text...)
	}
	return n
}

// bytes returns what add encoded.
func (e *encoder) bytes() []byte {
	var out bytes.Buffer
	out.WriteByte(encodingVersion)
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil // the level is one that there is
	}
	for _, part := range [][]byte{binary.AppendUvarint(nil, uint64(len(e.numbers))), e.texts, e.points} {
		_, _ = w.Write(part) // writing to memory does not fail
	}
	_ = w.Close()
	return out.Bytes()
}

// appendFloat appends a number. Integers and short fractions end with zero bits, so they are
// short when their bytes are reversed.
func appendFloat(to []byte, f float64) []byte {
	return binary.AppendUvarint(to, bits.ReverseBytes64(math.Float64bits(f)))
}

// decode calls each for every encoded summary.
func (d *decoder) decode(encoded string, each func(at place, s Summary)) error {
	if encoded == "" || encoded[0] != encodingVersion {
		return fmt.Errorf("%w: another version", errEncoding)
	}
	if err := d.decompress(encoded[1:]); err != nil {
		return err
	}
	texts := make([]string, 0, min(d.uvarint(), uint64(len(d.rest))))
	for range cap(texts) {
		texts = append(texts, d.text())
	}
	minute := int64(0)
	for len(d.rest) > 0 {
		var names [5]string
		for i := range names {
			n := d.uvarint()
			if n >= uint64(len(texts)) {
				return errEncoding
			}
			names[i] = texts[n]
		}
		minute += d.varint()
		s := d.summary()
		if d.failed {
			return errEncoding
		}
		of := seriesKey{identity.Region(names[0]), ID{names[1], names[2], names[3]}}
		each(place{of, pointKey{minute, names[4]}}, s)
	}
	if d.failed {
		return errEncoding
	}
	return nil
}

// decoder reads what an encoder wrote. Once it has failed, it returns zeros. The zero value is
// ready to use, and to use again.
type decoder struct {
	rest         []byte
	failed       bool
	compressed   strings.Reader
	decompressor io.ReadCloser
	data         bytes.Buffer
}

// decompress begins to read what was compressed.
func (d *decoder) decompress(text string) error {
	d.compressed.Reset(text)
	d.data.Reset()
	d.failed = false
	if d.decompressor == nil {
		d.decompressor = flate.NewReader(&d.compressed)
	} else if again, ok := d.decompressor.(flate.Resetter); ok {
		if err := again.Reset(&d.compressed, nil); err != nil {
			return err
		}
	}
	_, err := d.data.ReadFrom(io.LimitReader(d.decompressor, maxEncoded))
	d.rest = d.data.Bytes()
	return err
}

// skip leaves out n bytes, which is not positive if there was no number to read.
func (d *decoder) skip(n int) {
	if n <= 0 {
		d.failed, d.rest = true, nil
		return
	}
	d.rest = d.rest[n:]
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	d.skip(n)
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	d.skip(n)
	return v
}

func (d *decoder) float() float64 { return math.Float64frombits(bits.ReverseBytes64(d.uvarint())) }

func (d *decoder) text() string {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.failed, d.rest = true, nil
		return ""
	}
	text := string(d.rest[:n])
	d.rest = d.rest[n:]
	return text
}

func (d *decoder) summary() Summary {
	flags := d.uvarint()
	if flags&flagOne != 0 {
		count := d.float()
		return SummaryOf(d.float(), count)
	}
	s := Summary{
		Count: d.float(), Sum: d.float(), Min: d.float(), Max: d.float(), valuesUnknown: flags&flagUnknown != 0,
	}
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.failed = true
		return Summary{}
	}
	for range n {
		s.values = append(s.values, occurrence{d.float(), d.float()})
	}
	return s
}
