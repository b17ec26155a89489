package fastcgi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// kind is the type of a record.
type kind uint8

const (
	beginRequest kind = 1
	endRequest   kind = 3
	params       kind = 4
	stdin        kind = 5
	stdout       kind = 6
	stderr       kind = 7
)

const (
	version       = 1
	roleResponder = 1
	requestID     = 1
	headerLen     = 8
	maxContent    = 65535
)

// errProtocol is what a responder may not send.
var errProtocol = errors.New("the FastCGI responder breaks the protocol")

// appendHeader appends a record's header; the content follows without padding.
func appendHeader(b []byte, k kind, length int) []byte {
	b = append(b, version, byte(k))
	b = binary.BigEndian.AppendUint16(b, requestID)
	b = binary.BigEndian.AppendUint16(b, uint16(length))
	return append(b, 0, 0)
}

// header is the head of a record that came in.
type header struct {
	kind    kind
	length  int
	padding int
}

func readHeader(r io.Reader) (header, error) {
	var raw [headerLen]byte
	if _, err := io.ReadFull(r, raw[:]); err != nil {
		return header{}, fmt.Errorf("read from the FastCGI responder: %w", err)
	}
	if raw[0] != version {
		return header{}, fmt.Errorf("%w: version %d", errProtocol, raw[0])
	}
	return header{kind(raw[1]), int(binary.BigEndian.Uint16(raw[4:])), int(raw[6])}, nil
}

// appendPair appends a parameter.
func appendPair(b []byte, name, value string) []byte {
	b = appendLength(b, len(name))
	b = appendLength(b, len(value))
	b = append(b, name...)
	return append(b, value...)
}

func appendLength(b []byte, n int) []byte {
	if n < 1<<7 {
		return append(b, byte(n))
	}
	return binary.BigEndian.AppendUint32(b, uint32(n)|1<<31)
}
