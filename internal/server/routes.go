package server

import (
	"net/http"

	"github.com/shiplock/shiplock/internal/api"
)

// register lists every route of the server. Those of open answer anybody; all
// others ask for a token or a session first.
func (s *Server) register() http.Handler {
	m := &guardedMux{s: s, mux: http.NewServeMux(), rights: rights(), compress: compressor(), openly: map[string]bool{}}

	m.open("GET /healthz", s.healthz)
	m.open("GET /version", s.version)
	m.open("GET /static/", s.static)
	m.open("GET /login", s.loginPage)
	m.open("POST /login", s.login)
	m.open("GET /login/oidc", s.beginSignOn)
	m.open("GET "+SignOnPath, s.finishSignOn)
	m.open("POST /language", s.chooseLanguage)
	m.open("POST /hooks/{forge}", s.receiveHook)
	m.open("POST "+api.RunnerClaimPath, s.runnerClaim)
	m.open("POST "+api.RunnerPlanPath, s.runnerPlan)
	m.open("POST "+api.RunnerPushPath, s.runnerPush)
	m.open("POST "+api.RunnerReportsPath, s.runnerReports)
	m.open("POST "+api.RunnerLogPath, s.runnerLog)
	if s.cfg.Registry != nil {
		m.open("/v2/", s.registry)
	}

	m.page("POST /logout", s.logout)
	m.page("GET /{$}", s.page("index.html"))
	m.page("GET /runs/{run}", s.page("run.html"))
	m.page("GET /releases/{release}", s.page("release.html"))
	m.page("GET /docs", s.page("docs.html"))
	m.page("GET /account", s.page("account.html"))

	o := newOperations(m, s.cfg.Version)
	m.guarded("GET /openapi.json", o.document)

	handle(o, m.forAnybody(post("/login", "people", "Log in with a password, and get a token that expires")), s.loginAPI)
	handle(o, get("/who", "server", "Who am I"), s.who)
	handle(o, post("/logout", "people", "End the token or session that is used"), s.logoutAPI)
	handle(o, get("/tokens", "people", "API tokens, the newest first, without their secrets"), s.listTokens)
	handle(o, created(post("/tokens", "people", "Make an API token, which is shown once")), s.createToken)
	handle(o, post("/tokens/{token}/revoke", "people", "End an API token at once"), s.revokeToken)
	handle(o, get("/users", "people", "Who may sign in"), s.listUsers)
	handle(o, created(post("/users", "people", "Add a user, or a program's account")), s.addUser)
	handle(o, post("/users/{user}", "people", "Change a user, or disable one"), s.changeUser)
	handle(o, post("/users/{user}/reset-password", "people", "Give a user a password for one log-in"), s.resetPassword)
	handle(o, get("/users/{user}/sessions", "people", "What a user is signed in with"), s.listSessions)
	handle(o, post("/users/{user}/sessions/revoke", "people", "Sign a user out everywhere"), s.revokeSessions)
	handle(o, get("/access/can", "server", "Whether a command would be allowed, and by which binding"), s.can)
	handle(o, get("/status", "server", "The whole installation in short"), s.status)
	handle(o, get("/capacity", "server", "What builds may use, use, and wait for"), s.capacity)
	handle(o, get("/doctor", "server", "What is wrong with the installation, and what to mend"), s.doctor)
	handle(o, get("/audit", "server", "Who did what, the newest first"), s.listAudit)
	handle(o, get("/audit/records", "server", "The audit as it is kept, with its hashes, the oldest first"), s.auditRecords)
	handle(o, get("/audit/check", "server", "Whether entries of the audit were removed or altered"), s.checkAudit)
	handle(o, get("/retention", "server", "What of the past the next pass removes, and why"), s.retention)
	handle(o, get("/caches", "server", "Caches of builds, the one used last first"), s.listCaches)
	handle(o, post("/caches/drop", "server", "Drop caches, such as broken or poisoned ones"), s.dropCaches)
	handle(o, get("/secrets", "server", "Secrets by name, without their values"), s.listSecrets)
	handle(o, post("/secrets", "server", "Seal a secret's value below a name"), s.setSecret)
	handle(o, post("/secrets/rotate-key", "server", "Make another master key, and seal all secrets with it"), s.rotateMasterKey)
	handle(o, post("/secrets/{secret}/delete", "server", "Delete a secret that no document names"), s.deleteSecret)
	handle(o, get("/hooks", "server", "Deliveries from forges, the newest first"), s.listHooks)

	handle(o, post("/catalog", "catalog", "Apply documents, or only show what would change"), s.apply)
	handle(o, get("/environments", "catalog", "Environments in order of rank"), s.listEnvironments)
	handle(o, get("/stacks", "catalog", "Stacks"), s.listStacks)
	handle(o, get("/clusters", "catalog", "Clusters that environments are in"), s.listClusters)
	handle(o, get("/channels", "catalog", "Channels that are told what happens, and how sending to them goes"), s.listChannels)
	handle(o, post("/channels/{channel}/test", "catalog", "Send a test message to a channel"), s.testChannel)
	handle(o, get("/windows", "catalog", "Windows, by name"), s.listWindows)
	handle(o, get("/windows/month", "catalog", "When something may begin, day by day of a month"), s.windowMonth)
	handle(o, get("/calendars", "catalog", "Calendars, by name"), s.listCalendars)
	handle(o, get("/approvalpolicies", "catalog", "Whose consent releases need"), s.listApprovalPolicies)
	handle(o, get("/delegations", "catalog", "Who approves in whose place"), s.listDelegations)
	handle(o, get("/rolebindings", "catalog", "Who has which role, and where"), s.listRoleBindings)
	handle(o, get("/apps", "catalog", "Apps with their state in each environment"), s.listApps)
	handle(o, get("/apps/{app}", "catalog", "One app"), s.getApp)
	handle(o, get("/apps/{app}/plan", "catalog", "What a run would do, and why"), s.plan)
	handle(o, post("/apps/{app}/plan", "catalog", "What a run of a commit with these files would do"), s.refinedPlan)
	handle(o, get("/apps/{app}/artifacts", "catalog", "What runs made, the newest first"), s.listArtifacts)

	handle(o, get("/runs", "runs", "Runs, the newest first"), s.listRuns)
	handle(o, created(post("/runs", "runs", "Start a run")), s.startRun)
	handle(o, get("/runs/{run}", "runs", "One run"), s.getRun)
	handle(o, get("/runs/{run}/explain", "runs", "Why a run is where it is"), s.explainRun)
	handle(o, post("/runs/{run}/cancel", "runs", "Cancel a run"), s.cancelRun)
	handle(o, get("/runs/{run}/logs", "runs", "A page of a job's log"), s.readLog)
	stream(o, get("/runs/{run}/logs.txt", "runs", "A job's log as plain text"), "text/plain", s.logText)
	stream(o, get("/runs/{run}/logs/stream", "runs", "A job's log as it grows"), "text/event-stream", s.streamLog)

	handle(o, get("/releases", "releases", "Releases, the newest first"), s.listReleases)
	handle(o, created(post("/releases", "releases", "Offer an artifact to a target")), s.createRelease)
	handle(o, get("/releases/{release}", "releases", "One release, with what holds it up"), s.getRelease)
	handle(o, get("/releases/{release}/diff", "releases", "What a release changes, or how another one differs from it"), s.diffRelease)
	for _, v := range releaseVerbs() {
		handle(o, post("/releases/{release}/"+v.verb, "releases", v.summary), s.commandRelease(v.command))
	}

	handle(o, post("/releases/{release}/approve", "releases", "Consent to a release"), s.approveRelease)
	handle(o, post("/releases/{release}/reject", "releases", "End a release that you do not consent to"), s.rejectRelease)
	handle(o, post("/releases/{release}/ask", "releases", "Ask for consent again"), s.askRelease)
	handle(o, post("/releases/{release}/review", "releases", "Close the review that an emergency left behind"), s.closeReview)
	handle(o, get("/approvals", "releases", "Releases that wait for your consent"), s.listApprovals)
	handle(o, get("/reviews", "releases", "Emergencies that somebody has to look at"), s.listReviews)

	handle(o, get("/commits/{commit}/where", "commits", "Which environments run a commit, or a later one that contains it"), s.whereIs)
	handle(o, get("/drift", "commits", "How what runs stands to the branches of its environments"), s.drift)

	handle(o, get("/targets", "targets", "Every app in every environment"), s.listTargets)
	handle(o, get("/targets/{app}/{env}", "targets", "One app in one environment"), s.getTarget)
	handle(o, get("/targets/{app}/{env}/window", "targets", "Whether something may begin at a time, and why"), s.checkWindow)
	handle(o, get("/targets/{app}/{env}/history", "targets", "What was deployed, the newest first"), s.targetHistory)
	handle(o, get("/targets/{app}/{env}/diff", "targets", "What a release would change, before anything changes"), s.diffTarget)
	stream(o, get("/targets/{app}/{env}/logs/stream", "targets", "What the app prints, of all its instances"), "text/event-stream", s.streamAppLog)
	handle(o, post("/targets/{app}/{env}/pause", "targets", "Start no release until it is resumed"), s.pauseTarget)
	handle(o, post("/targets/{app}/{env}/resume", "targets", "Undo a pause"), s.resumeTarget)
	handle(o, created(post("/targets/{app}/{env}/restart", "targets", "Restart what runs")), s.restartTarget)
	handle(o, created(post("/targets/{app}/{env}/scale", "targets", "Change how many instances run, without restarting those that stay")), s.scaleTarget)
	handle(o, created(post("/targets/{app}/{env}/rollback", "targets", "Roll back to an earlier version")), s.rollBack)

	handle(o, get("/history", "events", "What happened to one aggregate, the oldest first"), s.listHistory)
	stream(o, get("/events/stream", "events", "What happens, as it happens"), "text/event-stream", s.streamEvents)
	o.seal()
	return m.mux
}
