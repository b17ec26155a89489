package delivery

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// AuditEntry is who did what, to what, allowed by which rule.
type AuditEntry struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Actor   Actor     `json:"actor"`
	Command Command   `json:"command"`
	Subject string    `json:"subject"`
	Rule    string    `json:"rule"`
	Detail  string    `json:"detail,omitempty"`
	// Address is where the request came from.
	Address string `json:"address,omitempty"`
	// Refused says that it was not done.
	Refused bool `json:"refused,omitempty"`
	// Changes are the fields that differ afterwards, with secrets hidden.
	Changes []Difference `json:"changes,omitempty"`
	// Hash is the entry's link of the chain; see AuditRecord.
	Hash string `json:"hash,omitempty"`
}

// AuditRecord is an entry as it is kept and exported. Hash is the SHA-256, in lower-case
// hexadecimal, of the hash before it, the sequence as eight bytes (big endian) and the
// entry byte for byte. The first one follows 64 zeros.
type AuditRecord struct {
	Seq   int64           `json:"seq"`
	Hash  string          `json:"hash"`
	Entry json.RawMessage `json:"entry"`
	// At is when it was kept to have happened, in milliseconds; the entry says it too.
	At int64 `json:"-"`
}

// NoAudit is what the first entry follows.
const NoAudit = "0000000000000000000000000000000000000000000000000000000000000000"

// AuditHash returns the hash of an entry that follows another one.
func AuditHash(before string, seq int64, entry []byte) string {
	h := sha256.New()
	h.Write([]byte(before))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(seq)))
	h.Write(entry)
	return hex.EncodeToString(h.Sum(nil))
}

// AuditHead is where the chain ends, and where what is kept of it begins. It is kept
// apart from the entries.
type AuditHead struct {
	Seq  int64
	Hash string
	// Count is of the entries that are kept.
	Count int64
	// AnchorSeq and AnchorHash are of the last entry that retention let go.
	AnchorSeq  int64
	AnchorHash string
	// Seal is made with the installation's key; empty when somebody changed the head.
	Seal string
}

// Sealed returns the seal that the head should have.
func (h AuditHead) Sealed(key []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "shiplock audit\x00%d\x00%s\x00%d\x00%d\x00%s", h.Seq, h.Hash, h.Count, h.AnchorSeq, h.AnchorHash)
	return hex.EncodeToString(mac.Sum(nil))
}

// Genuine tells whether the head is as it was sealed.
func (h AuditHead) Genuine(key []byte) bool { return hmac.Equal([]byte(h.Seal), []byte(h.Sealed(key))) }

// AuditCheck is what was found when the chain was walked.
type AuditCheck struct {
	Entries int64 `json:"entries"`
	// First and Last are sequences; Let is the last one that retention let go.
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	Let   int64 `json:"letGo,omitempty"`
	// Head is the hash of the last entry: keep it elsewhere, to compare later.
	Head   string       `json:"head"`
	Faults []AuditFault `json:"faults"`
}

// AuditFault is a place where the chain does not hold.
type AuditFault struct {
	// Seq is of the entry that the fault is at; 0 is the head.
	Seq  int64  `json:"seq"`
	What string `json:"what"`
}

// maxFaults bounds what a walk tells.
const maxFaults = 50

// AuditWalk walks a chain from its anchor, one entry after the other.
type AuditWalk struct {
	check AuditCheck
	seq   int64
	hash  string
}

// NewAuditWalk begins at what the head says that retention let go.
func NewAuditWalk(h AuditHead) *AuditWalk {
	return &AuditWalk{check: AuditCheck{Let: h.AnchorSeq}, seq: h.AnchorSeq, hash: h.AnchorHash}
}

// Seq is of the last entry so far.
func (w *AuditWalk) Seq() int64 { return w.seq }

// Add takes the next entry.
func (w *AuditWalk) Add(r AuditRecord) {
	gap := r.Seq > w.seq+1
	switch {
	case gap && r.Seq == w.seq+2:
		w.fault(w.seq+1, fmt.Sprintf("entry %d was removed", w.seq+1))
	case gap:
		w.fault(w.seq+1, fmt.Sprintf("entries %d to %d were removed", w.seq+1, r.Seq-1))
	case r.Hash != AuditHash(w.hash, r.Seq, r.Entry):
		w.fault(r.Seq, fmt.Sprintf("entry %d was altered, or does not follow entry %d any more", r.Seq, w.seq))
	case !r.agrees():
		w.fault(r.Seq, fmt.Sprintf("the time of entry %d was altered", r.Seq))
	}
	if w.check.Entries++; w.check.First == 0 {
		w.check.First = r.Seq
	}
	w.seq, w.hash = r.Seq, r.Hash
}

// agrees tells whether the entry says the time that it is found by.
func (r AuditRecord) agrees() bool {
	var e struct{ At time.Time }
	return json.Unmarshal(r.Entry, &e) == nil && e.At.UnixMilli() == r.At
}

// End compares with the head. A key of nil asks for no seal.
func (w *AuditWalk) End(h AuditHead, key []byte) AuditCheck {
	c := &w.check
	switch {
	case w.seq < h.Seq && h.Seq == w.seq+1:
		w.fault(h.Seq, fmt.Sprintf("entry %d was removed: it was the last one", h.Seq))
	case w.seq < h.Seq:
		w.fault(w.seq+1, fmt.Sprintf("entries %d to %d were removed: they were the last ones", w.seq+1, h.Seq))
	case w.seq > h.Seq:
		w.fault(h.Seq+1, fmt.Sprintf("entry %d was inserted: the last one was %d", h.Seq+1, h.Seq))
	case w.hash != h.Hash:
		w.fault(w.seq, fmt.Sprintf("the hash of entry %d was altered", w.seq))
	}
	if len(c.Faults) == 0 && c.Entries != h.Count {
		w.fault(0, fmt.Sprintf("there are %d entries, and the head counts %d", c.Entries, h.Count))
	}
	if key != nil && !h.Genuine(key) {
		w.fault(0, "the head of the chain was changed by somebody else than Shiplock: all entries may have been replaced")
	}
	c.Last, c.Head = w.seq, w.hash
	return *c
}

func (w *AuditWalk) fault(seq int64, what string) {
	if len(w.check.Faults) < maxFaults {
		w.check.Faults = append(w.check.Faults, AuditFault{Seq: seq, What: what})
	}
}

// maxDifferences bounds what one entry says of its changes.
const maxDifferences = 200

// Differences lists the fields in which two states of an object differ, as JSON has
// them, with secrets hidden. Either may be nil.
func Differences(object string, before, after any) []Difference {
	var all []Difference
	differ(&all, object, "", "", plainJSON(before), plainJSON(after))
	return BoundDifferences(all)
}

// BoundDifferences says how many are left out when there are too many.
func BoundDifferences(all []Difference) []Difference {
	if len(all) <= maxDifferences {
		return all
	}
	more := fmt.Sprintf("(%d more)", len(all)-maxDifferences)
	return append(slices.Clip(all[:maxDifferences]), Difference{To: more})
}

func plainJSON(v any) (plain any) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &plain)
	}
	if err != nil {
		panic("delivery: a state cannot be encoded: " + err.Error()) // our own plain types only
	}
	return plain
}

// differ goes down objects by their keys; a list differs as a whole.
func differ(all *[]Difference, object, path, key string, before, after any) {
	b, wasObject := before.(map[string]any)
	a, isObject := after.(map[string]any)
	if wasObject || isObject {
		if (before == nil || wasObject) && (after == nil || isObject) && !Secretive(key) {
			keys := map[string]bool{}
			for k := range b {
				keys[k] = true
			}
			for k := range a {
				keys[k] = true
			}
			for _, k := range slices.Sorted(maps.Keys(keys)) {
				below := k
				if path != "" {
					below = path + "." + k
				}
				differ(all, object, below, k, b[k], a[k])
			}
			return
		}
	}
	if HashJSON(before) == HashJSON(after) {
		return
	}
	*all = append(*all, Difference{Object: object, Field: path, From: ShownVariable(key, before), To: ShownVariable(key, after)})
}

// Sensitive tells whether a refusal of the command is worth an audit entry: who tried
// to do what only few may.
func (c Command) Sensitive() bool {
	switch c {
	case CmdRead, CmdRunStart, CmdRunCancel, CmdCacheDrop:
		return false
	}
	return true
}
