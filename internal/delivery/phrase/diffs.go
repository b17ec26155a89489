package phrase

// diffs are said about what differs.
var diffs = []Phrase{
	{En: "What a release would change, before anything changes; or what differs between two", Zh: "发布前查看它会改变什么；或两个发布之间的差异"},
	{
		En: "What a release would change, before anything changes: the commits, the artifact, what it runs with, and on a cluster the fields of its objects, as the cluster itself answers to a trial. With one release, what that changes or has changed; with two, what differs between them. Secrets are hidden.",
		Zh: "发布前查看它会改变什么：提交、制品、运行配置，以及集群中各对象的字段（由集群试运行得出）。给出一个发布时，显示它会改变或已改变的内容；给出两个时，显示它们之间的差异。机密会被隐藏。",
	},
	{En: "name an app and an environment, or one or two releases", Zh: "请写一个应用和一个环境，或一到两个发布"},
	{En: "{release} is no release: name an app and an environment, or one or two releases", Zh: "{release} 不是发布：请写一个应用和一个环境，或一到两个发布"},
	{En: "Changed by others since it was applied ({n}):", Zh: "应用之后被他人改动的字段（{n} 个）："},
	{En: "{object} {field} is {have}, wished for is {want}", Zh: "{object} {field} 现为 {have}，应为 {want}"},
	{En: ", by {who}", Zh: "，改动者 {who}"},
	{En: "It is not as wished for, and is being put right.", Zh: "它与期望不符，正在纠正。"},
	{En: "name one app and environment, like shop/prod, or none for all", Zh: "请写一个应用和环境，例如 shop/prod；不写则列出全部"},
	{En: "Change how many instances run, without restarting those that stay", Zh: "改变实例数量，不重启留下的实例"},
	{
		En: "Change how many instances run, without restarting those that stay. The number is kept over restarts, rollbacks and later releases; it ends when a release brings another number of replicas from the App's document than the one before, or with --catalog. What is to stay belongs into that document.",
		Zh: "改变实例数量，不重启留下的实例。该数量在重启、回滚和之后的发布中保持不变；当某次发布从 App 文档带来与之前不同的 replicas 时，或使用 --catalog 时结束。需要长期保持的数量应写入该文档。",
	},
	{En: "how many instances", Zh: "实例数量"},
	{En: "go back to the number of the App's document", Zh: "恢复为 App 文档中的数量"},
	{En: "name --replicas N, or --catalog", Zh: "请写 --replicas N 或 --catalog"},
	{En: "to {n} instances", Zh: "实例数改为 {n}"},
	{En: "to as many instances as the catalog says", Zh: "实例数恢复为目录中的值"},
	{En: "Scaled to {n} by hand, until the catalog has another number: see `shiplock scale --help`", Zh: "已手动扩缩到 {n} 个实例，直到目录中的数量改变：见 `shiplock scale --help`"},
	{En: "{n} instances cannot be asked for: name 1 to {max}", Zh: "不能要求 {n} 个实例：请写 1 到 {max}"},
	{
		En: "{target} has an autoscaler, which decides how many instances there are: edit workload.autoscale of the App, and release it",
		Zh: "{target} 有自动扩缩器，由它决定实例数量：请修改 App 的 workload.autoscale 并发布",
	},
	{En: "scale", Zh: "扩缩"},
	{En: "Nothing differs.", Zh: "没有差异。"},
	{En: "The commits between cannot be counted: {why}", Zh: "无法计算两者之间的提交：{why}"},
	{En: "git has not answered yet: look again in a moment", Zh: "git 尚未应答：请稍后再看"},
	{En: "The same commit.", Zh: "同一提交。"},
	{En: "commits {range}: {more} more, {fewer} fewer", Zh: "提交 {range}：多 {more} 个，少 {fewer} 个"},
	{En: "(now owned by {owner})", Zh: "（目前由 {owner} 管理）"},
}
