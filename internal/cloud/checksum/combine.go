package checksum

import (
	"encoding/binary"
	"hash/crc32"
)

// Combine returns the checksum of a content that consists of two parts: of the first, and of
// the second with its length. The algorithm combines.
//
// The checksum of the whole is that of the first, multiplied by x to the power of the
// second's length in bits, plus that of the second, modulo the polynomial (zlib, crc32.c).
func (a Algorithm) Combine(first, second []byte, length int64) []byte {
	f := field{top: 63, polynomial: nvme}
	switch a {
	case CRC32:
		f = field{top: 31, polynomial: crc32.IEEE}
	case CRC32C:
		f = field{top: 31, polynomial: crc32.Castagnoli}
	case CRC64NVME, SHA1, SHA256:
	}
	combined := f.multiply(f.power(8*uint64(length)), number(first)) ^ number(second)
	return binary.BigEndian.AppendUint64(nil, combined)[8-len(first):]
}

func number(sum []byte) (n uint64) {
	for _, b := range sum {
		n = n<<8 | uint64(b)
	}
	return n
}

// field holds polynomials over two elements modulo one. The coefficients are in reversed
// order: bit top is that of x to the power of 0.
type field struct {
	top        uint
	polynomial uint64
}

// multiply returns a product.
func (f field) multiply(a, b uint64) (product uint64) {
	for ; a != 0; a = a << 1 & (1<<f.top | (1<<f.top - 1)) {
		if a>>f.top&1 == 1 {
			product ^= b
		}
		carry := b & 1
		if b >>= 1; carry == 1 {
			b ^= f.polynomial
		}
	}
	return product
}

// power returns x to the power of n.
func (f field) power(n uint64) uint64 {
	result, square := uint64(1)<<f.top, uint64(1)<<(f.top-1)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			result = f.multiply(result, square)
		}
		square = f.multiply(square, square)
	}
	return result
}
