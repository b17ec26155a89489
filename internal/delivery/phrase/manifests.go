package phrase

// manifests are why the manifests that an App brings cannot be released.
var manifests = []Phrase{
	{
		Code: "manifests.failed",
		En:   "the app's manifests cannot be released: {@error}", NextEn: "Correct the manifests and push again.",
		Zh: "应用自带的清单无法发布：{@error}", NextZh: "改正清单后重新推送。",
	},
	{En: "App {app}: workload.manifests", Zh: "应用 {app}：workload.manifests"},
	{En: "the manifests have {n} bytes, and may have {max} of all environments together: put data into the image, or into objects of their own", Zh: "清单共 {n} 字节，所有环境合计最多 {max}：请把数据放入镜像，或放入单独的对象"},
	{En: "the manifests of the report have {n} bytes, and may have {max}", Zh: "汇报中的清单有 {n} 字节，最多 {max}"},
	{En: "there is no folder {path}: add it, or correct workload.manifests.path of the App", Zh: "没有目录 {path}：请添加，或改正 App 的 workload.manifests.path"},
	{En: "{path} holds no manifests: add *.yaml files or a kustomization.yaml", Zh: "{path} 中没有清单：请添加 *.yaml 文件或 kustomization.yaml"},
	{En: "{path} holds a Secret, which is not to be stored with releases: make it in the cluster, and refer to it by its name", Zh: "{path} 含有 Secret，它不应随发布一起保存：请在集群中创建，并按名称引用"},
	{En: "{path} holds a secret of the build, which is not to be stored with releases: refer to a Secret of the cluster by its name", Zh: "{path} 含有构建的机密，它不应随发布一起保存：请按名称引用集群中的 Secret"},
	{
		En: "there is a kustomization, and neither kustomize nor kubectl to read it: add one of them to the Stack's build image, or keep plain manifests",
		Zh: "有 kustomization，但没有 kustomize 或 kubectl 来处理它：请把其中之一加入技术栈的构建镜像，或改用普通清单",
	},
	{En: "{path} is not a folder", Zh: "{path} 不是目录"},
	{En: "{file} cannot be read", Zh: "无法读取 {file}"},
	{En: "{file} is not UTF-8", Zh: "{file} 不是 UTF-8"},
	{En: "run {run} has no manifests for {env}, and the app has some of its own there: build the commit again, and see the log of its step manifests", Zh: "运行 {run} 没有用于 {env} 的清单，而应用在那里自带清单：请重新构建该提交，并查看其 manifests 步骤的日志"},

	{En: "objects of kind {kind} are not seen, which the app's manifests need: if the server may not, apply what `shiplock cluster rbac` prints", Zh: "看不到 {kind} 类型的对象，而应用自带的清单需要它们：如果是服务器没有权限，请应用 `shiplock cluster rbac` 的输出"},
	{En: "objects of kind {kind} are being looked at for the first time", Zh: "正在首次读取 {kind} 类型的对象"},
	{En: "the app's manifests cannot be read", Zh: "无法读取应用自带的清单"},
	{En: "document {n} of the app's manifests cannot be read", Zh: "无法读取应用自带清单的第 {n} 个文档"},
	{En: "the manifest {object} needs apiVersion, kind and metadata.name", Zh: "清单 {object} 需要 apiVersion、kind 和 metadata.name"},
	{En: "the manifest {object} stands there twice: keep one", Zh: "清单 {object} 出现了两次：请保留一个"},
	{En: "the manifest {object} is of {version}: write apiVersion {known}", Zh: "清单 {object} 的版本是 {version}：请写 apiVersion {known}"},
	{En: "the manifest {object} is not to be stored with releases: make it in the cluster, and refer to it by its name", Zh: "清单 {object} 不应随发布一起保存：请在集群中创建，并按名称引用"},
	{
		En: "the manifest {object} cannot be released: two versions of it cannot stand side by side, as a canary and the way back need it. Make it a Deployment named {app}, or keep it outside of the app",
		Zh: "清单 {object} 无法发布：灰度和回滚需要两个版本并存，而它做不到。请改成名为 {app} 的 Deployment，或放在应用之外",
	},
	{
		En: "the manifest {object} cannot be released: an app has one Deployment, and it is named {app}. Make another App of the rest, and a command before a release workload.preDeploy",
		Zh: "清单 {object} 无法发布：一个应用只有一个 Deployment，名为 {app}。其余的请做成另一个 App，发布前的命令请用 workload.preDeploy",
	},
	{En: "the manifest {object} is of no object of the app: name it {app}, and it changes the app's own", Zh: "清单 {object} 不对应应用的任何对象：请命名为 {app}，它就会修改应用自己的对象"},
	{
		En: "the manifest {object} gives rights in the namespace, which only those may who run the cluster: have them make it, and name its ServiceAccount under workload.serviceAccount",
		Zh: "清单 {object} 会授予命名空间中的权限，只有集群管理者可以这样做：请由他们创建，并在 workload.serviceAccount 中写明其 ServiceAccount",
	},
	{
		En: "the manifest {object} cannot be released: an app may bring objects of its namespace, of the kinds ConfigMap, CronJob, Ingress, NetworkPolicy, PersistentVolumeClaim, Service and ServiceAccount, and change its own Deployment, Service, Ingress, HorizontalPodAutoscaler, PodDisruptionBudget and ServiceMonitor, named {app}",
		Zh: "清单 {object} 无法发布：应用可以自带其命名空间中的 ConfigMap、CronJob、Ingress、NetworkPolicy、PersistentVolumeClaim、Service 和 ServiceAccount，并修改名为 {app} 的 Deployment、Service、Ingress、HorizontalPodAutoscaler、PodDisruptionBudget 和 ServiceMonitor",
	},
	{En: "the manifest {object} is not as Kubernetes has it: {message}", Zh: "清单 {object} 不符合 Kubernetes 的格式：{message}"},
	{En: "the manifest {object} changes what the app does not have: set {field} first", Zh: "清单 {object} 修改的对象应用并没有：请先设置 {field}"},
	{En: "the manifest {object} shares the network or the processes of its node, which two versions cannot: remove hostNetwork, hostPID and hostIPC", Zh: "清单 {object} 共享节点的网络或进程，两个版本无法同时这样做：请移除 hostNetwork、hostPID 和 hostIPC"},
	{En: "the manifest {object} mounts {path} of its node, which the next instance may not find: use a PersistentVolumeClaim or an emptyDir", Zh: "清单 {object} 挂载了节点的 {path}，下一个实例可能找不到它：请使用 PersistentVolumeClaim 或 emptyDir"},
	{En: "the container {container} of the manifest {object} has no image: name it {app} to change the app's own, or write an image; {placeholder} is the app's", Zh: "清单 {object} 的容器 {container} 没有镜像：命名为 {app} 即可修改应用自己的容器，或写明镜像；{placeholder} 代表应用的镜像"},
	{En: "the container {container} of the manifest {object} is privileged, which gives it its node: remove that", Zh: "清单 {object} 的容器 {container} 是特权容器，会掌控节点：请移除"},
	{En: "the container {container} of the manifest {object} takes port {port} of its node, which two versions cannot both have: remove hostPort, the Service leads to the pods", Zh: "清单 {object} 的容器 {container} 占用节点的端口 {port}，两个版本无法同时占用：请移除 hostPort，Service 会指向这些 Pod"},
	{
		En: "the manifest {object} mounts the claim {claim}, which one node alone can have, and a release has instances of two versions at once: give the claim ReadWriteMany, or keep the data outside of the app",
		Zh: "清单 {object} 挂载了存储声明 {claim}，它只能由一个节点使用，而发布时两个版本的实例并存：请改为 ReadWriteMany，或把数据放在应用之外",
	},
	{
		En: "the manifest {object} selects pods by {label}, and which pods a Service leads to decides which version serves: remove the selector, or write app: {app}",
		Zh: "清单 {object} 按 {label} 选择 Pod，而 Service 指向哪些 Pod 决定了哪个版本提供服务：请移除 selector，或写 app: {app}",
	},
	{En: "the manifest {object} leads to pods that are not ready, so a version that does not work would have traffic: remove publishNotReadyAddresses", Zh: "清单 {object} 会指向未就绪的 Pod，有故障的版本也会收到流量：请移除 publishNotReadyAddresses"},
	{En: "the manifest {object} cannot be laid over the standard's", Zh: "清单 {object} 无法叠加到标准对象上"},
	{En: "the manifest {object} has no container {app}: name the app's container so", Zh: "清单 {object} 中没有容器 {app}：请这样命名应用的容器"},
}
