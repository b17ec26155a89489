package phrase

// words are states, kinds and the like, as people read them.
var words = []Phrase{
	{En: "queued", Zh: "排队中"},
	{En: "starting", Zh: "启动中"},
	{En: "running", Zh: "运行中"},
	{En: "succeeded", Zh: "成功"},
	{En: "failed", Zh: "失败"},
	{En: "errored", Zh: "平台错误"},
	{En: "canceled", Zh: "已取消"},
	{En: "superseded", Zh: "被取代"},
	{En: "pending", Zh: "未开始"},
	{En: "skipped", Zh: "跳过"},

	{En: "proposed", Zh: "待开始"},
	{En: "rolling", Zh: "发布中"},
	{En: "paused", Zh: "已暂停"},
	{En: "deployed", Zh: "已部署"},
	{En: "aborted", Zh: "已中止"},
	{En: "run", Zh: "运行"},
	{En: "release", Zh: "发布"},
	{En: "artifact", Zh: "制品"},
	{En: "deploy", Zh: "部署"},
	{En: "rollback", Zh: "回滚"},
	{En: "restart", Zh: "重启"},

	{En: "healthy", Zh: "健康"},
	{En: "unhealthy", Zh: "不健康"},
	{En: "degraded", Zh: "异常"},
	{En: "progressing", Zh: "发布中"},
	{En: "empty", Zh: "未部署"},

	{En: "received", Zh: "已收到"},
	{En: "expanded", Zh: "已展开"},
	{En: "ignored", Zh: "已忽略"},

	{En: "{passed} passed, {failed} failed, {skipped} skipped, covers {share} of {lines} lines", Zh: "通过 {passed}，失败 {failed}，跳过 {skipped}，覆盖 {share}（共 {lines} 行）"},
	{En: "{passed} passed, {failed} failed, {skipped} skipped", Zh: "通过 {passed}，失败 {failed}，跳过 {skipped}"},
	{En: "covers {share} of {lines} lines", Zh: "覆盖 {share}（共 {lines} 行）"},

	{En: "canary", Zh: "灰度"},
	{En: "full", Zh: "全量"},
	{En: "by hand", Zh: "手动"},
	{En: "automatic", Zh: "自动"},
	{En: "manual", Zh: "等人继续"},
	{En: "none", Zh: "无"},
	{En: "yes", Zh: "是"},
	{En: "no", Zh: "否"},
	{En: "unknown", Zh: "未知"},
	{En: "a rollback goes here", Zh: "回滚会到这里"},
	{En: "rolled back", Zh: "已回滚"},
}
