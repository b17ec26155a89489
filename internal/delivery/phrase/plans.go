package phrase

// plans are the reasons for what a run does.
var plans = []Phrase{
	{En: "standard: every run checks out its exact commit", Zh: "标准：每次运行都检出确切的提交"},
	{En: "standard: every run ends in an image, which the environments share", Zh: "标准：每次运行都产出一个镜像，由各环境共用"},
	{En: "Stack {stack}: build.steps[{n}]", Zh: "技术栈 {stack}：build.steps[{n}]"},
	{En: "Stack {stack}: runtime", Zh: "技术栈 {stack}：runtime"},
	{En: "{percent} % (batch {n} of {total})", Zh: "{percent} %（第 {n} 批，共 {total} 批）"},
}
