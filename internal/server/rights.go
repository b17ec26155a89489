package server

import (
	"net/http"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// right is what a route takes of who asks.
type right struct {
	about   about
	command delivery.Command
}

// about is what a route is about, and so how its reader is judged.
type about string

const (
	// strangers need no credentials.
	strangers about = "strangers"
	// runners show the claim code or the token of one job's attempt; the engine judges.
	runners about = "runners"
	// anybody is whoever is signed in; nothing is told that is not public among them.
	anybody about = "anybody"
	// oneself is what belongs to a user; the engine asks for the command only of others.
	oneself about = "oneself"
	// lists show what the reader may see, and refuse who may see nothing.
	lists about = "lists"
	// bodies name the object in the request's body; the engine judges the command.
	bodies about = "bodies"
	// The others name the object in the path. Who may not read it is refused before
	// anything else; the engine judges the command.
	installation about = "the installation"
	anApp        about = "an app"
	aTarget      about = "a target"
	aRun         about = "a run"
	aRelease     about = "a release"
	// answers are about a release that the reader may see; the engine judges who may give
	// one by the release's own rules, before it says how the release stands.
	answers about = "answers to a release"
	// queries name aggregates in the query, which the handler judges.
	queries about = "queries"
)

func reads(a about) right                      { return right{a, delivery.CmdRead} }
func does(cmd delivery.Command, a about) right { return right{a, cmd} }

// rights declares every route. One that is missing answers administrators only, and a
// test fails.
func rights() map[string]right {
	const v1 = api.Prefix
	all := map[string]right{
		"GET /healthz": reads(strangers), "GET /version": reads(strangers), "GET /static/": reads(strangers),
		"GET /login": reads(strangers), "POST /login": reads(strangers), "POST /language": reads(strangers),
		"POST /hooks/{forge}":                            reads(strangers), // the forge's secret is checked
		"/v2/":                                           reads(strangers), // the registry authenticates by itself
		"POST " + api.RunnerClaimPath:                    reads(runners),
		"POST " + api.RunnerPlanPath:                     reads(runners),
		"POST " + api.RunnerPushPath:                     reads(runners),
		"POST " + api.RunnerReportsPath:                  reads(runners),
		"POST " + api.RunnerLogPath:                      reads(runners),
		"POST /logout":                                   reads(anybody),
		"GET /{$}":                                       reads(anybody), // pages are empty; what they show, they ask the API for
		"GET /runs/{run}":                                reads(anybody),
		"GET /releases/{release}":                        reads(anybody),
		"GET /docs":                                      reads(anybody),
		"GET /account":                                   reads(anybody),
		"GET /openapi.json":                              reads(anybody),
		"GET " + v1 + "/who":                             reads(anybody),
		"GET " + v1 + "/access/can":                      reads(anybody), // about oneself; about others the handler judges
		"GET " + v1 + "/status":                          reads(lists),
		"GET " + v1 + "/capacity":                        reads(lists),
		"GET " + v1 + "/doctor":                          reads(installation),
		"GET " + v1 + "/audit":                           does(delivery.CmdAuditRead, installation),
		"GET " + v1 + "/retention":                       reads(installation),
		"GET " + v1 + "/caches":                          reads(lists),
		"POST " + v1 + "/caches/drop":                    does(delivery.CmdCacheDrop, installation),
		"GET " + v1 + "/hooks":                           reads(lists),
		"POST " + v1 + "/catalog":                        does(delivery.CmdApply, bodies),
		"GET " + v1 + "/environments":                    reads(lists),
		"GET " + v1 + "/stacks":                          reads(lists),
		"GET " + v1 + "/clusters":                        reads(lists),
		"GET " + v1 + "/rolebindings":                    reads(lists),
		"GET " + v1 + "/apps":                            reads(lists),
		"GET " + v1 + "/apps/{app}":                      reads(anApp),
		"GET " + v1 + "/apps/{app}/plan":                 reads(anApp),
		"POST " + v1 + "/apps/{app}/plan":                reads(anApp),
		"GET " + v1 + "/runs":                            reads(lists),
		"POST " + v1 + "/runs":                           does(delivery.CmdRunStart, bodies),
		"GET " + v1 + "/releases":                        reads(lists),
		"POST " + v1 + "/releases":                       does(delivery.CmdReleaseCreate, bodies),
		"GET " + v1 + "/targets":                         reads(lists),
		"GET " + v1 + "/history":                         reads(queries),
		"GET " + v1 + "/events/stream":                   reads(queries),
		"GET " + v1 + "/apps/{app}/artifacts":            reads(anApp),
		"GET " + v1 + "/commits/{commit}/where":          reads(lists),
		"GET " + v1 + "/drift":                           reads(lists),
		"GET " + v1 + "/releases/{release}":              reads(aRelease),
		"GET " + v1 + "/releases/{release}/diff":         reads(aRelease),
		"POST " + v1 + "/runs/{run}/cancel":              does(delivery.CmdRunCancel, aRun),
		"GET " + v1 + "/targets/{app}/{env}":             reads(aTarget),
		"GET " + v1 + "/targets/{app}/{env}/history":     reads(aTarget),
		"GET " + v1 + "/targets/{app}/{env}/diff":        reads(aTarget),
		"GET " + v1 + "/targets/{app}/{env}/logs/stream": reads(aTarget),
		"POST " + v1 + "/targets/{app}/{env}/pause":      does(delivery.CmdTargetPause, aTarget),
		"POST " + v1 + "/targets/{app}/{env}/resume":     does(delivery.CmdTargetResume, aTarget),
		"POST " + v1 + "/targets/{app}/{env}/restart":    does(delivery.CmdTargetRestart, aTarget),
		"POST " + v1 + "/targets/{app}/{env}/scale":      does(delivery.CmdTargetScale, aTarget),
		"POST " + v1 + "/targets/{app}/{env}/rollback":   does(delivery.CmdReleaseRollback, aTarget),
	}
	all["GET /login/oidc"] = reads(strangers)
	all["GET /login/oidc/callback"] = reads(strangers)
	all["POST "+v1+"/login"] = reads(strangers)
	all["POST "+v1+"/logout"] = reads(anybody)
	for _, path := range []string{"/approvals", "/reviews", "/approvalpolicies", "/delegations"} {
		all["GET "+v1+path] = reads(lists)
	}
	all["POST "+v1+"/releases/{release}/approve"] = does(delivery.CmdReleaseApprove, answers)
	all["POST "+v1+"/releases/{release}/reject"] = does(delivery.CmdReleaseReject, answers)
	all["POST "+v1+"/releases/{release}/ask"] = does(delivery.CmdReleaseCreate, answers)
	all["POST "+v1+"/releases/{release}/review"] = does(delivery.CmdReviewClose, answers)
	all["GET "+v1+"/audit/records"] = does(delivery.CmdAuditRead, installation)
	all["GET "+v1+"/audit/check"] = does(delivery.CmdAuditRead, installation)
	all["GET "+v1+"/windows"] = reads(lists)
	all["GET "+v1+"/windows/month"] = reads(queries)
	all["GET "+v1+"/calendars"] = reads(lists)
	all["GET "+v1+"/targets/{app}/{env}/window"] = reads(aTarget)
	all["GET "+v1+"/channels"] = reads(lists)
	all["POST "+v1+"/channels/{channel}/test"] = does(delivery.CmdChannelTest, installation)
	all["GET "+v1+"/secrets"] = does(delivery.CmdSecretSet, installation)
	all["POST "+v1+"/secrets"] = does(delivery.CmdSecretSet, installation)
	all["POST "+v1+"/secrets/{secret}/delete"] = does(delivery.CmdSecretSet, installation)
	all["POST "+v1+"/secrets/rotate-key"] = does(delivery.CmdSecretRotate, installation)
	all["GET "+v1+"/tokens"] = does(delivery.CmdTokenRevoke, oneself)
	all["POST "+v1+"/tokens"] = does(delivery.CmdTokenIssue, oneself)
	all["POST "+v1+"/tokens/{token}/revoke"] = does(delivery.CmdTokenRevoke, oneself)
	all["GET "+v1+"/users"] = does(delivery.CmdUserEdit, oneself)
	for _, path := range []string{"", "/{user}", "/{user}/reset-password"} {
		all["POST "+v1+"/users"+path] = does(delivery.CmdUserEdit, oneself)
	}
	all["GET "+v1+"/users/{user}/sessions"] = does(delivery.CmdTokenRevoke, oneself)
	all["POST "+v1+"/users/{user}/sessions/revoke"] = does(delivery.CmdTokenRevoke, oneself)
	for _, path := range []string{"", "/explain", "/logs", "/logs.txt", "/logs/stream"} {
		all["GET "+v1+"/runs/{run}"+path] = reads(aRun)
	}
	for _, v := range releaseVerbs() {
		all["POST "+v1+"/releases/{release}/"+v.verb] = does(v.command, aRelease)
	}
	return all
}

// permit judges who asks by what the route declares.
func (s *Server) permit(r *http.Request, p engine.Principal, declared right, known bool) error {
	ctx := r.Context()
	if !known {
		return s.cfg.Engine.Allow(ctx, p, delivery.CmdAccessEdit, delivery.Everything(r.URL.Path))
	}
	if declared.about == anybody || declared.about == oneself {
		return nil
	}
	v, err := s.sightOf(ctx, p)
	if err != nil || v.all() && declared.command == delivery.CmdRead {
		return err
	}
	if !v.some() {
		return roleless(p.Actor)
	}
	switch declared.about {
	case installation:
		return s.cfg.Engine.Allow(ctx, p, declared.command, delivery.Everything(r.URL.Path))
	case anApp:
		if app := r.PathValue("app"); !v.app(app) {
			return s.cfg.Engine.Allow(ctx, p, delivery.CmdRead, delivery.On(app, ""))
		}
	case aTarget:
		return s.cfg.Engine.Allow(ctx, p, delivery.CmdRead, delivery.On(r.PathValue("app"), r.PathValue("env")))
	case aRun:
		_, err = s.findRun(ctx, v, r.PathValue("run"))
	case aRelease, answers:
		_, err = s.findRelease(ctx, v, r.PathValue("release"))
	}
	return err
}
