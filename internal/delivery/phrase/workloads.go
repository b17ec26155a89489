package phrase

import "slices"

// workloads are the causes of versions that do not run on a cluster as they should, and
// of objects that a cluster does not take.
var workloads = slices.Concat(
	ofPods(pulls, starts, ends, check("readiness", "就绪"), check("startup", "启动"), check("liveness", "存活"), ports, needs, places, losses),
	refused,
	seeing,
	tasks,
	doings,
)

// ofPods says of each how many of the version's pods it concerns.
func ofPods(lists ...[]Phrase) []Phrase {
	all := slices.Concat(lists...)
	for i := range all {
		all[i].En += "« ({bad} of {pods} pods)»"
		all[i].Zh += "«（{pods} 个 Pod 中的 {bad} 个）»"
	}
	return all
}

var pulls = []Phrase{
	{
		Code: "pod.image_missing",
		En:   "the image {image} cannot be pulled: the registry has no such image, or hides it", NextEn: "Build the version again if its image was removed; a registry that hides it needs a Secret under workload.pullSecrets.",
		Zh: "无法拉取镜像 {image}：仓库中没有该镜像，或不可见", NextZh: "如果镜像已被删除，请重新构建该版本；如果是不可见，请在 workload.pullSecrets 中指定 Secret。",
	},
	{
		Code: "pod.image_denied",
		En:   "the image {image} cannot be pulled: the registry refuses the credentials", NextEn: "Name a Secret that may read it under workload.pullSecrets of the App, or correct the one that is named.",
		Zh: "无法拉取镜像 {image}：仓库拒绝了凭据", NextZh: "在 App 的 workload.pullSecrets 中指定有权读取它的 Secret，或改正已指定的 Secret。",
	},
	{
		Code: "pod.image_unreachable",
		En:   "the image {image} cannot be pulled: the registry does not answer« the node {node}»", NextEn: "See that the registry runs, and that nodes reach it by this name and trust its certificate; it goes on by itself then.",
		Zh: "无法拉取镜像 {image}：仓库没有响应«节点 {node}»", NextZh: "请确认仓库正在运行，并且节点能以此名称访问它、信任其证书；之后会自动继续。",
	},
	{
		Code: "pod.image_name",
		En:   "{image} is not the name of an image", NextEn: "Correct the image's name.",
		Zh: "{image} 不是合法的镜像名", NextZh: "改正镜像名。",
	},
	{
		Code: "pod.image_platform",
		En:   "the image {image} is not made for the processor of the node« {node}»", NextEn: "Build it for the platform of the nodes, or choose nodes that fit it under workload.nodeSelector.",
		Zh: "镜像 {image} 不适用于节点« {node} »的处理器架构", NextZh: "按节点的平台构建镜像，或在 workload.nodeSelector 中选择合适的节点。",
	},
	{
		Code: "pod.image_unsigned",
		En:   "the node« {node}» does not accept the signature of the image {image}", NextEn: "Sign the image as the cluster's policy asks, or correct that policy.",
		Zh: "节点« {node} »不接受镜像 {image} 的签名", NextZh: "按集群策略的要求签名该镜像，或改正策略。",
	},
	{
		Code: "pod.image",
		En:   "the image {image} cannot be pulled: {message}", NextEn: "See that the registry has the image and that nodes may pull it.",
		Zh: "无法拉取镜像 {image}：{message}", NextZh: "请确认仓库中有该镜像，且节点有权拉取。",
	},
}

var starts = []Phrase{
	{
		Code: "pod.root",
		En:   "the container {container} must not run as root, and its image would", NextEn: "Give the image a user by number that is not 0, such as USER 1000, or set workload.security.runAsUser.",
		Zh: "容器 {container} 不允许以 root 运行，而其镜像使用 root", NextZh: "在镜像中用数字指定非 0 的用户，例如 USER 1000，或设置 workload.security.runAsUser。",
	},
	{
		Code: "pod.architecture",
		En:   "the processor of the node« {node}» cannot run «{command} »of the container {container}", NextEn: "Build it for the platform of the nodes; a script needs a first line such as #!/bin/sh.",
		Zh: "节点« {node} »的处理器无法运行容器 {container} 中的程序« {command}»", NextZh: "按节点的平台构建；如果是脚本，首行需要类似 #!/bin/sh 的声明。",
	},
	{
		Code: "pod.command", When: "why=missing",
		En: "the command {command} is not in the image of the container {container}", NextEn: "Correct the command, or put the file into the image.",
		Zh: "容器 {container} 的镜像中没有命令 {command}", NextZh: "改正命令，或把该文件放进镜像。",
	},
	{
		Code: "pod.command", When: "why=forbidden",
		En: "the command {command} of the container {container} may not be executed", NextEn: "Make the file executable: git update-index --chmod=+x FILE, and let the container's user read it.",
		Zh: "容器 {container} 的命令 {command} 没有执行权限", NextZh: "给文件加上可执行权限：git update-index --chmod=+x FILE，并确保容器的用户可以读取它。",
	},
	{
		Code: "pod.command", When: "why=interpreter",
		En: "what runs the command« {command}» of the container {container} is not in its image", NextEn: "Put the interpreter of its first line into the image, with lines that end in LF; a program needs the C library that it was built for, or none.",
		Zh: "容器 {container} 的镜像中缺少运行命令« {command} »所需的程序", NextZh: "把脚本首行指定的解释器放进镜像，并使用 LF 换行；可执行程序需要它构建时所用的 C 库，或静态链接。",
	},
	{
		Code: "pod.command",
		En:   "the working directory of the container {container} cannot be used«: {command}»", NextEn: "Correct the working directory, or let the container's user enter it.",
		Zh: "容器 {container} 的工作目录无法使用«：{command}»", NextZh: "改正工作目录，或允许容器的用户进入该目录。",
	},
	{
		Code: "pod.start",
		En:   "the container {container} cannot be started: {message}", NextEn: "Correct what it names; if it names nothing of yours, look at the node's container runtime.",
		Zh: "容器 {container} 无法启动：{message}", NextZh: "改正它指出的问题；如果与你的配置无关，请检查节点的容器运行时。",
	},
}

var ends = slices.Concat(
	died("pod.crashed", "the app", "应用", "Read the app's log, mend it, and push again.", "查看应用日志，修复后重新推送。"),
	died("pod.init", "the init container {container}", "初始化容器 {container} ", "Mend what it does or waits for: the app starts after it.", "修复它所做的事或它在等待的服务：应用在它成功之后才启动。"),
	died("pod.sidecar", "the sidecar {container}", "边车容器 {container} ", "Mend it, or correct its configuration: the pod is ready only with it.", "修复它，或改正其配置：它就绪后 Pod 才就绪。"),
	[]Phrase{
		{
			Code: "pod.ended",
			En:   "the app ended with exit code 0«, restarted {restarts time|times}»: it must stay in the foreground«: {error}»", NextEn: "End start.sh with exec and the app's own command, without &.",
			Zh: "应用以退出码 0 结束«，已重启 {restarts} 次»：它必须保持在前台«：{error}»", NextZh: "在 start.sh 的末尾用 exec 启动应用，不要使用 &。",
		},
		{
			Code: "pod.memory", When: "limit",
			En: "out of memory: the container {container} used all of its {limit}«, restarted {restarts time|times}»", NextEn: "Raise workload.resources.limits.memory of the App, or let it use less.",
			Zh: "内存不足：容器 {container} 用完了限额 {limit}«，已重启 {restarts} 次»", NextZh: "调高 App 的 workload.resources.limits.memory，或让它少用一些。",
		},
		{
			Code: "pod.memory",
			En:   "out of memory: the node« {node}» had none left for the container {container}«, restarted {restarts time|times}»", NextEn: "Say what it needs under workload.resources of the App, or let it use less.",
			Zh: "内存不足：节点« {node} »没有内存可供容器 {container} 使用«，已重启 {restarts} 次»", NextZh: "在 App 的 workload.resources 中写明所需内存，或让它少用一些。",
		},
	},
)

// died is a container that has ended with an exit code or by a signal.
func died(code, who, whoZh, next, nextZh string) []Phrase {
	return []Phrase{
		{
			Code: code, When: "signal",
			En: who + " was killed by {signal}«, restarted {restarts time|times}»«: {error}»", NextEn: next,
			Zh: whoZh + "被 {signal} 杀死«，已重启 {restarts} 次»«：{error}»", NextZh: nextZh,
		},
		{
			Code: code,
			En:   who + " ended with exit code {exit}«, restarted {restarts time|times}»«: {error}»", NextEn: next,
			Zh: whoZh + "以退出码 {exit} 结束«，已重启 {restarts} 次»«：{error}»", NextZh: nextZh,
		},
	}
}

// check are the phrases of a check that fails.
func check(name, zh string) []Phrase {
	head, headZh := "the "+name+" check of {container} fails«, restarted {restarts time|times}»: ", "{container} 的"+zh+"检查失败«，已重启 {restarts} 次»："
	if name == "startup" {
		head, headZh = "{container} has not started yet«, restarted {restarts time|times}»: ", "{container} 尚未启动完成«，已重启 {restarts} 次»："
	}
	return []Phrase{
		{
			Code: "pod." + name, When: "status",
			En: head + "{check} answered {status}«: {error}»", NextEn: "See in the app's log why it answers so, or correct health.path.",
			Zh: headZh + "{check} 返回 {status}«：{error}»", NextZh: "在应用日志中查看为何如此响应，或改正 health.path。",
		},
		{
			Code: "pod." + name, When: "refused",
			En: head + "nothing listens on port {refused}«: {error}»", NextEn: "See in its log whether it has started and where it listens: that must be this port, on all addresses.",
			Zh: headZh + "端口 {refused} 上没有程序监听«：{error}»", NextZh: "在日志中确认应用已经启动以及监听的位置：必须是该端口，并监听所有地址。",
		},
		{
			Code: "pod." + name, When: "slow",
			En: head + "«{check} gave »no answer within {slow}«: {error}»", NextEn: "See in the app's log what keeps it from answering, or raise health.timeout.",
			Zh: headZh + "«{check} 在 »{slow} 内没有响应«：{error}»", NextZh: "在应用日志中查看它为何没有响应，或调大 health.timeout。",
		},
		{
			Code: "pod." + name, When: "said",
			En: head + "{said}", NextEn: "See in the app's log why it fails, or correct the check.",
			Zh: headZh + "{said}", NextZh: "在应用日志中查看失败原因，或改正检查。",
		},
		{
			Code: "pod." + name,
			En:   "the " + name + " check of {container} does not succeed«, restarted {restarts time|times}»«: {check}»«: {error}»", NextEn: "See in the app's log whether it has started, or correct the check.",
			Zh: "{container} 的" + zh + "检查没有成功«，已重启 {restarts} 次»«：{check}»«：{error}»", NextZh: "在应用日志中确认它已启动，或改正检查。",
		},
	}
}
