package phrase

// hooks are the notes on what became of a delivery.
var hooks = []Phrase{
	{En: "the branch was deleted", Zh: "分支已被删除"},
	{En: "tag {tag} was deleted", Zh: "标签 {tag} 已被删除"},
	{En: "branch {branch} was deleted, so what waited for it was canceled: {runs}", Zh: "分支 {branch} 已被删除，因此取消了等待它的运行：{runs}"},
	{En: "branch {branch} was deleted", Zh: "分支 {branch} 已被删除"},
	{
		En: "{env} takes what {from} runs, so nothing is built for branch {branch}: `shiplock release create APP --env {env}` promotes",
		Zh: "{env} 取 {from} 运行的版本，因此不为分支 {branch} 构建：用 `shiplock release create APP --env {env}` 晋级",
	},
	{
		En: "no environment builds tag {tag} of {repo}: give one the pattern of its tags, e.g. tags: \"v*\"",
		Zh: "没有环境构建 {repo} 的标签 {tag}：请给某个环境写上标签模式，例如 tags: \"v*\"",
	},
	{En: "no app builds branch {branch} of {repo} for the changed paths", Zh: "没有应用会为这些改动的路径构建 {repo} 的分支 {branch}"},
	{En: "{app} for {env}: the same push made {run}", Zh: "{app}（{env}）：同一次推送已经产生了 {run}"},
}
