package phrase

// steps are the causes of steps that did not succeed.
var steps = []Phrase{
	{
		Code: "step.timeout", When: "job=true",
		En: "step {step} was stopped at the job's time limit of {limit}", NextEn: "Find out which step takes so long, or raise the plan's timeout.",
		Zh: "步骤 {step} 到达作业的时限 {limit}，已被终止", NextZh: "找出哪个步骤耗时过长，或调大计划的 timeout。",
	},
	{
		Code: "step.timeout",
		En:   "step {step} was stopped at its time limit of {limit}", NextEn: "Find out what it waited for, or raise the step's timeout.",
		Zh: "步骤 {step} 到达时限 {limit}，已被终止", NextZh: "找出它在等待什么，或调大该步骤的 timeout。",
	},
	{
		Code: "step.killed", When: "signal=SIGKILL",
		En: "step {step} was killed by {signal}, most likely for lack of memory", NextEn: "Give the build more memory, or let it do less at once.",
		Zh: "步骤 {step} 被 {signal} 杀死，很可能是内存不足", NextZh: "给构建更多内存，或降低它的并行度。",
	},
	{Code: "step.killed", En: "step {step} was killed by {signal}", Zh: "步骤 {step} 被 {signal} 杀死"},
	{
		Code: "step.failed", When: "topic",
		En: "{@topic} failed« (exit {exit})»«: {error}»",
		Zh: "{@topic}失败«（退出码 {exit}）»«：{error}»",
	},
	{
		Code: "step.failed",
		En:   "step {step} failed« (exit {exit})»«: {error}»",
		Zh:   "步骤 {step} 失败«（退出码 {exit}）»«：{error}»",
	},
	{
		Code: "tool.missing", When: "stack",
		En: "stack {stack} needs {tool}« {@wanted}», which is not installed where the build runs", NextEn: "Install {tool} where builds run, or add it to the project's own dependencies.",
		Zh: "技术栈 {stack} 需要 {tool}«（{@wanted}）»，但运行构建的机器上没有安装", NextZh: "在运行构建的机器上安装 {tool}，或把它加入项目自己的依赖。",
	},
	{
		Code: "tool.version",
		En:   "stack {stack} needs {tool} {@wanted}, and where the build runs it is {found}", NextEn: "Install {tool} {@wanted} there and put it first on the PATH, or choose a stack that fits.",
		Zh: "技术栈 {stack} 需要 {tool}（{@wanted}），而运行构建的机器上是 {found}", NextZh: "在那台机器上安装 {tool}（{@wanted}）并放在 PATH 的最前面，或选择合适的技术栈。",
	},
	{
		Code: "tool.missing",
		En:   "{tool} is not installed where the build runs (exit 127)", NextEn: "Install {tool} where builds run, or add it to the project's own dependencies.",
		Zh: "运行构建的机器上没有安装 {tool}（退出码 127）", NextZh: "在运行构建的机器上安装 {tool}，或把它加入项目自己的依赖。",
	},
	{
		Code: "tests.failed",
		En:   "{failed test|tests} failed«: {test}»«: {error}»",
		Zh:   "{failed} 个测试失败«：{test}»«: {error}»",
	},
	{
		Code: "checkout.failed", When: "path",
		En: `the commit has no folder "{path}"`, NextEn: "Correct the App's path, or add the folder.",
		Zh: `该提交中没有目录 "{path}"`, NextZh: "改正 App 的 path，或添加这个目录。",
	},
	{Code: "checkout.failed", En: "checkout failed: {@error}", Zh: "检出失败：{@error}"},
	{Code: "step.stopped", En: "step {step} was stopped because step {other} did not succeed", Zh: "步骤 {other} 没有成功，步骤 {step} 已被停止"},
	{
		Code: "plan.invalid",
		En:   "{fault}« (and {more} more)»", NextEn: "Correct the file and push again; `shiplock plan {app} --env {env} -f FILE` checks it before.",
		Zh: "{fault}«（另有 {more} 处）»", NextZh: "改正文件后重新推送；推送前可用 `shiplock plan {app} --env {env} -f FILE` 检查。",
	},
	{
		Code: "file.missing", When: "use=input",
		En: "step {step} uses {path}: {@reason}", NextEn: "Correct inputs and outputs of the steps, or the commands that make the file.",
		Zh: "步骤 {step} 要用 {path}：{@reason}", NextZh: "改正步骤的 inputs 和 outputs，或生成该文件的命令。",
	},
	{
		Code: "file.missing",
		En:   "step {step} was to make {path}: {@reason}", NextEn: "Correct inputs and outputs of the steps, or the commands that make the file.",
		Zh: "步骤 {step} 应当生成 {path}：{@reason}", NextZh: "改正步骤的 inputs 和 outputs，或生成该文件的命令。",
	},
	{Code: "publish.failed", En: "package failed: {@error}", Zh: "制品包制作失败：{@error}"},
	{Code: "image.failed", En: "image failed: {@error}", Zh: "镜像制作失败：{@error}"},
}

// missing says why a declared file is not taken.
var missing = []Phrase{
	{En: "it is not there", Zh: "文件不存在"},
	{En: "a symbolic link leads out of the App's folder", Zh: "符号链接指向 App 目录之外"},
}

// versions of tools that are wanted.
var versions = []Phrase{
	{En: "{lowest} or newer, and older than {below}", Zh: "{lowest} 或更新，但低于 {below}"},
	{En: "{lowest} or newer", Zh: "{lowest} 或更新"},
	{En: "older than {below}", Zh: "低于 {below}"},
}

// headlines of commit statuses.
var headlines = []Phrase{
	{Code: "headline.queued", En: "{run} is queued", Zh: "{run} 排队中"},
	{Code: "headline.running", En: "{run} is running", Zh: "{run} 运行中"},
	{Code: "headline.succeeded", En: "{run} succeeded", Zh: "{run} 成功"},
	{Code: "headline.canceled", En: "{run} was canceled", Zh: "{run} 已取消"},
	{Code: "headline.failed", En: "{run} failed", Zh: "{run} 失败"},
}

// topics of failed steps.
var topics = []Phrase{
	{En: "compile", Zh: "编译"},
	{En: "vet", Zh: "go vet 检查"},
	{En: "lint", Zh: "代码检查"},
	{En: "tests", Zh: "测试"},
}
