package archive

import "encoding/binary"

// Extra fields with times, or with the builder's user: those of NTFS and of Info-ZIP.
func isTime(id uint16) bool {
	switch id {
	case 0x000a, 0x5455, 0x5855, 0x7855, 0x7875:
		return true
	}
	return false
}

// fields calls each for the extra fields: an id, a size, and the data, little-endian.
func fields(extra []byte, each func(id uint16, field []byte)) {
	for len(extra) >= 4 {
		size := 4 + int(binary.LittleEndian.Uint16(extra[2:]))
		if size > len(extra) {
			return
		}
		each(binary.LittleEndian.Uint16(extra), extra[:size])
		extra = extra[size:]
	}
}

func hasTimes(extra []byte) bool {
	found := false
	fields(extra, func(id uint16, _ []byte) { found = found || isTime(id) })
	return found
}

func withoutTimes(extra []byte) []byte {
	var rest []byte
	fields(extra, func(id uint16, field []byte) {
		if !isTime(id) {
			rest = append(rest, field...)
		}
	})
	return rest
}
