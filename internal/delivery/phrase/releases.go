package phrase

// releases are the causes of releases: what holds them up, and what ended them.
var releases = []Phrase{
	{
		Code: "target.busy",
		En:   "another release is under way on {target}", NextEn: "wait for it, or abort it",
		Zh: "{target} 上有另一个发布正在进行", NextZh: "等它结束，或中止它",
	},
	{
		Code: "target.paused",
		En:   "{target} is paused by {by}", NextEn: "resume the target",
		Zh: "{target} 已被 {by} 暂停", NextZh: "恢复该部署目标",
	},
	{
		Code: "release.older",
		En:   "run #{run} is older than #{running}, which runs on {target}", NextEn: "use rollback to go back to an older version",
		Zh: "运行 #{run} 早于 {target} 上正在运行的 #{running}", NextZh: "要退回旧版本，请使用回滚",
	},
	{Code: "release.superseded", En: "superseded by a newer release", Zh: "被更新的发布取代"},
	{Code: "release.aborted", En: "aborted by {by}«: {reason}»", Zh: "已被 {by} 中止«：{reason}»"},
	{Code: "release.canceled", En: "canceled by {by}«: {reason}»", Zh: "已被 {by} 取消«：{reason}»"},
	{Code: "version.failed", En: "the new version does not become healthy", Zh: "新版本无法变为健康"},
	{Code: "batch.deadline", En: "the new version was not healthy within {limit}", Zh: "新版本在 {limit} 内没有变为健康"},
	{
		Code: "deployer.trouble",
		En:   "nothing can be done on {target} now: {message}", NextEn: "it is tried again at {at} UTC, and goes on by itself",
		Zh: "目前无法操作 {target}：{message}", NextZh: "将在 {at}（UTC）重试，恢复后自动继续",
	},
	{
		Code: "deployer.silent",
		En:   "the deployer of {target} did not confirm the new version within {limit}", NextEn: "see that the deployer is reachable, and release again",
		Zh: "{target} 的部署器在 {limit} 内没有确认新版本", NextZh: "确认部署器可以访问，然后重新发布",
	},
}
