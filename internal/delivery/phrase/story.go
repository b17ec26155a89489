package phrase

// story are what the server says when it starts, and the demo when it tells its
// story.
var story = []Phrase{
	{En: "Shiplock serves {url} from {dir}", Zh: "Shiplock 在 {url} 提供服务，数据位于 {dir}"},
	{En: "Administrator's token, shown only now:", Zh: "管理员令牌，仅显示这一次："},
	{En: "Log in with it:", Zh: "用它登录："},
	{En: "Push hooks: {url}/hooks/gitlab (or gitea, github) with the secret {secret}", Zh: "推送事件：{url}/hooks/gitlab（或 gitea、github），密钥为 {secret}"},

	{En: "Shiplock's demo: the server is {url}, the Git forge {forge}, everything is in {dir}", Zh: "Shiplock 演示：服务器 {url}，代码平台 {forge}，所有内容位于 {dir}"},
	{En: "{app} is left out: {@why}", Zh: "略过 {app}：{@why}"},
	{En: "there is no {tool} on the PATH", Zh: "PATH 中没有 {tool}"},
	{En: "({language}) repository {url}, one document in the catalog", Zh: "（{language}）仓库 {url}，目录中有一个文档"},
	{En: "git push dev: commit {sha}", Zh: "git push dev：提交 {sha}"},
	{En: "git push dev: {message}", Zh: "git push dev：{@message}"},
	{En: "git push release: it is built, and waits for a person", Zh: "git push release：构建完成后等人发布"},
	{En: "a commit that does not build", Zh: "一个无法构建的提交"},
	{En: "a version that crashes at start", Zh: "一个启动即崩溃的版本"},
	{En: "back to what works", Zh: "回到可用的版本"},
	{En: "all traffic back on the old version after {ms} ms, {failed} of {n} requests failed", Zh: "{ms} ms 后全部流量回到旧版本，{n} 个请求中失败 {failed} 个"},
	{En: "release rollback: all traffic back on the old version after {ms} ms, {failed} of {n} requests failed", Zh: "release rollback：{ms} ms 后全部流量回到旧版本，{n} 个请求中失败 {failed} 个"},
	{En: "run start --env {env} --commit {sha}: the first commit once more", Zh: "run start --env {env} --commit {sha}：再次构建第一个提交"},
	{En: "the same image again: {digest}", Zh: "得到相同的镜像：{digest}"},
	{En: "not the same: {why}", Zh: "不相同：{why}"},
	{En: "the old version kept serving: {failed} of {n} requests failed", Zh: "旧版本一直在服务：{n} 个请求中失败 {failed} 个"},
	{En: "why: {text}", Zh: "原因：{text}"},
	{En: "deploy to {env}: {progress}, {@state}", Zh: "部署到 {env}：{progress}，{@state}"},
	{En: "rollback to {env}: {progress}, {@state}", Zh: "回滚 {env}：{progress}，{@state}"},
	{En: "asked {asked} %, measured {measured} % of {n} requests, {failed} failed", Zh: "目标 {asked} %，{n} 个请求中实测 {measured} %，失败 {failed} 个"},
	{En: "fell short: {@why}", Zh: "未达预期：{@why}"},
	{En: "All of it went as it must, in {time} s.", Zh: "一切如期完成，用时 {time} s。"},
	{En: "The server stays up until Ctrl-C. Look at it:", Zh: "服务器会一直运行，直到 Ctrl-C。看一看："},
	{En: "{url}   (works once)", Zh: "{url}   （只能用一次）"},
	{En: "Talk to it from another terminal:", Zh: "在另一个终端里操作："},
	{En: "Working copies to commit and push from are in {dir}", Zh: "可以提交和推送的工作副本在 {dir}"},
	{En: "{run} succeeded: {steps}", Zh: "{run} 成功：{steps}"},
	{En: "{run} failed: {steps}", Zh: "{run} 失败：{steps}"},
}
