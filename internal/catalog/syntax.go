package catalog

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of one file. The YAML parser is recursive, and quadratic in the keys of
// one map, so its work is limited by what it is given.
const (
	maxFile      = 1 << 20 // bytes
	maxDocuments = 1000
	maxTokens    = 20_000 // in one document
	maxFlow      = 32     // nested [ and {
	maxIndent    = 128    // columns
	maxProblems  = 100
)

// syntax splits a file into the root nodes of its documents. A fault in one
// document does not hide the others.
func syntax(file string, data []byte) ([]ast.Node, Problems) {
	switch {
	case len(data) > maxFile:
		return nil, Problems{{File: file, Msg: fmt.Sprintf("the file has %d bytes, and may have %d: split it", len(data), maxFile)}}
	case !utf8.Valid(data):
		return nil, Problems{{File: file, Msg: "the file is not UTF-8 text"}}
	}
	documents := split(lexer.Tokenize(strings.TrimPrefix(string(data), "\ufeff")))
	if n := len(documents); n > maxDocuments {
		return nil, Problems{{File: file, Msg: fmt.Sprintf("the file has %d documents, and may have %d: split it", n, maxDocuments)}}
	}
	var nodes []ast.Node
	var problems Problems
	for _, tokens := range documents {
		if p := refuse(tokens); p != nil {
			p.File = file
			problems = append(problems, *p)
			continue
		}
		node, p := document(tokens)
		if p != nil {
			p.File = file
			problems = append(problems, *p)
		} else if node != nil {
			nodes = append(nodes, node)
		}
	}
	return nodes, problems
}

// split cuts the tokens before every "---", and leaves comments out.
func split(tokens token.Tokens) []token.Tokens {
	var documents []token.Tokens
	var current token.Tokens
	for _, t := range tokens {
		switch t.Type {
		case token.CommentType:
			continue
		case token.DocumentHeaderType, token.DocumentEndType:
			if len(current) > 0 {
				documents = append(documents, current)
			}
			current = nil
			continue
		}
		current = append(current, t)
	}
	if len(current) > 0 {
		documents = append(documents, current)
	}
	return documents
}

// refuse finds what this catalog does not read, before anything recursive does.
func refuse(tokens token.Tokens) *Problem {
	if len(tokens) > maxTokens {
		return problemAt(tokens[0], fmt.Sprintf("the document is too long: it has %d tokens, and may have %d", len(tokens), maxTokens))
	}
	flow := 0
	for _, t := range tokens {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return problemAt(t, "anchors, aliases and merge keys are not read here: write the value out")
		case token.TagType, token.DirectiveType:
			return problemAt(t, "tags and directives are not read here: remove "+t.Value)
		case token.InvalidType:
			return problemAt(t, t.Error)
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		}
		if flow > maxFlow || flow == 0 && structural(t) && t.Position.Column > maxIndent {
			return problemAt(t, "the document is nested too deeply")
		}
	}
	return nil
}

// structural tells whether the token begins a level of a block.
func structural(t *token.Token) bool {
	switch t.Type {
	case token.SequenceEntryType, token.MappingKeyType:
		return true
	}
	return t.NextType() == token.MappingValueType
}

func document(tokens token.Tokens) (ast.Node, *Problem) {
	// Duplicates are found while binding, so that all of them are reported.
	f, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxProblem(tokens[0], err)
	}
	for _, d := range f.Docs {
		if d.Body != nil {
			return d.Body, nil
		}
	}
	return nil, nil
}

func syntaxProblem(first *token.Token, err error) *Problem {
	var located yaml.Error
	if errors.As(err, &located) && located.GetToken() != nil {
		return problemAt(located.GetToken(), located.GetMessage())
	}
	return problemAt(first, err.Error())
}

func problemAt(t *token.Token, msg string) *Problem {
	return &Problem{Line: t.Position.Line, Column: t.Position.Column, Msg: msg}
}
