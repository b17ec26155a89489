package delivery

import (
	"fmt"
	"math/big"
	"strings"
)

// Quantity is an amount of a resource as Kubernetes writes it, and as it was written:
// 500m, 2, 1.5Gi. It is more than zero.
type Quantity string

// maxQuantity bounds the text; Kubernetes counts to 2^63.
const maxQuantity = 24

func (q *Quantity) UnmarshalText(text []byte) error {
	if v := Quantity(text).value(); v == nil || v.Sign() <= 0 {
		return E(Invalid, fmt.Sprintf("%q is not an amount: write it like 500m, 2 or 512Mi", clip(string(text), 40)))
	}
	*q = Quantity(text)
	return nil
}

// Compare is negative when q is less than other, and positive when it is more.
func (q Quantity) Compare(other Quantity) int { return q.amount().Cmp(other.amount()) }

// Part is how much of whole q is: 1 is all of it, also of nothing.
func (q Quantity) Part(whole Quantity) float64 {
	if whole.amount().Sign() <= 0 {
		return 1
	}
	part, _ := new(big.Rat).Quo(q.amount(), whole.amount()).Float64()
	return part
}

// Less tells whether q is less than n.
func (q Quantity) Less(n int64) bool { return q.amount().Cmp(new(big.Rat).SetInt64(n)) < 0 }

// Whole tells whether q is a whole number.
func (q Quantity) Whole() bool { return q.amount().IsInt() }

func (q Quantity) amount() *big.Rat {
	if v := q.value(); v != nil {
		return v
	}
	return new(big.Rat)
}

// value is nil when q is no quantity.
func (q Quantity) value() *big.Rat {
	number := strings.TrimRight(string(q), "mkKMGTPEi")
	unit := unitOf(string(q)[len(number):])
	whole, fraction, dotted := strings.Cut(number, ".")
	if unit == nil || len(q) > maxQuantity || !digits(whole) || dotted && !digits(fraction) {
		return nil
	}
	v, _ := new(big.Rat).SetString(number)
	return v.Mul(v, unit)
}

// unitOf is nil when there is no such unit.
func unitOf(suffix string) *big.Rat {
	const large = "KMGTPE" // 1024 to the power of 1, 2, …
	base, power := int64(1000), 0
	switch letter, binary := strings.CutSuffix(suffix, "i"); {
	case suffix == "":
	case suffix == "m":
		return big.NewRat(1, 1000)
	case suffix == "k":
		power = 1
	case len(letter) != 1 || !binary && letter == "K":
		return nil
	default:
		power = strings.Index(large, letter) + 1
		if binary {
			base = 1024
		}
	}
	if power == 0 && suffix != "" {
		return nil
	}
	return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(power)), nil))
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
