package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// byteSize is a flag that takes 500MB or 20GiB.
type byteSize int64

func (b byteSize) String() string {
	if b == 0 {
		return ""
	}
	return delivery.ByteSize(int64(b))
}

func (*byteSize) Type() string { return "size" }

func (b *byteSize) Set(text string) error {
	number, unit := text, int64(1)
	for suffix, size := range map[string]int64{
		"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	} {
		if n, ok := strings.CutSuffix(text, suffix); ok {
			number, unit = n, size
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || v <= 0 || v*float64(unit) > 1<<60 {
		return fmt.Errorf("%q is not a size: write e.g. 500MB or 20GiB", text)
	}
	*b = byteSize(v * float64(unit))
	return nil
}
