package phrase

// checkups are what `shiplock doctor` finds.
var checkups = []Phrase{
	{
		Code: "doctor.server",
		En:   "Shiplock {version} answers in {took}", Zh: "Shiplock {version}，响应时间 {took}",
	},
	{
		Code: "doctor.version",
		En:   "the server is {server}, and this program {client}", NextEn: "Use the same version of both.",
		Zh: "服务器版本是 {server}，本程序是 {client}", NextZh: "请使用相同的版本。",
	},
	{
		Code: "doctor.clock",
		En:   "the server's clock and this machine's differ by {skew}", NextEn: "Let both follow a time server: windows, leases and logs go by them.",
		Zh: "服务器与本机的时钟相差 {skew}", NextZh: "让两者都与时间服务器同步：发布窗口、租约和日志都以时钟为准。",
	},
	{
		Code: "doctor.clock_cluster",
		En:   "the clocks of the server and of the cluster differ by {skew}", NextEn: "Let both follow a time server: how long a pod waits is judged by them.",
		Zh: "服务器与集群的时钟相差 {skew}", NextZh: "让两者都与时间服务器同步：Pod 的等待时间以时钟为准。",
	},
	{
		Code: "doctor.database",
		En:   "{kind} answers in {took}", Zh: "{kind} 响应时间 {took}",
	},
	{
		Code: "doctor.database_slow",
		En:   "{kind} takes {took} to answer", NextEn: "See the disk and the network below it: everything waits for it.",
		Zh: "{kind} 响应需要 {took}", NextZh: "检查它的磁盘和网络：一切操作都要等它。",
	},
	{
		Code: "doctor.database_away",
		En:   "{kind} does not answer: {@reason}", NextEn: "See that it runs and that the server reaches it; the server's log says more.",
		Zh: "{kind} 没有响应：{@reason}", NextZh: "请确认它正在运行且服务器可以访问；详情见服务器日志。",
	},
	{
		Code: "doctor.disk",
		En:   "{free} of {total} are free below {path}", Zh: "{path} 的可用空间为 {free}，共 {total}",
	},
	{
		Code: "doctor.disk_low",
		En:   "only {free} of {total} are free below {path}", NextEn: "Give it more room, or keep less: see `shiplock retention` and `serve --cache-limit`. A full disk stops everything.",
		Zh: "{path} 的可用空间只剩 {free}，共 {total}", NextZh: "扩大空间，或减少保留的内容：见 `shiplock retention` 和 `serve --cache-limit`。磁盘写满后一切都会停止。",
	},
	{
		Code: "doctor.disk_unknown",
		En:   "how much room is below {path} cannot be told«: {reason}»", NextEn: "Keep an eye on it by other means.",
		Zh: "无法得知 {path} 的可用空间«：{reason}»", NextZh: "请用其他方式监控。",
	},
	{
		Code: "doctor.registry",
		En:   "{registry} takes images and gives them back", Zh: "{registry} 可以推送和读取镜像",
	},
	{
		Code: "doctor.registry_refused",
		En:   "an image cannot be pushed to {registry} and read back: {@reason}", NextEn: "Correct the address, the login or the certificate: docs/operate/registry.md says what each answer means.",
		Zh: "无法向 {registry} 推送镜像并读回：{@reason}", NextZh: "改正地址、登录信息或证书：docs/operate/registry.md 说明了每种响应的含义。",
	},
	{
		Code: "doctor.builds_local",
		En:   "builds run on the server's own machine", Zh: "构建在服务器本机运行",
	},
	{
		Code: "doctor.builds_inside",
		En:   "builds run inside the server's pod, which has none of their tools", NextEn: "Start the server with --executor kubernetes.",
		Zh: "构建在服务器的 Pod 内运行，而其中没有所需的工具", NextZh: "用 --executor kubernetes 启动服务器。",
	},
	{
		Code: "doctor.builds",
		En:   "the cluster takes pods of builds in namespace {namespace}", Zh: "集群接受命名空间 {namespace} 中的构建 Pod",
	},
	{
		Code: "doctor.builds_refused",
		En:   "the cluster would refuse a build's pod in namespace {namespace}: {@reason}", NextEn: "Apply what `shiplock cluster builds` prints: it has the namespace, the PriorityClass and the role. A policy of the cluster's own has to let its pods be.",
		Zh: "集群会拒绝命名空间 {namespace} 中的构建 Pod：{@reason}", NextZh: "应用 `shiplock cluster builds` 的输出：其中有命名空间、PriorityClass 和角色。集群自己的策略也必须允许这些 Pod。",
	},
	{
		Code: "doctor.quota",
		En:   "{used} of {hard} {resource} of the quota {quota} are used", NextEn: "Builds wait when it is used up: raise it if that lasts; `shiplock capacity` shows who uses it.",
		Zh: "配额 {quota} 的 {resource} 已用 {used}，共 {hard}", NextZh: "用完后构建会排队等待：如果持续出现请调高；`shiplock capacity` 显示占用情况。",
	},
	{
		Code: "doctor.cluster",
		En:   "{cluster} is Kubernetes {version}", Zh: "{cluster} 的版本是 Kubernetes {version}",
	},
	{
		Code: "doctor.cluster_old",
		En:   "{cluster} is Kubernetes {version}", NextEn: "Upgrade it to {least} or newer: what is needed is not all there.",
		Zh: "{cluster} 的版本是 Kubernetes {version}", NextZh: "升级到 {least} 或更新版本：所需的功能并不齐全。",
	},
	{
		Code: "doctor.cluster_away",
		En:   "the API server« {cluster}» does not answer us: {@reason}", NextEn: "See that the server reaches it, and that its kubeconfig or service account is good.",
		Zh: "API server« {cluster} »没有正常响应：{@reason}", NextZh: "请确认服务器可以访问它，且 kubeconfig 或服务账号有效。",
	},
	{
		Code: "doctor.rights",
		En:   "the server may do all that it has to in namespace {namespace}", Zh: "服务器在命名空间 {namespace} 中拥有所需的全部权限",
	},
	{
		Code: "doctor.rights_missing",
		En:   "in namespace {namespace} the server may not {rights}", NextEn: "Apply what `{command} --server-account NAMESPACE/NAME` prints, with the server's own account.",
		Zh: "服务器在命名空间 {namespace} 中缺少权限：{rights}", NextZh: "用服务器自己的账号应用 `{command} --server-account NAMESPACE/NAME` 的输出。",
	},
	{
		Code: "doctor.rights_unknown",
		En:   "what the server may do in namespace {namespace} is not known: {@reason}", NextEn: "Let its account make SelfSubjectAccessReviews, as everybody may by default.",
		Zh: "无法得知服务器在命名空间 {namespace} 中的权限：{@reason}", NextZh: "允许其账号创建 SelfSubjectAccessReview，默认情况下所有账号都可以。",
	},
	{
		Code: "doctor.namespace_refused",
		En:   "the cluster would refuse objects in namespace {namespace}: {@reason}", NextEn: "Create the namespace, or correct it in the Environment; then see what is said of rights.",
		Zh: "集群会拒绝命名空间 {namespace} 中的对象：{@reason}", NextZh: "创建该命名空间，或在 Environment 中改正；然后查看关于权限的结果。",
	},
	{
		Code: "doctor.inside",
		En:   "apps of the environment {env} run inside the server's pod, and end with it", NextEn: "Name a cluster and a namespace in the document of the Environment.",
		Zh: "环境 {env} 的应用在服务器的 Pod 内运行，会随它一起结束", NextZh: "在该 Environment 的文档中写明 cluster 和 namespace。",
	},
	{
		Code: "doctor.hooks",
		En:   "every app's repository sends hooks, and none was refused", Zh: "所有应用的仓库都在发送 hook，且没有被拒绝的",
	},
	{
		Code: "doctor.hooks_refused",
		En:   "{count delivery|deliveries} of {forge} refused since the server started, the last one: {@reason}", NextEn: "Give the forge's webhook the server's secret (SHIPLOCK_HOOK_SECRET).",
		Zh: "服务器启动以来拒绝了 {forge} 的 {count} 次投递，最近一次：{@reason}", NextZh: "把服务器的密钥（SHIPLOCK_HOOK_SECRET）填入代码托管平台的 webhook。",
	},
	{
		Code: "doctor.hooks_silent",
		En:   "no hook ever came for {apps}", NextEn: "Add a webhook to their repositories, or to their group: see `shiplock get hooks`.",
		Zh: "从未收到过 {apps} 的 hook", NextZh: "为它们的仓库或所属的组添加 webhook：见 `shiplock get hooks`。",
	},
	{
		Code: "doctor.repository",
		En:   "{repo} cannot be looked at: {@reason}", NextEn: "See that the server reaches the Git host, and that --clone-user may read the repository.",
		Zh: "无法查看 {repo}：{@reason}", NextZh: "请确认服务器可以访问 Git 主机，且 --clone-user 有权读取该仓库。",
	},
	{En: "cluster {name}", Zh: "集群 {name}"},
	{En: "environment {name}", Zh: "环境 {name}"},
	{En: "database", Zh: "数据库"},
	{En: "disk", Zh: "磁盘"},
	{En: "registry", Zh: "镜像仓库"},
	{En: "builds", Zh: "构建"},
	{En: "hooks", Zh: "hook"},
	{En: "server", Zh: "服务器"},
	{En: "ok", Zh: "正常"},
	{En: "warn", Zh: "注意"},
	{En: "bad", Zh: "错误"},
	{En: "{bad} of {all} findings are bad, and {warn} are warnings.", Zh: "{all} 项中有 {bad} 项错误，{warn} 项需要注意。"},
	{En: "What is wrong with the installation, and what to mend", Zh: "检查安装有什么问题、如何修复"},
	{
		En: `Have the server check what it works with: its database and disk, the registry, the
cluster that builds run in and those of environments, with its rights there, hooks, and
clocks. Each line says how something is, and what to mend. Nothing is changed, but for a
small image in the registry. It ends with 1 when something does not work.`,
		Zh: `让服务器检查它所依赖的一切：数据库和磁盘、镜像仓库、构建所在的集群和各环境的集群
（以及它在其中的权限）、hook 和时钟。每一行说明一项的状况以及如何修复。除了在镜像仓库中
推送一个很小的镜像外不做任何改动。如有不能工作的项，退出码为 1。`,
	},
}
