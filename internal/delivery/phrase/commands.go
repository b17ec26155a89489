package phrase

// commands are the help texts of the command line.
var commands = []Phrase{
	{En: "From git push to a canary release, and back", Zh: "从 git push 到灰度发布，再到回滚"},
	{En: "Save a server and a token", Zh: "保存服务器和令牌"},
	{En: "Change the catalog to the documents of a directory or file", Zh: "按目录或文件中的文档修改目录库"},
	{En: "List what there is", Zh: "列出各种对象"},
	{En: "Apps with their state in each environment", Zh: "应用及其在各环境中的状态"},
	{En: "Environments in order of rank", Zh: "环境，按级别排序"},
	{En: "Stacks", Zh: "技术栈"},
	{En: "Clusters that environments are in", Zh: "环境所在的集群"},
	{En: "Runs, the newest first", Zh: "运行，最新的在前"},
	{En: "Releases, the newest first", Zh: "发布，最新的在前"},
	{En: "Apps in environments", Zh: "各环境中的应用（部署目标）"},
	{En: "Deliveries from forges, the newest first", Zh: "代码平台的推送事件，最新的在前"},
	{En: "What an app's runs made, the newest first", Zh: "应用的制品，最新的在前"},
	{En: "Who did what, the newest first", Zh: "谁做了什么，最新的在前"},
	{En: "What a run would do, and why each line is there", Zh: "一次运行会做什么，以及每一行的理由"},
	{
		En: "What a run would do, and why each line is there. With -f, as if the commit had this shiplock.yaml, or this folder.",
		Zh: "一次运行会做什么，以及每一行的理由。写 -f 时，视为提交中有这个 shiplock.yaml，或这个目录。",
	},
	{En: "a local shiplock.yaml to try, or the App's folder with all that is read of it", Zh: "要试用的本地 shiplock.yaml，或 App 的目录（其中会被读取的文件都算）"},
	{En: "the commit's branch (default: the environment's)", Zh: "提交所在的分支（默认：环境的分支）"},
	{En: "The App document of a checkout, with the reason of each line", Zh: "为一个检出目录写出 App 文档，并说明每一行的理由"},
	{
		En: "The App document of a checkout, with the reason of each line. It reads the folder's own files, asks no server, and knows the built-in stacks.",
		Zh: "为一个检出目录写出 App 文档，并说明每一行的理由。它只读取目录中的文件，不访问服务器，并认识内置的技术栈。",
	},
	{En: "Look after the caches of builds", Zh: "管理构建缓存"},
	{En: "Caches of builds, the one used last first", Zh: "构建缓存，最近使用的在前"},
	{En: "Drop caches, such as broken or poisoned ones", Zh: "丢弃缓存，例如损坏或被污染的"},
	{
		En: "Drop caches: builds that start from here on do without them, and nothing that a running\nbuild makes of one is kept. Name them by id, as of `shiplock get caches`, or by what they have in common.",
		Zh: "丢弃缓存：此后开始的构建不再使用它们，正在运行的构建由它们产生的内容也不会保留。\n用 `shiplock get caches` 列出的 id 指定，或按它们的共同点指定。",
	},
	{En: "all there are", Zh: "全部"},
	{En: "made by a run of this app", Zh: "由这个应用的运行产生"},
	{En: "of this trust domain: \"protected\", or \"app-\" and an app's name", Zh: "属于这个信任域：\"protected\"，或 \"app-\" 加应用名"},
	{En: "with this name", Zh: "名字是这个"},
	{En: "of this stack", Zh: "属于这个技术栈"},
	{En: "What of the past would go, what stays, and why", Zh: "哪些历史会被清理，哪些保留，以及为什么"},
	{
		En: "Show the retention policy, what the server's next pass removes, and what is old\nand stays nevertheless. It only looks. Change the policy with a document of kind\nRetention and `shiplock apply`.",
		Zh: "显示保留策略、服务器下一轮会清理什么，以及哪些虽旧仍会保留。它只查看。\n要修改策略，请用 Retention 文档和 `shiplock apply`。",
	},
	{En: "Follow commits through the environments", Zh: "跟踪提交到了哪些环境"},
	{En: "Which environments run a commit, or a later one that contains it", Zh: "哪些环境在运行某个提交，或包含它的更新的提交"},
	{En: "of this app only", Zh: "只看这个应用"},
	{En: "What runs that its branch does not have, and how far branches are ahead", Zh: "哪些正在运行的提交不在分支中，以及分支领先多少"},
	{
		En: "Hold what runs against the head of its environment's branch: a commit that the branch does\nnot contain, such as a hotfix from elsewhere or from before a forced push, and how many commits\nthe branch is ahead. Environments without a branch are left out.",
		Zh: "把正在运行的版本与其环境分支的最新提交比较：分支不包含的提交（例如来自别处的紧急修复，\n或强制推送之前的提交），以及分支领先多少个提交。没有分支的环境不列出。",
	},
	{En: "what runs in this other environment, where it must be healthy", Zh: "另一个环境中正在运行的版本，它在那里必须健康"},
	{En: "Release an artifact: the newest good one, what the environment promotes, or --run, --artifact or --from", Zh: "发布一个制品：最新的成功制品、该环境晋级的版本，或由 --run、--artifact、--from 指定"},
	{En: "The whole installation in short", Zh: "整体状态一览"},
	{En: "What builds may use, use, and wait for", Zh: "构建可用、在用和在等的资源"},
	{
		En: "Show how many jobs may run at once and how many do, by lane; where builds run, with the\nquota there and what their pods ask for; and why each one waits that has a place and does\nnot run yet.",
		Zh: "显示可同时运行多少作业、各队列已占多少；构建在哪里运行，那里的配额以及\n各 Pod 申请的资源；还有已有名额但尚未运行的构建各自在等什么。",
	},
	{En: "Versions of this program and of the server", Zh: "本程序和服务器的版本"},
	{En: "Build and test commits", Zh: "构建和测试提交"},
	{En: "Start a run of a commit, or of the head of the environment's branch", Zh: "为某个提交或环境分支的最新提交启动运行"},
	{En: "Watch a run until it is over", Zh: "跟随一次运行，直到结束"},
	{En: "Print a run's log", Zh: "打印运行的日志"},
	{En: "Why a run is where it is", Zh: "说明运行为什么处于当前状态"},
	{En: "Cancel a run", Zh: "取消运行"},
	{
		En: "{@short}. RUN is app#number, an id, or an app for its newest run.",
		Zh: "{@short}。RUN 是 app#编号、id，或应用名（取它最新的运行）。",
	},
	{En: "Bring artifacts to environments", Zh: "把制品发布到环境"},
	{En: "Bring artifacts to environments, by canary or at once.", Zh: "把制品发布到环境，灰度或一次全量。"},
	{
		En: "Name the release by its id, or by APP --env ENV for the one under way (or waiting) there; watch and explain then take the last one when there is none.",
		Zh: "用 id 指定发布，或用 APP --env ENV 指定那里正在进行（或等待）的发布；都没有时，watch 和 explain 取最近一次。",
	},
	{
		En: "{@short}. Name the release by its id, or by APP --env ENV for the one under way (or waiting) there; watch and explain then take the last one when there is none.",
		Zh: "{@short}。用 id 指定发布，或用 APP --env ENV 指定那里正在进行（或等待）的发布；都没有时，watch 和 explain 取最近一次。",
	},
	{En: "Release an artifact: the newest good one, or --run, --artifact or --from", Zh: "发布一个制品：最新的成功制品，或由 --run、--artifact、--from 指定"},
	{En: "Watch a release until it is over", Zh: "跟随一次发布，直到结束"},
	{En: "What holds a release up, or ended it", Zh: "说明是什么阻碍或结束了发布"},
	{En: "Roll back to the last good version, or to --to", Zh: "回滚到上一个健康版本，或由 --to 指定"},
	{En: "Go on to the next batch", Zh: "继续下一批"},
	{En: "Go to all traffic at once", Zh: "立即全量"},
	{En: "Stop batches from advancing", Zh: "暂停，不再推进批次"},
	{En: "Undo a pause", Zh: "恢复（取消暂停）"},
	{En: "Go back to the old version, in mid-flight", Zh: "中止，退回旧版本"},
	{En: "Withdraw a release that has not started", Zh: "取消尚未开始的发布"},
	{En: "An app in an environment", Zh: "部署目标：某个环境中的应用"},
	{En: "What runs there", Zh: "那里在运行什么"},
	{En: "What was deployed, the newest first", Zh: "部署过的版本，最新的在前"},
	{En: "Start no release until it is resumed; rollbacks still start", Zh: "恢复之前不再开始发布；回滚不受影响"},
	{En: "Restart what runs", Zh: "重启正在运行的版本"},

	{En: "Run the server: hooks, API, status page, registry, executor and deployer", Zh: "运行服务器：推送事件、API、状态页、镜像仓库、执行器和部署器"},
	{En: "Tell the whole story on this machine: push, build, canary, roll back", Zh: "在本机演示完整流程：推送、构建、灰度、回滚"},
	{En: "Look after the apps that run on this machine", Zh: "管理在本机运行的应用"},
	{En: "Stop the apps and proxies of this machine; the server starts them again", Zh: "停止本机的应用和代理；服务器会再次启动它们"},
	{En: "the server's data directory", Zh: "服务器的数据目录"},

	{En: "a directory (all its .yaml, .yml and .json files), a file, or - for the standard input", Zh: "目录（其中所有 .yaml、.yml 和 .json 文件）、文件，或 - 表示标准输入"},
	{En: "a revision of `shiplock target history`", Zh: "`shiplock target history` 中的一个修订"},
	{En: "at most this many", Zh: "最多列出这么多"},
	{En: "delete what the same manager applied before and is no longer there", Zh: "删除同一管理者以前应用、现在已不存在的文档"},
	{En: "disable completion descriptions", Zh: "不显示补全的说明"},
	{En: "en or zh (default: $SHIPLOCK_LANG, or the locale's language)", Zh: "en 或 zh（默认：$SHIPLOCK_LANG，或系统语言）"},
	{En: "go on until the run is over", Zh: "持续输出，直到运行结束"},
	{En: "help for {command}", Zh: "{command} 的帮助"},
	{En: "version for {command}", Zh: "{command} 的版本"},
	{En: "Help about any command", Zh: "查看任一命令的帮助"},
	{En: "Generate the autocompletion script for the specified shell", Zh: "生成指定 shell 的自动补全脚本"},
	{En: "Generate the autocompletion script for {shell}", Zh: "生成 {shell} 的自动补全脚本"},
	{En: "only in this environment", Zh: "只看这个环境"},
	{En: "only in this state", Zh: "只看这个状态"},
	{En: "only of this app", Zh: "只看这个应用"},
	{En: "only show what would change", Zh: "只显示会有哪些变化"},
	{En: "only this step", Zh: "只看这个步骤"},
	{En: "take the release under way of the app in this environment", Zh: "取该应用在这个环境中正在进行的发布"},
	{En: "text, or json: one object per line", Zh: "text，或 json：每行一个对象"},
	{En: "the API token (default: the one of your log-in, or $SHIPLOCK_TOKEN)", Zh: "API 令牌（默认：登录时保存的，或 $SHIPLOCK_TOKEN）"},
	{En: "the artifact of this run's number", Zh: "这个运行编号的制品"},
	{En: "the artifact with this digest", Zh: "这个摘要的制品"},
	{En: "the attempt (default: the newest)", Zh: "第几次尝试（默认：最近一次）"},
	{En: "the environment", Zh: "环境"},
	{En: "the environment to build for", Zh: "为哪个环境构建"},
	{En: "the environment to release to", Zh: "发布到哪个环境"},
	{En: "the first line; -n is the last n lines", Zh: "从第几行开始；-n 表示最后 n 行"},
	{En: "the server's URL (default: where you logged in, or $SHIPLOCK_URL)", Zh: "服务器的 URL（默认：登录过的，或 $SHIPLOCK_URL）"},
	{En: "the source that owns these documents (default: cli:NAME of the directory)", Zh: "这些文档的来源（默认：cli:目录名）"},
	{En: "the whole SHA of a commit (default: the branch's head)", Zh: "提交的完整 SHA（默认：分支的最新提交）"},
	{En: "watch it until it is over", Zh: "跟随到结束"},
	{En: "what runs in this other environment", Zh: "另一个环境中正在运行的版本"},
	{En: "why, for others to see", Zh: "原因，供他人查看"},

	{En: "directory that holds everything; made when missing", Zh: "保存一切的目录；不存在时创建"},
	{En: "directory for the tool caches of builds (default: below --data)", Zh: "构建工具缓存的目录（默认：在 --data 之下）"},
	{En: "address to listen on", Zh: "监听地址"},
	{En: "address that people and forges reach the server by (default: what it listens on)", Zh: "人和代码平台访问服务器的地址（默认：监听地址）"},
	{En: "address that runners reach the server by (default: what it listens on)", Zh: "执行器访问服务器的地址（默认：监听地址）"},
	{En: "how many jobs may run at once", Zh: "最多同时运行多少个作业"},
	{En: "how long a silent server keeps its claim on the data", Zh: "服务器静默多久后失去对数据的占用"},
	{En: "how long a silent runner keeps its job", Zh: "执行器静默多久后失去作业"},
	{En: "path of shiplock-runner (default: beside this program)", Zh: "shiplock-runner 的路径（默认：在本程序旁边）"},
	{En: "debug, info, warn or error", Zh: "debug、info、warn 或 error"},
	{En: "{forge} to send commit statuses to; its token is {variable}", Zh: "把提交状态发送到哪个 {forge}；令牌在 {variable} 中"},
	{En: "{forge} to send commit statuses to; its token is {variable} (default with a token: {url})", Zh: "把提交状态发送到哪个 {forge}；令牌在 {variable} 中（有令牌时默认：{url}）"},
	{En: "user name for git checkouts over http; the password is {variable}", Zh: "通过 http 检出时的 git 用户名；密码在 {variable} 中"},
	{En: "tell the story once, clean up and exit", Zh: "演示一遍，清理后退出"},
	{
		En: "keep everything in this directory (default: a temporary one, removed at the end; tool caches stay in the user's cache directory)",
		Zh: "把一切保存在这个目录（默认：临时目录，结束时删除；工具缓存留在用户的缓存目录）",
	},
	{En: "address to listen on; port 0 takes a free one", Zh: "监听地址；端口 0 表示任选一个空闲端口"},

	{En: "Run the server. Everything is kept below --data; nothing else is needed.", Zh: "运行服务器。一切都保存在 --data 之下，不需要其他东西。"},
	{
		En: "With a PostgreSQL database several servers work side by side and take over from each\nother. They share --data, except for what is in the database, and need --url and\n--runner-url to be one address that leads to any of them. See docs/operate/postgres.md.",
		Zh: "使用 PostgreSQL 数据库时，多个服务器可以并行工作并互相接替。除数据库中的内容外，\n它们共用 --data；--url 和 --runner-url 应是能到达其中任何一个的同一地址。\n见 docs/operate/postgres.md。",
	},
	{
		En: "Secrets are read from the environment, since other users of the machine can read flags:\n" + serveSecrets,
		Zh: "机密从环境变量读取，因为本机的其他用户能看到命令行选项：\n" + serveSecretsZh,
	},
	{
		En: "The language of --lang is that of commit statuses, and of answers to who asks for none.",
		Zh: "--lang 的语言用于提交状态，以及没有指明语言的请求。",
	},
	{
		En: "Those of the forges, the clone password, the registry's and the hooks' may be kept sealed instead,\nby `shiplock secret set` and with names such as gitlab-token: see docs/operate/secrets.md.",
		Zh: "代码平台的令牌、检出密码、镜像仓库的密码和推送事件的密钥也可以加密保存在系统中：\n用 `shiplock secret set`，名字如 gitlab-token；见 docs/operate/secrets.md。",
	},
	{En: "directory for the caches of builds (default: below --data)", Zh: "构建缓存的目录（默认：在 --data 之下）"},
	{En: "how much disk the caches of builds may take, such as 500MB or 20GiB (default: 20GiB, or a tenth of the disk if that is less)", Zh: "构建缓存最多占用多少磁盘，例如 500MB 或 20GiB（默认：20GiB 与磁盘的十分之一中较小的）"},
	{En: "host, or host:port, that may be sent the clone password, beside the forges above; may be repeated", Zh: "除上述代码平台外，还可以把检出密码发给哪个主机（或 host:port）；可重复"},
	{En: "PostgreSQL database as postgres://host/name, for several servers at once (default: SQLite below --data); with a password in it use {variable}", Zh: "PostgreSQL 数据库，形如 postgres://host/name，供多个服务器同时使用（默认：--data 之下的 SQLite）；含密码时请用 {variable}"},
	{En: "how many MB of a job's log are kept; a job that writes more goes on, and its log says so", Zh: "一个作业的日志最多保留多少 MB；写得更多的作业会继续，日志中会注明"},
	{En: "how often to look for pushes whose hook never came; 0 is never", Zh: "多久检查一次漏掉的推送事件；0 表示不检查"},
	{En: "OCI registry that runs push to, as host[:port][/path]; each app's repository is below it (default: the embedded one)", Zh: "运行把镜像推送到哪个 OCI 镜像仓库，形如 host[:port][/path]；每个应用的仓库都在它之下（默认：内置的）"},
	{En: "user name for --registry; the password is {variable}", Zh: "--registry 的用户名；密码在 {variable} 中"},
	{En: "file of logins for --registry, as docker login writes it; a login may be for one repository (host/path)", Zh: "--registry 的登录文件，格式与 docker login 写出的相同；一个登录可以只用于一个仓库（host/path）"},
	{En: "file of certificates (PEM) that --registry's may be signed by, beside the system's", Zh: "除系统证书外，可以为 --registry 签名的证书文件（PEM）"},
	{En: "speak plain HTTP to --registry; only for tests, on loopback or a private address", Zh: "用明文 HTTP 访问 --registry；只用于测试，且在回环或私有地址上"},
	{En: "give builds the one login of --registry when it has no token service: any build can then write any image", Zh: "当 --registry 没有令牌服务时，把它唯一的登录交给构建：此时任何构建都能写任何镜像"},
	{En: "how often to let go of the past, by the document {document}", Zh: "多久按文档 {document} 清理一次历史"},
	{En: "path of shiplock-web, which serves sites and PHP (default: beside this program)", Zh: "shiplock-web 的路径，它提供站点和 PHP 服务（默认：在本程序旁边）"},
	{En: "where builds run: local, as processes of this machine, for trusted code; or kubernetes, in pods", Zh: "构建在哪里运行：local 为本机的进程，只用于可信的代码；kubernetes 为 pod"},
	{En: "kubeconfig of the cluster that builds run in (default: the cluster that this server runs in)", Zh: "运行构建的集群的 kubeconfig（默认：本服务器所在的集群）"},
	{En: "context of the kubeconfig (default: its current one)", Zh: "kubeconfig 中的 context（默认：当前的）"},
	{En: "namespace of builds, and of nothing else", Zh: "只用于构建的命名空间"},
	{En: "image of builds whose Stack names none", Zh: "技术栈没有指定镜像时，构建使用的镜像"},
	{En: "how long a build may wait for its pod to run before it is given up", Zh: "构建最多等待 pod 运行多久，超过则放弃"},
	{En: "PriorityClass of builds; empty is the cluster's default", Zh: "构建的 PriorityClass；空为集群的默认值"},
	{En: "Secret in the namespaces of environments that every app's image is pulled with; may be repeated", Zh: "各环境命名空间中的 Secret，用于拉取所有应用的镜像；可重复"},
	{En: "Secret in the builds' namespace that every build pulls images with; may be repeated", Zh: "构建命名空间中的 Secret，每个构建用它拉取镜像；可重复"},
	{En: "size of each volume of caches, one for each trust domain and Stack; empty keeps no caches", Zh: "每个缓存卷的大小，每个信任域和技术栈一个；空表示不保留缓存"},
	{En: "StorageClass of the volumes of caches (default: the cluster's)", Zh: "缓存卷的 StorageClass（默认：集群的）"},
	{En: "the volumes of caches can be mounted on several nodes at once (ReadWriteMany)", Zh: "缓存卷可以同时挂载到多个节点（ReadWriteMany）"},
	{
		En: "Start a server, a Git forge and example apps on loopback, and tell the whole story with\nreal commits. Then the server stays up to be looked at, until Ctrl-C. With --once the\nstory is told once and the command ends; its exit code is 1 if anything fell short.",
		Zh: "在回环地址上启动服务器、代码平台和示例应用，用真实的提交演示完整流程。\n之后服务器继续运行，供您查看，直到按 Ctrl-C。使用 --once 时只演示一遍就结束；\n如有任何不足，退出码为 1。",
	},
	{
		En: "Stop the apps and proxies that the local deployer runs. They outlive the server on purpose; this ends them. A server that serves the same data starts them again.",
		Zh: "停止本机部署器运行的应用和代理。它们有意在服务器退出后继续运行，此命令结束它们。服务同一数据的服务器会再次启动它们。",
	},

	{En: "Print what a cluster needs for Shiplock", Zh: "打印集群为 Shiplock 所需的对象"},
	{En: "Print the namespace that builds run in, for kubectl apply", Zh: "打印运行构建的命名空间，供 kubectl apply 使用"},
	{
		En: "Print the namespace that builds run in, for `kubectl apply -f -`: with the lowest\npriority, which lets everything else go first; with a quota, if you give one; with a\nnetwork policy that keeps builds from the cluster and its neighbours but for what you\nallow; and with the role that the server needs.",
		Zh: "打印运行构建的命名空间，供 `kubectl apply -f -` 使用：优先级最低，让其他一切先行；\n给出配额时带配额；带网络策略，除允许的之外，构建不能访问集群及其邻居；\n并带服务器需要的角色。",
	},
	{En: "name of the namespace", Zh: "命名空间的名字"},
	{En: "name of the PriorityClass of builds", Zh: "构建的 PriorityClass 的名字"},
	{En: "what all builds together may have, such as requests.cpu=64", Zh: "所有构建合计的上限，例如 requests.cpu=64"},
	{
		En: "private network that builds may reach, or one port of it as 10.1.2.3/32:443: the server, the registry, the Git host; may be repeated",
		Zh: "构建可以访问的内网，或其中一个端口，写作 10.1.2.3/32:443：服务器、镜像仓库、Git 主机；可重复",
	},
	{En: "service account of the server, as NAMESPACE/NAME", Zh: "服务器的 ServiceAccount，格式为 NAMESPACE/NAME"},
	{En: "Print what the server may do in the namespaces of environments, for kubectl apply", Zh: "打印服务器在各环境命名空间中的权限，供 kubectl apply 使用"},
	{
		En: "Print a role for each namespace that an environment is in, and its binding to the server's\nservice account, for `kubectl apply -f -`: to apply and remove the objects of apps, to watch\nwhat becomes of them, and to read their logs. It gives nothing outside of these namespaces,\nand no Secret. The namespaces have to be there.",
		Zh: "为每个环境的命名空间打印一个角色，以及它与服务器 ServiceAccount 的绑定，\n供 `kubectl apply -f -` 使用：可以应用和删除应用的对象，观察其状态，读取其日志。\n不给这些命名空间之外的权限，也不能读 Secret。命名空间需要事先存在。",
	},
	{En: "namespace of an environment; may be repeated", Zh: "环境的命名空间；可重复"},
	{En: "let it apply ServiceMonitors too, where the cluster has them", Zh: "集群有 ServiceMonitor 时，也允许应用它们"},
	{En: "the namespaces are missing: name those of your environments with --namespace, which may be repeated", Zh: "缺少命名空间：请用 --namespace 写出各环境的命名空间，可重复"},
}

// What the help of serve says of secrets, line by line.
const (
	serveSecrets = `  SHIPLOCK_DATABASE_URL    postgres://user:password@host:5432/name, instead of SQLite
  SHIPLOCK_HOOK_SECRET     the secret of the forges' webhooks (made and printed when missing);
                           several between spaces, GitLab's signing tokens (whsec_…) among them
  SHIPLOCK_GITLAB_TOKEN    an access token with the scope api, for commit statuses
  SHIPLOCK_GITEA_TOKEN     one with the scope write:repository
  SHIPLOCK_GITHUB_TOKEN    one that may write commit statuses
  SHIPLOCK_CLONE_PASSWORD  the password for --clone-user
  SHIPLOCK_REGISTRY_PASSWORD
                           the password for --registry-user
  SHIPLOCK_ADMIN_TOKEN     the administrator's token (made and printed once when missing)
  SHIPLOCK_MASTER_KEY      what secrets are sealed with: 32 random bytes in base64, a newer key before
                           the older ones (default: the file master.key in --data, made when missing)`
	serveSecretsZh = `  SHIPLOCK_DATABASE_URL    postgres://user:password@host:5432/name，代替 SQLite
  SHIPLOCK_HOOK_SECRET     代码平台推送事件的密钥（没有时生成并打印）；
                           可以有多个，用空格分开，也可以是 GitLab 的签名令牌（whsec_…）
  SHIPLOCK_GITLAB_TOKEN    有 api 权限的访问令牌，用于提交状态
  SHIPLOCK_GITEA_TOKEN     有 write:repository 权限的访问令牌
  SHIPLOCK_GITHUB_TOKEN    可以写提交状态的访问令牌
  SHIPLOCK_CLONE_PASSWORD  --clone-user 的密码
  SHIPLOCK_REGISTRY_PASSWORD
                           --registry-user 的密码
  SHIPLOCK_ADMIN_TOKEN     管理员令牌（没有时生成，只打印一次）
  SHIPLOCK_MASTER_KEY      加密机密的主密钥：base64 编码的 32 个随机字节，新密钥写在旧密钥之前
                           （默认：--data 中的文件 master.key，没有时生成）`
)
