package delivery

import "errors"

// Kind classifies an error once, where it happens. Kind → HTTP status and
// Kind → retry are tables of the callers; nobody parses messages.
type Kind uint8

const (
	// Internal is a defect of ours or an unclassified error.
	Internal Kind = iota
	// Invalid is input that can never succeed as it is.
	Invalid
	// NotFound names something that does not exist.
	NotFound
	// Conflict is a lost race or a state that does not allow the request.
	Conflict
	// Denied is a missing or insufficient permission.
	Denied
	// Unavailable is the world not answering; the same call may succeed later.
	Unavailable
)

var kindNames = [...]string{"internal", "invalid", "not_found", "conflict", "denied", "unavailable"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Internal]
}

// Error is the one error type that crosses package borders. Msg is text for the
// user and says what to do next; Err is the technical cause, if any.
type Error struct {
	Kind Kind
	Msg  string
	Err  error
}

func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Msg
	case e.Msg == "":
		return e.Err.Error()
	}
	return e.Msg + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// E returns an Error of the given kind with a user-facing message.
func E(kind Kind, msg string) error { return &Error{Kind: kind, Msg: msg} }

// Wrap classifies err. It returns nil when err is nil.
func Wrap(kind Kind, msg string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Msg: msg, Err: err}
}

// KindOf returns the Kind of the outermost Error in err's chain, or Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
