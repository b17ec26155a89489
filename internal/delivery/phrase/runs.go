package phrase

// runs are the causes of runs, their jobs and attempts.
var runs = []Phrase{
	{
		Code: "run.queued",
		En:   "waits for a free place: {position} of {total} in line", NextEn: "it starts by itself when a job before it ends",
		Zh: "等待空位：第 {position} 位，共 {total} 个", NextZh: "前面的作业结束后自动开始",
	},
	{Code: "run.superseded", En: "superseded by a newer push to the same branch", Zh: "被同一分支上更新的推送取代"},
	{Code: "run.canceled", En: "canceled by {by}«: {@reason}»", Zh: "已被 {by} 取消«：{@reason}»"},
	{Code: "job.timeout", En: "the job took longer than its limit of {limit}", Zh: "作业超过了时限 {limit}"},
	{Code: "attempt.not_started", En: "the runner did not start within {limit}", Zh: "执行器在 {limit} 内没有启动"},
	{Code: "attempt.silent", En: "the runner was silent for {limit}", Zh: "执行器已 {limit} 没有响应"},
	{Code: "attempt.stopped", En: "the runner was stopped from outside", Zh: "执行器被外部终止"},
	{
		Code: "attempt.lost",
		En:   "the runner ended without a report", NextEn: "it is tried again by itself",
		Zh: "执行器没有汇报就结束了", NextZh: "会自动重试",
	},
	{Code: "runner.ended", En: "the build process has ended", Zh: "构建进程已经结束"},
	{
		Code: "runner.failed",
		En:   "the runner could not go on«: {@error}»", NextEn: "The job is tried again by itself; if this repeats, look at the machine that runs builds.",
		Zh: "执行器无法继续«：{@error}»", NextZh: "作业会自动重试；如果反复出现，请检查运行构建的机器。",
	},
}
