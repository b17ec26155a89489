package phrase

// hooks are the notes on what became of a delivery.
var hooks = []Phrase{
	{En: "the branch was deleted", Zh: "分支已被删除"},
	{En: "no app builds branch {branch} of {repo} for the changed paths", Zh: "没有应用会为这些改动的路径构建 {repo} 的分支 {branch}"},
	{En: "{app} for {env}: the same push made {run}", Zh: "{app}（{env}）：同一次推送已经产生了 {run}"},
}
