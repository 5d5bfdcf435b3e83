package eventlog

import (
	"encoding/binary"
	"hash/crc32"
)

// A segment is a sequence of frames, one for each batch of events. A frame is the length
// and the checksum of its body, each with four bytes, and the body: the batch's sequence
// number with eight bytes and, for each event, its time, the length of its message and the
// message. What a killed daemon or lost power left half written has a wrong checksum.
const (
	frameHeader = 8
	maxBody     = 64 << 20 // a longer length is damage
)

var checksums = crc32.MakeTable(crc32.Castagnoli)

// frame returns a batch as a frame.
func frame(sequence uint64, events []Event) []byte {
	out := make([]byte, frameHeader, frameHeader+64)
	out = binary.BigEndian.AppendUint64(out, sequence)
	for _, e := range events {
		out = binary.AppendVarint(out, e.Time)
		out = binary.AppendUvarint(out, uint64(len(e.Message)))
		out = append(out, e.Message...)
	}
	binary.BigEndian.PutUint32(out, uint32(len(out)-frameHeader))
	binary.BigEndian.PutUint32(out[4:], crc32.Checksum(out[frameHeader:], checksums))
	return out
}

// readFrame returns the first batch in data and the length of its frame, which is 0 if data
// does not start with a whole frame.
func readFrame(data []byte) (sequence uint64, events []Event, length int) {
	if len(data) < frameHeader+8 {
		return 0, nil, 0
	}
	size := binary.BigEndian.Uint32(data)
	if size < 8 || size > maxBody || int(size) > len(data)-frameHeader {
		return 0, nil, 0
	}
	body := data[frameHeader : frameHeader+int(size)]
	if crc32.Checksum(body, checksums) != binary.BigEndian.Uint32(data[4:]) {
		return 0, nil, 0
	}
	sequence = binary.BigEndian.Uint64(body)
	for rest := body[8:]; len(rest) > 0; {
		at, n := binary.Varint(rest)
		if n <= 0 {
			return 0, nil, 0
		}
		size, m := binary.Uvarint(rest[n:])
		if m <= 0 || size > uint64(len(rest)-n-m) {
			return 0, nil, 0
		}
		end := n + m + int(size)
		events = append(events, Event{Time: at, Message: string(rest[n+m : end])})
		rest = rest[end:]
	}
	return sequence, events, frameHeader + int(size)
}
