package phrase

// applogs are said about what apps print where they run.
var applogs = []Phrase{
	{En: "What runs of an app", Zh: "应用运行中的部分"},
	{En: "Print what an app prints in an environment, of all its instances", Zh: "输出应用在某个环境中所有实例打印的内容"},
	{
		En: "Print what an app prints in an environment, of all its instances: what is there in the order of time, and with -f what comes, also of instances that come. With several, each line begins with its pod and version.",
		Zh: "输出应用在某个环境中所有实例打印的内容：已有的按时间顺序，写 -f 时继续输出新的内容，包括新出现的实例。有多个实例时，每行以其 Pod 和版本开头。",
	},
	{En: "go on until you stop it", Zh: "持续输出，直到您停止"},
	{En: "how far back to begin, such as 10m (on clusters)", Zh: "从多久以前开始，例如 10m（用于集群）"},
	{En: "the last lines of each instance (default: 100, and all with --since)", Zh: "每个实例的最后若干行（默认 100，写 --since 时为全部）"},
	{En: "what was printed before the last restart (on clusters)", Zh: "上次重启之前打印的内容（用于集群）"},
	{En: "--tail is a number of lines", Zh: "--tail 是行数"},
	{En: "what was printed before a restart does not grow: ask for previous or for follow", Zh: "重启之前的内容不会再增加：previous 和 follow 只能选一个"},
	{En: "{n} logs of apps are being read already: end one, or try again later", Zh: "已有 {n} 个应用日志正在被读取：请结束一个，或稍后再试"},
	{En: "no container of {target} was restarted: leave out --previous", Zh: "{target} 没有重启过的容器：请去掉 --previous"},
	{En: "{target} has no pods: see {command}", Zh: "{target} 没有 Pod：见 {command}"},
	{En: "{n} older logs are left out: at most {max} are read at once", Zh: "略过了 {n} 个较旧的日志：一次最多读取 {max} 个"},
	{En: "the log of {pod} cannot be read: {why}", Zh: "无法读取 {pod} 的日志：{why}"},
	{En: "nothing of {target} runs", Zh: "{target} 没有在运行的实例"},
	{
		En: "apps on this machine keep one log for all instances, without times: ask for {target} with --tail, without --since and --previous",
		Zh: "本机上的应用所有实例共用一份日志，不带时间：查看 {target} 请用 --tail，不要写 --since 和 --previous",
	},
	{En: "the server does not answer any more: the log broke off; go on with --since 10s", Zh: "服务器不再应答：日志中断了；用 --since 10s 继续"},
}
