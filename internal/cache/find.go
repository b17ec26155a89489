package cache

import "errors"

// Wanted says what a build looks for.
type Wanted struct {
	// Domains in which to look, the preferred one first.
	Domains          []string
	Stack, Name, App string
	Key              Key
}

// Find leases the snapshot that fits best: for the same key; or else the newest for
// another one, of the same app if there is any. nil when there is none at all. An
// error comes with what was found in spite of it.
func (s *Store) Find(w Wanted) (*Snapshot, error) {
	var all []snapshot
	var errs []error
	for _, domain := range w.Domains {
		p := Place{domain, w.Stack, w.Name}
		if err := p.check(); err != nil {
			return nil, err
		}
		for _, from := range s.sources() {
			ids, err := from.ids(p)
			errs = append(errs, err)
			for _, id := range ids {
				if sn, err := from.open(p, id); err == nil { // the rest is swept
					all = append(all, sn)
				}
			}
		}
	}
	for _, fits := range []func(snapshot) bool{
		func(sn snapshot) bool { return sn.Key.Digest == w.Key.Digest },
		func(sn snapshot) bool { return sn.App == w.App && s.mayGrow(sn) },
		s.mayGrow,
	} {
		for _, sn := range all {
			if !fits(sn) {
				continue
			}
			held, err := hire(sn)
			errs = append(errs, err)
			if held != nil {
				return held, errors.Join(errs...)
			}
		}
	}
	return nil, errors.Join(errs...)
}

// mayGrow tells whether a snapshot for another key is a start: what it holds of old
// versions stays in what is made of it. From half of the limit on, a new one starts
// empty.
func (s *Store) mayGrow(sn snapshot) bool {
	return s.SnapshotLimit == 0 || sn.Bytes <= s.SnapshotLimit/2
}
