package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/shiplock/shiplock/internal/api"
)

// operations are the public API: handlers together with their OpenAPI document.
type operations struct {
	s    *Server
	huma huma.API
	spec []byte
}

func newOperations(m *guardedMux, version string) *operations {
	config := huma.DefaultConfig("Shiplock", version)
	config.CreateHooks = nil // no $schema in bodies
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.Transformers = []huma.Transformer{frameworkProblem}
	config.Info.Description = "From git push to a canary release, and back. Every error is a Problem."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	config.Security = []map[string][]string{{"token": {}}}
	o := &operations{s: m.s, huma: humago.New(m, config)}
	o.huma.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) { next(uniform{ctx}) })
	return o
}

// frameworkContext has a name of its own because the interface has a method that
// is called like itself.
type frameworkContext = huma.Context

// uniform makes the framework's own errors look like all others.
type uniform struct{ frameworkContext }

func (u uniform) Unwrap() huma.Context { return u.frameworkContext }

func (u uniform) SetStatus(code int) {
	if code == http.StatusUnprocessableEntity {
		code = http.StatusBadRequest
	}
	u.frameworkContext.SetStatus(code)
}

func (u uniform) SetHeader(name, value string) {
	if value == "application/problem+json" {
		value = "application/json"
	}
	u.frameworkContext.SetHeader(name, value)
}

// get and post describe an operation below the API's prefix.
func get(path, tag, summary string) huma.Operation {
	return operation(http.MethodGet, path, tag, summary)
}

func post(path, tag, summary string) huma.Operation {
	return operation(http.MethodPost, path, tag, summary)
}

func operation(method, path, tag, summary string) huma.Operation {
	name := strings.NewReplacer("{", "", "}", "", "/", "-", ".", "-").Replace(path)
	return huma.Operation{
		Method: method, Path: api.Prefix + path, Tags: []string{tag}, Summary: summary,
		OperationID: strings.ToLower(method) + name, MaxBodyBytes: maxBody, BodyReadTimeout: transferTimeout,
	}
}

// created makes an operation answer 201.
func created(op huma.Operation) huma.Operation {
	op.DefaultStatus = http.StatusCreated
	return op
}

// answer carries a handler's result to the framework.
type answer[O any] struct{ Body O }

// handle registers an operation that answers JSON within the time limit.
func handle[I, O any](o *operations, op huma.Operation, do func(context.Context, *I) (O, error)) {
	o.describe(&op)
	huma.Register(o.huma, op, func(ctx context.Context, in *I) (*answer[O], error) {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		out, err := do(ctx, in)
		if err != nil {
			return nil, o.s.problemOf(ctx, err)
		}
		return &answer[O]{Body: api.In(language(ctx), out)}, nil
	})
}

// stream registers an operation that writes its answer itself. An error that it
// returns before its first byte is answered as a Problem.
func stream[I any](o *operations, op huma.Operation, contentType string, do func(http.ResponseWriter, *http.Request, *I) error) {
	o.describe(&op)
	op.Responses["200"] = &huma.Response{
		Description: http.StatusText(http.StatusOK),
		Content:     map[string]*huma.MediaType{contentType: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
	huma.Register(o.huma, op, func(_ context.Context, in *I) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			r, w := humago.Unwrap(ctx)
			if err := do(w, r, in); err != nil {
				o.s.fail(w, r, err)
			}
		}}, nil
	})
}

// describe adds the error that every operation may answer.
func (o *operations) describe(op *huma.Operation) {
	op.Responses = map[string]*huma.Response{"default": {
		Description: "The kind says what sort of error it is, the message what to do.",
		Content: map[string]*huma.MediaType{"application/json": {
			Schema: &huma.Schema{Ref: "#/components/schemas/Problem"},
		}},
	}}
}

// seal finishes the document: nothing is registered afterwards.
func (o *operations) seal() {
	doc := o.huma.OpenAPI()
	schemas := doc.Components.Schemas.Map()
	for _, own := range []string{"ErrorModel", "ErrorDetail"} { // the framework's, never answered
		delete(schemas, own)
	}
	schemas["Problem"] = &huma.Schema{
		Type: huma.TypeObject, Required: []string{"kind", "message"},
		Properties: map[string]*huma.Schema{
			"kind":    {Type: huma.TypeString, Enum: []any{"invalid", "not_found", "conflict", "denied", "gone", "unavailable", "internal"}},
			"message": {Type: huma.TypeString, Description: "what is wrong, and what to do next"},
		},
	}
	spec, err := doc.MarshalJSON()
	if err != nil {
		panic("server: the OpenAPI document cannot be encoded: " + err.Error()) // made of constants
	}
	o.spec = spec
}

func (o *operations) document(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/openapi+json")
	_, _ = w.Write(o.spec)
}
