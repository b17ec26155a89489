package phrase

import "slices"

var ports = []Phrase{
	{
		Code: "pod.port", When: "port",
		En: "the app listens on port {port}, and the {@probe} check asks port {refused}", NextEn: "Listen on the port in the variable PORT, or give the App the port {port}.",
		Zh: "应用监听端口 {port}，而{@probe}检查访问的是端口 {refused}", NextZh: "监听环境变量 PORT 中的端口，或把 App 的端口设为 {port}。",
	},
	{
		Code: "pod.port",
		En:   "the app listens on {loopback}, where nothing outside of its container reaches it", NextEn: "Listen on all addresses: 0.0.0.0 or [::].",
		Zh: "应用只监听 {loopback}，容器之外无法访问", NextZh: "监听所有地址：0.0.0.0 或 [::]。",
	},
	{
		Code: "pod.gate",
		En:   "the app is ready, and a readiness gate of its pod is not: {message}", NextEn: "See that the controller that sets it runs, such as that of the load balancer.",
		Zh: "应用已就绪，但其 Pod 的 readiness gate 未通过：{message}", NextZh: "请确认设置它的控制器（例如负载均衡控制器）正在运行。",
	},
	{En: "readiness", Zh: "就绪"},
	{En: "startup", Zh: "启动"},
	{En: "liveness", Zh: "存活"},
}

var needs = []Phrase{
	{
		Code: "pod.config", When: "key",
		En: "the {kind}« {name}» has no key {key}", NextEn: "Create it« in namespace {namespace}», or correct the App's reference; it starts by itself then.",
		Zh: "{kind}« {name} »中没有键 {key}", NextZh: "«在命名空间 {namespace} 中»创建它，或改正 App 的引用；之后会自动启动。",
	},
	{
		Code: "pod.config",
		En:   "the {kind} {name} is not there", NextEn: "Create it« in namespace {namespace}», or correct the App's reference; it starts by itself then.",
		Zh: "{kind} {name} 不存在", NextZh: "«在命名空间 {namespace} 中»创建它，或改正 App 的引用；之后会自动启动。",
	},
	{
		Code: "pod.volume",
		En:   "a volume cannot be mounted: {message}", NextEn: "See that its storage works and that no other node holds it; it goes on by itself then.",
		Zh: "无法挂载卷：{message}", NextZh: "请确认其存储可用，且没有被其他节点占用；之后会自动继续。",
	},
	{
		Code: "pod.sandbox",
		En:   "the node« {node}» cannot set the pod up: {message}", NextEn: "It is tried again by itself; if this lasts, look at the node's container runtime and network.",
		Zh: "节点« {node} »无法建立 Pod：{message}", NextZh: "会自动重试；如果持续出现，请检查节点的容器运行时和网络。",
	},
}

var places = []Phrase{
	{
		Code: "pod.unbound",
		En:   "a volume claim of the pod has no volume: {message}", NextEn: "See that its storage class exists and can make one where the nodes are; it goes on by itself then.",
		Zh: "Pod 的存储卷声明没有绑定到卷：{message}", NextZh: "请确认其 StorageClass 存在，并能在节点所在处创建卷；之后会自动继续。",
	},
	{
		Code: "pod.unschedulable",
		En:   "no node takes the pod: {@message}", NextEn: "It starts by itself when a node does; see what excludes them.",
		Zh: "没有节点可以运行 Pod：{@message}", NextZh: "有合适的节点时会自动启动；请查看节点被排除的原因。",
	},
	{En: "too little {resource} is left on {bad} of {all} nodes« (the pod asks for {amount})»", Zh: "{all} 个节点中有 {bad} 个剩余的 {resource} 不足«（Pod 请求 {amount}）»"},
	{En: "{bad} of {all} nodes have a taint that the App does not tolerate« ({taint})»", Zh: "{all} 个节点中有 {bad} 个带有 App 不容忍的污点«（{taint}）»"},
	{En: "{bad} of {all} nodes have other labels than the App asks for« ({labels})»", Zh: "{all} 个节点中有 {bad} 个的标签与 App 的要求不符«（{labels}）»"},
	{En: "{bad} of {all} nodes have as many pods as they may", Zh: "{all} 个节点中有 {bad} 个的 Pod 数已达上限"},
	{En: "no nodes available to schedule pods", Zh: "集群中没有可用的节点"},
	{En: "{bad} of {all} nodes are cordoned", Zh: "{all} 个节点中有 {bad} 个已停止调度"},
	{En: "{bad} of {all} nodes are excluded by rules about other pods", Zh: "{all} 个节点中有 {bad} 个因与其他 Pod 有关的规则被排除"},
}

var losses = []Phrase{
	{
		Code: "pod.disk",
		En:   "out of disk: the pod wrote more than its limit of {limit}", NextEn: "Raise workload.resources.limits.ephemeral-storage of the App, or let it write less.",
		Zh: "磁盘不足：Pod 写入的数据超过了限额 {limit}", NextZh: "调高 App 的 workload.resources.limits.ephemeral-storage，或让它少写一些。",
	},
	{
		Code: "pod.evicted",
		En:   "the node« {node}» put a pod out: {message}", NextEn: "It is replaced by itself; if this repeats, say what it uses under workload.resources.requests, or give the nodes more room.",
		Zh: "节点« {node} »驱逐了 Pod：{message}", NextZh: "会自动补上；如果反复出现，请在 workload.resources.requests 中写明实际用量，或给节点更多资源。",
	},
	{
		Code: "pod.preempted",
		En:   "something more important took a pod's place«: {message}»", NextEn: "It is replaced by itself when there is room; add nodes if this lasts.",
		Zh: "更重要的工作负载占用了 Pod 的位置«：{message}»", NextZh: "有空位时会自动补上；如果持续出现，请增加节点。",
	},
	{
		Code: "pod.reclaimed",
		En:   "the node« {node}» is drained, or was taken back«: {message}»", NextEn: "The pod is replaced by itself on another node.",
		Zh: "节点« {node} »正在排空或已被回收«：{message}»", NextZh: "会自动在其他节点补上 Pod。",
	},
	{
		Code: "pod.node_lost",
		En:   "the node« {node}» does not answer", NextEn: "The pod is replaced by itself on another node; see what became of this one.",
		Zh: "节点« {node} »没有响应", NextZh: "会自动在其他节点补上 Pod；请检查该节点。",
	},
	{
		Code: "pod.terminating", When: "finalizers",
		En: "the pod {pod} was told to go, and does not: it waits for {finalizers}", NextEn: "See that the controller of that finalizer runs.",
		Zh: "已要求 Pod {pod} 退出，但它没有退出：它在等待 {finalizers}", NextZh: "请确认该 finalizer 的控制器正在运行。",
	},
	{
		Code: "pod.terminating",
		En:   "the pod {pod} was told to go, and does not", NextEn: "See whether its node« {node}» is alive; if it is gone for good, delete the pod with --force.",
		Zh: "已要求 Pod {pod} 退出，但它没有退出", NextZh: "请确认其节点« {node} »是否存活；如果节点已永久丢失，用 --force 删除该 Pod。",
	},
}

// refused are the causes of objects that a cluster does not take.
var refused = []Phrase{
	{
		Code: "version.deadline",
		En:   "the new version made no progress« within {limit}»", NextEn: "See the app's log, and what its pods wait for.",
		Zh: "新版本«在 {limit} 内»没有进展", NextZh: "查看应用日志，以及它的 Pod 在等待什么。",
	},
	{
		Code: "cluster.taken", When: "owner",
		En: "the {object} of the app's manifests is there already, and is of the app {owner}", NextEn: "Give it another name, or remove it from the manifests.",
		Zh: "应用清单中的 {object} 已经存在，属于应用 {owner}", NextZh: "请换一个名称，或从清单中移除。",
	},
	{
		Code: "cluster.taken",
		En:   "the {object} of the app's manifests is there already in namespace {namespace}, and was not made by Shiplock", NextEn: "Give it another name, remove it from the manifests, or delete the one that is there.",
		Zh: "应用清单中的 {object} 在命名空间 {namespace} 中已经存在，且不是由 Shiplock 创建的", NextZh: "请换一个名称，从清单中移除，或删除已有的对象。",
	},
	{
		Code: "cluster.quota",
		En:   "the quota {by} of namespace {namespace} is used up for {@object}: {@said}", NextEn: "It goes on by itself when something else ends; raise the quota, or ask for less under workload.resources of the App.",
		Zh: "命名空间 {namespace} 的配额 {by} 已用完，无法创建 {@object}：{@said}", NextZh: "其他工作负载结束后会自动继续；可调高配额，或降低 App 的 workload.resources。",
	},
	{
		Code: "cluster.unstated",
		En:   "the quota {by} of namespace {namespace} refuses {@object}: {said}", NextEn: "State these under workload.resources of the App: the quota counts them.",
		Zh: "命名空间 {namespace} 的配额 {by} 拒绝了 {@object}：{said}", NextZh: "在 App 的 workload.resources 中写明这些资源：配额会统计它们。",
	},
	{
		Code: "cluster.limits",
		En:   "namespace {namespace} limits {@object}: {said}", NextEn: "Keep workload.resources of the App within this LimitRange, or change it.",
		Zh: "命名空间 {namespace} 的限制拒绝了 {@object}：{said}", NextZh: "让 App 的 workload.resources 符合该 LimitRange，或修改它。",
	},
	{
		Code: "cluster.security",
		En:   "the Pod Security level {by} of namespace {namespace} refuses {@object}: {said}", NextEn: "Take what it names out of the App's manifests, or change the namespace's level.",
		Zh: "命名空间 {namespace} 的 Pod 安全级别 {by} 拒绝了 {@object}：{said}", NextZh: "从 App 的清单中去掉它指出的内容，或调整命名空间的级别。",
	},
	{
		Code: "cluster.policy",
		En:   "the cluster's policy {by} refuses {@object}: {said}", NextEn: "Correct what it names, or ask whoever looks after the policy.",
		Zh: "集群策略 {by} 拒绝了 {@object}：{said}", NextZh: "改正它指出的问题，或联系该策略的负责人。",
	},
	{
		Code: "cluster.webhook",
		En:   "the cluster's admission webhook {by} refuses {@object}«: {said}»", NextEn: "Correct what it names, or ask whoever looks after the webhook.",
		Zh: "集群的准入 webhook {by} 拒绝了 {@object}«：{said}»", NextZh: "改正它指出的问题，或联系该 webhook 的负责人。",
	},
	{
		Code: "cluster.webhook_away",
		En:   "the cluster's admission webhook {by} does not answer about {@object}«: {said}»", NextEn: "See that the webhook's own pods run; it is tried again by itself.",
		Zh: "集群的准入 webhook {by} 没有就 {@object} 作出响应«：{said}»", NextZh: "请确认该 webhook 自身的 Pod 正在运行；会自动重试。",
	},
	{
		Code: "cluster.immutable",
		En:   "«the field {field} of »{@object} cannot be changed once it is there", NextEn: "Put the old value back, or delete the object first, which interrupts what it does.",
		Zh: "{@object} «的字段 {field} »在创建后无法修改", NextZh: "恢复原值，或先删除该对象（会中断它的工作）。",
	},
	{
		Code: "cluster.invalid",
		En:   "the cluster takes {@object} for invalid: {said}", NextEn: "Correct it in the App, or in its own manifests.",
		Zh: "集群认为 {@object} 不合法：{said}", NextZh: "在 App 或其自带的清单中改正。",
	},
	{
		Code: "cluster.conflict",
		En:   "{by} owns the field {field} of {@object}", NextEn: "Let only one of the two manage the field: take it out of the App's manifests, or let {by} give it up.",
		Zh: "{@object} 的字段 {field} 归 {by} 管理", NextZh: "只能由一方管理该字段：把它从 App 的清单中去掉，或让 {by} 放弃它。",
	},
	{
		Code: "cluster.access",
		En:   "the cluster does not let us: {by} {said}", NextEn: "Give the account this right: shiplock cluster rbac prints what it needs.",
		Zh: "集群不允许此操作：{by} {said}", NextZh: "授予该账号此权限：shiplock cluster rbac 会输出所需的授权。",
	},
	{
		Code: "cluster.namespace",
		En:   "the namespace {by} is not there, or is being deleted", NextEn: "Create it, or correct the Environment's namespace.",
		Zh: "命名空间 {by} 不存在，或正在被删除", NextZh: "创建它，或改正 Environment 的命名空间。",
	},
	{
		Code: "cluster.kind",
		En:   "the cluster does not know the kind« {by}» of {@object}", NextEn: "Install what brings their definition, or take them out of the App.",
		Zh: "集群不支持 {@object} 的类型« {by}»", NextZh: "安装提供该定义的组件，或从 App 中去掉它。",
	},
	{
		Code: "cluster.refused",
		En:   "the cluster refuses {@object}: {said}", NextEn: "Correct what it names.",
		Zh: "集群拒绝了 {@object}：{said}", NextZh: "改正它指出的问题。",
	},
	{En: "{resource} is short by {short} ({asked} asked for, {used} of {limit} used)", Zh: "{resource} 还差 {short}（请求 {asked}，已用 {used}，共 {limit}）"},
	{En: "the pods", Zh: "Pod"},
	{En: "the ReplicaSet", Zh: "ReplicaSet"},
}

// seeing are errors on the way to a cluster.
var seeing = []Phrase{
	{En: "environment {env} cannot be deleted while apps run in its cluster ({apps}), since nobody would look after them: delete these apps first, or keep it", Zh: "环境 {env} 的集群中还有应用在运行（{apps}），不能删除，否则没有人照管它们：请先删除这些应用，或保留该环境"},
	{En: "environment {env} cannot move to another cluster or namespace while apps run in it ({apps}), since they would be left behind: make a new environment there, release to it with `shiplock release create APP --env NEW --from {env}`, and keep this one until nobody asks it any more", Zh: "环境 {env} 中还有应用在运行（{apps}），不能移到其他集群或命名空间，否则它们会被遗留：请在新位置建一个新环境，用 `shiplock release create APP --env NEW --from {env}` 发布到那里，并保留原环境直到没有人再访问"},
	{En: "the environment {env} is no longer in the catalog, so nobody knows in which cluster it is: apply its document", Zh: "环境 {env} 已不在目录中，不知道它在哪个集群：请应用它的文档"},
	{En: "app {app} becomes a package, and {env} is in the cluster {cluster}, which runs images: write `artifact: image` into the App or its Stack", Zh: "应用 {app} 的制品是包，而环境 {env} 在集群 {cluster} 中，集群运行的是镜像：请在应用或其技术栈中写 `artifact: image`"},
	{En: "{app}#{run} is a package, and {env} is in the cluster {cluster}, which runs images: write `artifact: image` into the App or its Stack and build it again, or release it to an environment of one machine", Zh: "{app}#{run} 是包，而环境 {env} 在集群 {cluster} 中，集群运行的是镜像：请在应用或其技术栈中写 `artifact: image` 后重新构建，或发布到单机环境"},
	{En: "{app}#{run} was built on {base} when no environment was in a cluster, and that has not what it needs in {env}: build its commit again, which takes {other}", Zh: "{app}#{run} 构建时还没有环境在集群中，其基础镜像 {base} 缺少它在 {env} 中所需的内容：请重新构建该提交，届时将使用 {other}"},
	{En: "connect to the cluster {cluster}", Zh: "连接集群 {cluster}"},
	{En: "too many clusters are being opened at once: this is tried again", Zh: "同时打开的集群过多：会自动重试"},
	{En: "the cluster {cluster} has generation {generation} of {target}, and this is {older}", Zh: "集群 {cluster} 中 {target} 已是第 {generation} 代，而这是第 {older} 代"},
	{En: "the cluster {cluster} is not seen", Zh: "看不到集群 {cluster} 的情况"},
	{En: "the cluster {cluster} is being looked at for the first time", Zh: "正在首次查看集群 {cluster}"},
	{En: "it has changed meanwhile", Zh: "它在此期间被改动过"},
}

// tasks are the causes of the command that goes before a release.
var tasks = slices.Concat(
	died("predeploy.failed", "the preDeploy command", "preDeploy 命令", "Mend it, and see whether what it had begun is whole; then push or release again.", "修复它，并检查它已完成的部分是否完整；然后重新推送或发布。"),
	[]Phrase{
		{
			Code: "predeploy.deadline",
			En:   "the preDeploy command did not end within {limit}«: {error}»", NextEn: "See in its log what it waits for, or raise workload.preDeploy.timeout; see whether what it had begun is whole.",
			Zh: "preDeploy 命令在 {limit} 内没有结束«：{error}»", NextZh: "在其日志中查看它在等待什么，或调大 workload.preDeploy.timeout；并检查它已完成的部分是否完整。",
		},
		{
			Code: "predeploy.lost",
			En:   "the preDeploy command was lost: {message}", NextEn: "See whether what it had begun is whole; then release again.",
			Zh: "preDeploy 命令已中断：{message}", NextZh: "检查它已完成的部分是否完整；然后重新发布。",
		},
	},
)

// doings are what to do next, by what is wrong in particular.
var doings = []Phrase{
	{Code: "pod.key", En: "Add the key to it« in namespace {namespace}», or correct the App's reference; it starts by itself then.", Zh: "«在命名空间 {namespace} 中»为它添加该键，或改正 App 的引用；之后会自动启动。"},
	{Code: "pod.user", En: "Let the user that the app runs as have the file or folder: see workload.security.runAsUser and workload.scratch of the App.", Zh: "让应用的运行用户有权访问该文件或目录：参见 App 的 workload.security.runAsUser 和 workload.scratch。"},
	{Code: "pod.room", En: "It starts by itself when there is room: ask for less under workload.resources.requests of the App, or add nodes.", Zh: "有空位时会自动启动：可降低 App 的 workload.resources.requests，或增加节点。"},
	{Code: "pod.taint", En: "Name the taint under workload.tolerations of the App, or add nodes without it; it starts by itself then.", Zh: "在 App 的 workload.tolerations 中写明该污点，或增加没有它的节点；之后会自动启动。"},
	{Code: "pod.selector", En: "Correct workload.nodeSelector of the App, or give nodes the label; it starts by itself then.", Zh: "改正 App 的 workload.nodeSelector，或为节点打上标签；之后会自动启动。"},
	{Code: "pod.cordoned", En: "It starts by itself when the nodes are uncordoned, or others are added.", Zh: "节点恢复调度或增加节点后会自动启动。"},
	{Code: "pod.spread", En: "Loosen its affinity or topology spread, or add nodes; it starts by itself then.", Zh: "放宽其亲和性或拓扑分布约束，或增加节点；之后会自动启动。"},
}
