package phrase

// apps are the causes of apps that do not serve, and why their processes ended.
var apps = []Phrase{
	crash("app.crashed"), crash("app.unhealthy"), crash("app.unpacking"), crash("app.starting"), crash("app.draining"), crash("app.stopped"),

	{En: "start.sh exited", Zh: "start.sh 已退出"},
	{
		En: "start.sh exited {@when}; its code is unknown, as the supervisor was restarted meanwhile",
		Zh: "start.sh {@when}退出；由于监管进程在此期间重启过，退出码未知",
	},
	{En: "start.sh was killed by signal {signal} ({name}) {@when}", Zh: "start.sh {@when}被信号 {signal}（{name}）杀死"},
	{
		En: "start.sh exited with code 0 {@when}: it must keep the app in the foreground",
		Zh: "start.sh {@when}以退出码 0 结束：它必须让应用保持在前台",
	},
	{En: "start.sh exited with code {exit} {@when}", Zh: "start.sh {@when}以退出码 {exit} 结束"},
	{En: "before it was healthy", Zh: "在健康之前"},
	{En: "after it was healthy", Zh: "在健康之后"},
	{En: "not healthy within {limit}: {@why}", Zh: "在 {limit} 内没有变为健康：{@why}"},
	{En: "no answer", Zh: "没有响应"},
	{En: "no answer within {limit}", Zh: "{limit} 内没有响应"},
}

// crash is the phrase of an app in a state in which it should not stay.
func crash(code string) Phrase {
	return Phrase{
		Code: code,
		En:   "{@reason}«: {error}»", NextEn: "Read the app's log, mend it, and push again.",
		Zh: "{@reason}«：{error}»", NextZh: "查看应用日志，修复后重新推送。",
	}
}
