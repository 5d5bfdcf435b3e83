package wire

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// filler generates values with every field set, so that a wrong name on the wire
// shows as a lost field.
type filler struct {
	*rand.Rand
	millis bool // times have milliseconds instead of whole seconds
}

// fill sets v and everything in it, except fields whose type contains them.
func (f *filler) fill(v reflect.Value, within ...reflect.Type) {
	switch t := v.Type(); {
	case t == timeType:
		ms := int64(0)
		if f.millis {
			ms = f.Int64N(1000)
		}
		v.Set(reflect.ValueOf(time.UnixMilli(f.Int64N(4_000_000_000)*1000 + ms).UTC()))
	case t == bytesType:
		b := make([]byte, 1+f.IntN(20))
		for i := range b {
			b[i] = byte(f.Uint32())
		}
		v.SetBytes(b)
	case t.Kind() == reflect.Pointer:
		if slices.Contains(within, t.Elem()) {
			return
		}
		v.Set(reflect.New(t.Elem()))
		f.fill(v.Elem(), within...)
	case t.Kind() == reflect.Slice:
		if slices.Contains(within, t.Elem()) {
			return
		}
		v.Set(reflect.MakeSlice(t, 1+f.IntN(2), 2))
		for i := range v.Len() {
			f.fill(v.Index(i), within...)
		}
	case t.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(t))
		for range 1 + f.IntN(2) {
			key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			f.fill(key, within...)
			f.fill(value, within...)
			v.SetMapIndex(key, value)
		}
	case t.Kind() == reflect.Struct:
		within = append(slices.Clone(within), t)
		for field := range fields(t) {
			f.fill(v.FieldByIndex(field.Index), within...)
		}
	default:
		f.scalar(v)
	}
}

func (f *filler) scalar(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		alphabet := []rune(`abcXYZ019 .-_/:+=&%<>"'{}[]äß漢😀` + "\n\t")
		s := []rune{'x'}
		for range f.IntN(12) {
			s = append(s, alphabet[f.IntN(len(alphabet))])
		}
		v.SetString(string(s) + "y")
	case reflect.Bool:
		v.SetBool(f.IntN(2) == 0)
	case reflect.Int32:
		v.SetInt(int64(int32(f.Uint32())))
	case reflect.Int64:
		v.SetInt(f.Int64() >> uint(f.IntN(60)))
	case reflect.Float32:
		v.SetFloat(float64(f.Float32() * 1000))
	case reflect.Float64:
		v.SetFloat(f.NormFloat64() * 1e6)
	}
}

func newFiller(t *testing.T, seed uint64) *filler {
	t.Helper()
	return &filler{Rand: rand.New(rand.NewPCG(seed, 4566))}
}
