package phrase

// approvals are the causes and refusals of approvals, and of the emergency lane.
var approvals = []Phrase{
	{
		Code:   "approval.missing",
		En:     "waits for {n1} more of {group1}« ({who1})»«, {n2} more of {group2}« ({who2})»»«, {n3} more of {group3}« ({who3})»»«, and {more} more groups»«; expires in {left}»",
		NextEn: "approve it with `shiplock release approve {release}`, or reject it",
		Zh:     "还需 {group1}«（{who1}）» {n1} 人批准«、{group2}«（{who2}）» {n2} 人»«、{group3}«（{who3}）» {n3} 人»«，以及另外 {more} 个组»«；{left} 后过期»",
		NextZh: "用 `shiplock release approve {release}` 批准，或拒绝它",
	},
	{
		Code: "approval.void", When: "what=strategy",
		En: "the approvals are void: the strategy has changed since they were asked for", NextEn: "see what it is now, and ask again with `shiplock release ask {release}`",
		Zh: "批准已失效：请求之后发布策略有改动", NextZh: "查看现在的内容，并用 `shiplock release ask {release}` 重新请求批准",
	},
	{
		Code: "approval.void", When: "what=bake",
		En: "the approvals are void: how long the old version is kept has changed since they were asked for", NextEn: "see what it is now, and ask again with `shiplock release ask {release}`",
		Zh: "批准已失效：请求之后旧版本的保留时间有改动", NextZh: "查看现在的内容，并用 `shiplock release ask {release}` 重新请求批准",
	},
	{
		Code: "approval.void",
		En:   "the approvals are void: the configuration has changed since they were asked for", NextEn: "see what it is now, and ask again with `shiplock release ask {release}`",
		Zh: "批准已失效：请求之后配置有改动", NextZh: "查看现在的内容，并用 `shiplock release ask {release}` 重新请求批准",
	},
	{
		Code: "approval.expired",
		En:   "not approved within {limit}", NextEn: "ask again with `shiplock release ask {release}`",
		Zh: "{limit} 内没有得到批准", NextZh: "用 `shiplock release ask {release}` 重新请求批准",
	},
	{
		Code: "approval.stale",
		En:   "approved, and not started within {limit} after that", NextEn: "ask again with `shiplock release ask {release}`",
		Zh: "已批准，但其后 {limit} 内没有开始", NextZh: "用 `shiplock release ask {release}` 重新请求批准",
	},
	{
		Code: "emergency.expired",
		En:   "an emergency is good for {limit}, and it did not start within that", NextEn: "if it is still one, ask anew with `shiplock release create --emergency`",
		Zh: "紧急发布的有效期为 {limit}，它没有在此期间开始", NextZh: "如果仍然紧急，用 `shiplock release create --emergency` 重新请求",
	},
	{Code: "release.rejected", En: "rejected by {by}«: {reason}»", Zh: "已被 {by} 拒绝«：{reason}»"},

	// Of documents.
	{En: "groups are missing: say who approves, like {@like}", Zh: "缺少 groups：写明由谁批准，例如 {like}"},
	{En: "there are {n} groups, and may be {most}", Zh: "有 {n} 个组，最多可以有 {most} 个"},
	{En: "name is missing: people read it where a release waits, like tech-leads", Zh: "缺少 name：发布等待时大家会看到它，例如 tech-leads"},
	{En: "there is another group {name}: give each its own name", Zh: "已有另一个组 {name}：请给每个组各自的名字"},
	{En: "nobody is in the group: write subjects, like group:qa or user:ann, or roles", Zh: "组里没有人：写 subjects，例如 group:qa 或 user:ann，或写 roles"},
	{En: "there are {n} subjects, and may be {most}: name a group", Zh: "有 {n} 个 subjects，最多可以有 {most} 个：请写一个组"},
	{En: "min is {min}, and the group has {n}: nobody could ever approve", Zh: "min 是 {min}，而组里只有 {n} 人：永远无法得到批准"},
	{En: "it is missing: write user:NAME or group:NAME", Zh: "缺少它：写 user:名字 或 group:名字"},
	{En: "a delegation is between people who are named: write user:NAME or group:NAME", Zh: "委托须在指名的人之间：写 user:名字 或 group:名字"},
	{En: "until is missing: a delegation ends, like 2026-12-01T09:00:00+08:00", Zh: "缺少 until：委托须有结束时间，例如 2026-12-01T09:00:00+08:00"},
	{En: "it ends before it begins", Zh: "它的结束早于开始"},
	{En: "from and to are the same", Zh: "from 和 to 相同"},
	{En: "{text} is no time with its zone: write it like 2026-12-01T09:00:00+08:00", Zh: "{text} 不是带时区的时间：写成 2026-12-01T09:00:00+08:00 这样"},

	// Of answers.
	{En: "cannot be granted: nobody has approved", Zh: "无法视为已批准：还没有人批准"},
	{En: "approval is asked for already: it is waited for", Zh: "已经请求批准：正在等待"},
	{En: "what is released has changed since you looked: look again, and approve what it is now", Zh: "在你查看之后发布的内容有改动：请重新查看，再批准现在的内容"},
	{En: "cannot {@verb}: nobody's approval is asked for", Zh: "无法 {verb}：没有请求任何人批准"},
	{En: "cannot {@verb}: {@why}; {@next}", Zh: "无法 {verb}：{why}；{next}"},
	{En: "cannot approve: {@why}; {@next}", Zh: "无法批准：{why}；{next}"},
	{
		En: "no approval is needed: no ApprovalPolicy is for {target}, see `shiplock get approvalpolicies`",
		Zh: "不需要批准：没有针对 {target} 的 ApprovalPolicy，见 `shiplock get approvalpolicies`",
	},
	{
		En: "{who} may not approve releases of {target}: `shiplock can-i release.approve {app} {env}` says who may",
		Zh: "{who} 无权批准 {target} 的发布：`shiplock can-i release.approve {app} {env}` 会说明谁可以",
	},
	{En: "{who} is in none of the groups that may approve: {groups}", Zh: "{who} 不在可以批准的任何组中：{groups}"},
	{
		En: "{who} asked for this release, and nobody approves his own request: ask another approver",
		Zh: "这次发布由 {who} 发起，任何人都不能批准自己的请求：请找另一位批准人",
	},
	{
		En: "{who} wrote the newest commit in it, and nobody approves his own work: ask another approver",
		Zh: "其中最新的提交由 {who} 编写，任何人都不能批准自己的工作：请找另一位批准人",
	},
	{
		En: "{who} started the run that built it, and nobody approves his own work: ask another approver",
		Zh: "构建它的运行由 {who} 发起，任何人都不能批准自己的工作：请找另一位批准人",
	},
	{En: "say with --reason why it is rejected: whoever asked reads it", Zh: "用 --reason 说明为什么拒绝：发起人会看到"},
	{
		En: "the release is {@state}: make a new one with `shiplock release create {app} --env {env}`",
		Zh: "该发布处于 {state} 状态：用 `shiplock release create {app} --env {env}` 新建一个",
	},

	// Of emergencies.
	{
		En: "an emergency is good for once: ask anew with `shiplock release create --emergency`",
		Zh: "紧急发布只能用一次：用 `shiplock release create --emergency` 重新请求",
	},
	{En: "an emergency needs its reason: say with --reason what is broken", Zh: "紧急发布须写明原因：用 --reason 说明出了什么问题"},
	{En: "an emergency needs the link of its incident: write --incident https://…", Zh: "紧急发布须有事件链接：写 --incident https://…"},
	{En: "cannot close its review: the release was no emergency", Zh: "无法关闭复盘：该发布不是紧急发布"},
	{En: "cannot close its review: the release is {@state}, and not over", Zh: "无法关闭复盘：该发布处于 {state} 状态，尚未结束"},
	{En: "cannot close its review: the release never started, so there is nothing to look at", Zh: "无法关闭复盘：该发布从未开始，没有可复盘的内容"},
	{En: "whoever asked for an emergency does not review it: somebody else closes it", Zh: "发起紧急发布的人不能自己复盘：须由他人关闭"},
	{En: "say with --note what was found", Zh: "用 --note 说明复盘结论"},
	{En: "rejected", Zh: "已拒绝"},
	{En: "expired", Zh: "已过期"},

	// Of the command line.
	{En: "  approved by {who} {age} ago ({rule})", Zh: "  {who} 在 {age} 前批准（{rule}）"},
	{En: "  {group}: {n} of {min}", Zh: "  {group}：{n}/{min}"},
	{En: "  subject {digest}", Zh: "  批准对象 {digest}"},
	{En: "!! EMERGENCY: {reason} ({incident})", Zh: "!! 紧急：{reason}（{incident}）"},
	{En: "!! EMERGENCY, nobody asked: {reason} ({incident})", Zh: "!! 紧急，未经任何人批准：{reason}（{incident}）"},
	{En: "  reviewed by {who}: {note}", Zh: "  {who} 已复盘：{note}"},
	{En: "--incident {link} has no effect without --emergency", Zh: "没有 --emergency 时 --incident {link} 不起作用"},
	{En: "Releases that wait for your approval", Zh: "等待你批准的发布"},
	{En: "those that wait for anybody", Zh: "等待任何人批准的发布"},
	{En: "Look at emergencies afterwards", Zh: "对紧急发布进行复盘"},
	{En: "Emergencies that somebody has to look at", Zh: "需要有人复盘的紧急发布"},
	{En: "Close the review of an emergency", Zh: "关闭一次紧急发布的复盘"},
	{En: "what was found", Zh: "复盘结论"},
	{En: "Consent to a release", Zh: "批准一次发布"},
	{En: "what you want to say to it", Zh: "你想附上的说明"},
	{En: "what you looked at, as of `shiplock release show`: refused when that has changed", Zh: "你查看过的内容（见 `shiplock release show`）：如已改动则不接受"},
	{En: "Ask for approval again", Zh: "重新请求批准"},
	{En: "One release, with its approvals and what holds it up", Zh: "一次发布，以及它的批准情况和受阻原因"},
	{En: "End a release that you do not consent to, with --reason", Zh: "拒绝一次发布，须写 --reason"},
	{En: "take the emergency lane: no window, other approvers, with --reason and --incident", Zh: "走紧急通道：不等窗口，由另外的人批准，须写 --reason 和 --incident"},
	{En: "the link of the incident", Zh: "事件的链接"},
	{En: "nobody can be reached: start without any approval, which is told to everybody and reviewed", Zh: "联系不到任何人：不经批准直接开始，会通知所有人并须复盘"},
	{En: "Whose approval releases need", Zh: "发布需要谁批准"},
	{En: "Who approves in whose place", Zh: "谁代替谁批准"},
	{En: "POLICY", Zh: "策略"}, {En: "GROUPS", Zh: "组"}, {En: "EMERGENCY", Zh: "紧急"}, {En: "DELEGATION", Zh: "委托"}, {En: "FROM", Zh: "原批准人"}, {En: "TO", Zh: "代理人"},
	{En: "SINCE", Zh: "开始"}, {En: "UNTIL", Zh: "结束"}, {En: "INCIDENT", Zh: "事件"},

	// Of what other environments have to show first.
	{
		Code: "required.absent", When: "running",
		En: "has to run in {env} first, where #{running} runs", NextEn: "release it there with `shiplock release create {app} --env {env} --run {run}`",
		Zh: "须先在 {env} 中运行，那里现在运行的是 #{running}", NextZh: "用 `shiplock release create {app} --env {env} --run {run}` 先发布到那里",
	},
	{
		Code: "required.absent",
		En:   "has to run in {env} first, where nothing runs yet", NextEn: "release it there with `shiplock release create {app} --env {env} --run {run}`",
		Zh: "须先在 {env} 中运行，那里还没有运行任何版本", NextZh: "用 `shiplock release create {app} --env {env} --run {run}` 先发布到那里",
	},
	{
		Code: "required.sick",
		En:   "is not healthy in {env}, where it has to be first", NextEn: "see `shiplock target explain {app} --env {env}`",
		Zh: "在 {env} 中不健康，须先在那里健康", NextZh: "见 `shiplock target explain {app} --env {env}`",
	},
	{
		Code: "required.young",
		En:   "has to be healthy in {env} for {limit}: {left} to go", NextEn: "it goes on by itself",
		Zh: "须在 {env} 中健康 {limit}：还差 {left}", NextZh: "到时自动继续",
	},
	{
		Code: "required.unknown",
		En:   "whether it runs in {env} cannot be told: {@why}", NextEn: "it is asked again by itself; see that the Git host can be reached",
		Zh: "无法得知它是否在 {env} 中运行：{why}", NextZh: "会自动重试；请确认代码平台可以访问",
	},
	{
		Code: "gate.failed",
		En:   "{failed} of the {total} tests of #{run} failed, and {env} takes only what passed all", NextEn: "mend them, and release the run of that commit; `shiplock run explain {app}#{run}` shows them",
		Zh: "#{run} 的 {total} 个测试中有 {failed} 个失败，而 {env} 只接受全部通过的版本", NextZh: "修好测试，再发布那个提交的运行；用 `shiplock run explain {app}#{run}` 查看",
	},
	{
		Code: "gate.untested",
		En:   "#{run} reported no tests, and {env} takes only what passed some", NextEn: "have a step of its build run tests and report them, and release that run",
		Zh: "#{run} 没有报告任何测试，而 {env} 只接受通过了测试的版本", NextZh: "让构建的某一步运行并报告测试，再发布那次运行",
	},
	{
		Code: "gate.forgotten",
		En:   "#{run} is not kept any more, so whether its tests passed cannot be told, and {env} asks for it", NextEn: "build its commit again, and release that run",
		Zh: "#{run} 已被清理，无法得知它的测试是否通过，而 {env} 要求如此", NextZh: "重新构建它的提交，再发布那次运行",
	},
	{En: "an environment cannot require itself: name one that comes before it", Zh: "环境不能要求自己：写一个在它之前的环境"},
	{En: "environment is missing: name where it has to run first, such as pre", Zh: "缺少 environment：写明须先在哪里运行，例如 pre"},
}
