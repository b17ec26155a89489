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
	{
		Code: "attempt.not_started",
		En:   "the runner did not start within {limit}", NextEn: "it is tried again by itself; if this repeats, see that the machine or pod of the build reaches this server",
		Zh: "执行器在 {limit} 内没有启动", NextZh: "会自动重试；如果反复出现，请确认运行构建的机器或 Pod 能访问本服务器",
	},
	{
		Code: "attempt.silent",
		En:   "the runner was silent for {limit}", NextEn: "it is tried again by itself; if this repeats, look at the network between builds and this server",
		Zh: "执行器已 {limit} 没有响应", NextZh: "会自动重试；如果反复出现，请检查构建与本服务器之间的网络",
	},
	{
		Code: "attempt.stopped",
		En:   "the runner was stopped from outside", NextEn: "it is tried again by itself; if this repeats, look for a command of the build that kills it, and for who stops builds",
		Zh: "执行器被外部终止", NextZh: "会自动重试；如果反复出现，请检查构建中是否有命令杀死了它，以及是谁终止了构建",
	},
	{
		Code: "attempt.lost",
		En:   "the runner ended without a report", NextEn: "it is tried again by itself",
		Zh: "执行器没有汇报就结束了", NextZh: "会自动重试",
	},
	{
		Code: "attempt.memory",
		En:   "out of memory: the build used all of its {limit}«, at step {step}»«; its peak was {peak}»", NextEn: "A build is tried once more with half as much again; if that is too little too, raise resources.limits.memory of the App's build.",
		Zh: "内存不足：构建用尽了 {limit} 内存«（步骤 {step}）»«，峰值 {peak}»", NextZh: "构建会以 1.5 倍内存再试一次；如果仍然不够，请调高 App 的 build 中的 resources.limits.memory。",
	},
	{
		Code: "attempt.disk",
		En:   "out of disk: the build wrote more than its limit of {limit}", NextEn: "Raise resources.limits.ephemeral-storage of the App's build, or let it write less.",
		Zh: "磁盘不足：构建写入的数据超过了限额 {limit}", NextZh: "调高 App 的 build 中的 resources.limits.ephemeral-storage，或让构建少写一些。",
	},
	{
		Code: "attempt.evicted",
		En:   "the node put the build out: {message}", NextEn: "it is tried again by itself; if this repeats, give the nodes of builds more room",
		Zh: "节点驱逐了构建：{message}", NextZh: "会自动重试；如果反复出现，请给运行构建的节点更多资源",
	},
	{
		Code: "attempt.preempted",
		En:   "something more important took the build's place«: {message}»", NextEn: "it is tried again by itself",
		Zh: "更重要的工作负载占用了构建的位置«：{message}»", NextZh: "会自动重试",
	},
	{
		Code: "attempt.reclaimed",
		En:   "the node {node} is drained, or was taken back«: {message}»", NextEn: "it is tried again by itself on another node",
		Zh: "节点 {node} 正在排空或已被回收«：{message}»", NextZh: "会自动在其他节点重试",
	},
	{
		Code: "attempt.turned_away",
		En:   "the node {node} took no more builds: {message}", NextEn: "it is tried again by itself; if this repeats, give the nodes of builds more room",
		Zh: "节点 {node} 不再接收构建：{message}", NextZh: "会自动重试；如果反复出现，请给运行构建的节点更多资源",
	},
	{
		Code: "attempt.node_lost",
		En:   "the node {node} does not answer", NextEn: "it is tried again by itself on another node",
		Zh: "节点 {node} 没有响应", NextZh: "会自动在其他节点重试",
	},
	{
		Code: "attempt.deleted",
		En:   "the build's pod was deleted", NextEn: "it is tried again by itself",
		Zh: "构建的 Pod 被删除", NextZh: "会自动重试",
	},
	{
		Code: "attempt.killed",
		En:   "the build's pod ended: {reason}«, exit {exit}»", NextEn: "it is tried again by itself; if this repeats, look at the node's log",
		Zh: "构建的 Pod 已结束：{reason}«，退出码 {exit}»", NextZh: "会自动重试；如果反复出现，请查看节点日志",
	},
	{
		Code: "attempt.image",
		En:   "the image {image} cannot be pulled: {@reason}", NextEn: "Correct the image of the Stack's build, or name a pull secret under build.pod.pullSecrets.",
		Zh: "无法拉取镜像 {image}：{@reason}", NextZh: "改正 Stack 的 build.image，或在 build.pod.pullSecrets 中指定拉取凭据。",
	},
	{En: "the registry has no such image, or hides it", Zh: "仓库中没有该镜像，或不可见"},
	{En: "the registry refuses the credentials", Zh: "仓库拒绝了凭据"},
	{En: "the registry does not answer", Zh: "仓库没有响应"},
	{
		Code: "attempt.preparing",
		En:   "the image {image} is given its runner, which takes a while the first time",
		Zh:   "正在为镜像 {image} 加入执行器，首次需要一些时间",
	},
	{
		Code: "attempt.no_image",
		En:   "builds run in pods here, and the Stack names no image", NextEn: "Give the Stack a build.image.",
		Zh: "此处的构建在 Pod 中运行，而 Stack 没有指定镜像", NextZh: "请为 Stack 设置 build.image。",
	},
	{
		Code: "attempt.image_name",
		En:   "{image} is not the name of an image", NextEn: "Correct the image of the Stack's build.",
		Zh: "{image} 不是合法的镜像名", NextZh: "改正 Stack 的 build.image。",
	},
	{
		Code: "attempt.unschedulable",
		En:   "no node takes the build: {message}", NextEn: "It starts by itself when there is room; lower resources.requests of the build, or add nodes.",
		Zh: "没有节点可以运行构建：{message}", NextZh: "有空位时会自动开始；可调低构建的 resources.requests，或增加节点。",
	},
	{
		Code: "attempt.quota",
		En:   "the quota of namespace {namespace} is used up: {message}", NextEn: "It starts by itself when other builds end; raise the quota if this lasts.",
		Zh: "命名空间 {namespace} 的配额已用完：{message}", NextZh: "其他构建结束后会自动开始；如果持续出现，请调高配额。",
	},
	{
		Code: "attempt.unseen",
		En:   "the cluster at {cluster} has not shown its pods yet",
		Zh:   "集群 {cluster} 还没有给出其 Pod 的情况",
	},
	{
		Code: "attempt.away",
		En:   "the cluster at {cluster} does not show its pods: {reason}", NextEn: "Builds start by themselves once it does; see that its API server runs, that this server reaches it, and that its account may list pods.",
		Zh: "集群 {cluster} 不给出其 Pod 的情况：{reason}", NextZh: "恢复后构建会自动开始；请确认其 API 服务器在运行、本服务器能访问它，且其账号有权列出 Pod。",
	},
	{
		Code: "attempt.refused",
		En:   "the cluster refuses the build's pod: {message}", NextEn: "Correct what it names, in the Stack's build.pod or in the cluster.",
		Zh: "集群拒绝了构建的 Pod：{message}", NextZh: "请在 Stack 的 build.pod 或集群中改正它指出的问题。",
	},
	{
		Code: "attempt.volume",
		En:   "a volume of the build cannot be mounted: {message}", NextEn: "See that the claim, Secret or ConfigMap is there and its storage works; it starts by itself then.",
		Zh: "无法挂载构建的卷：{message}", NextZh: "请确认其 PVC、Secret 或 ConfigMap 存在且存储可用；之后会自动开始。",
	},
	{
		Code: "attempt.sandbox",
		En:   "the node {node} cannot set the build's pod up: {message}", NextEn: "it is tried again by itself; if this lasts, look at the node's container runtime and network",
		Zh: "节点 {node} 无法建立构建的 Pod：{message}", NextZh: "会自动重试；如果持续出现，请检查节点的容器运行时和网络",
	},
	{
		Code: "attempt.service",
		En:   "the service {service} beside the build does not run: {message}", NextEn: "Correct it under build.pod.services of the Stack.",
		Zh: "构建的附属服务 {service} 没有运行：{message}", NextZh: "请在 Stack 的 build.pod.services 中改正。",
	},
	{Code: "runner.ended", En: "the build process has ended", Zh: "构建进程已经结束"},
	{
		Code: "runner.failed",
		En:   "the runner could not go on«: {@error}»", NextEn: "The job is tried again by itself; if this repeats, look at the machine that runs builds.",
		Zh: "执行器无法继续«：{@error}»", NextZh: "作业会自动重试；如果反复出现，请检查运行构建的机器。",
	},
}
