package quality

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Bounds of XML. Real reports stay far below.
const (
	maxNesting = 64
	maxTokens  = 8 << 20
)

// element is an XML element's beginning.
type element struct {
	name string
	// parent is the name of the element around it; "" for the root.
	parent string
	attrs  []xml.Attr
}

func (e element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// handler takes a report's parts in order.
type handler interface {
	start(e element) error
	// text takes a piece of the text inside an element, valid until it returns.
	text(b []byte)
	end(name string) error
}

// walkXML feeds a handler with a document whose root has one of the names. It
// resolves no entity and fetches nothing: a document type is accepted only as a
// mere name, as JaCoCo and Cobertura write it.
func walkXML(in io.Reader, h handler, roots ...string) error {
	text, err := newXMLText(in)
	if err != nil {
		return err
	}
	d := xml.NewDecoder(text)
	d.CharsetReader = text.declared
	var open []string
	for range maxTokens {
		text.left = maxToken
		tok, err := d.Token()
		if err == io.EOF && open != nil {
			return nil
		}
		if err != nil {
			return xmlError(err)
		}
		switch tok := tok.(type) {
		case xml.Directive:
			if bytes.ContainsAny(tok, "[<") {
				return errors.New("it defines a document type of its own, which is not read")
			}
		case xml.StartElement:
			e := element{name: tok.Name.Local, attrs: tok.Attr}
			if len(open) > 0 {
				e.parent = open[len(open)-1]
			} else if !slices.Contains(roots, e.name) {
				return fmt.Errorf("it begins with <%s>, want <%s>", clip(e.name, maxQuote), strings.Join(roots, "> or <"))
			}
			if open = append(open, e.name); len(open) > maxNesting {
				return errTooMuch
			}
			err = h.start(e)
		case xml.CharData:
			h.text(tok)
		case xml.EndElement:
			open = open[:len(open)-1]
			err = h.end(tok.Name.Local)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", row(d), err)
		}
	}
	return errTooMuch
}

func row(d *xml.Decoder) int {
	n, _ := d.InputPos()
	return n
}

// xmlError shortens the decoder's words.
func xmlError(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case !errors.As(err, &syntax):
		return err
	case syntax.Msg == "unexpected EOF":
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("line %d: it is not well-formed XML: %s", syntax.Line, clip(syntax.Msg, 2*maxQuote))
}
