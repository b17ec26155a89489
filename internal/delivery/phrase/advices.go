package phrase

// advices are what to do next where that follows from the error and not from the
// Cause's code; its argument AdviceArg names one.
var advices = []Phrase{
	{Code: "go.tidy", En: "Run go mod tidy, and commit go.mod and go.sum.", Zh: "运行 go mod tidy，并提交 go.mod 和 go.sum。"},
	{Code: "go.version", En: "Install that Go where builds run, or lower the go line in go.mod.", Zh: "在运行构建的机器上安装该版本的 Go，或调低 go.mod 中 go 一行的版本。"},
	{Code: "go.init", En: "Run go mod init in the App's folder and commit go.mod, or correct the App's path.", Zh: "在 App 的目录中运行 go mod init 并提交 go.mod，或改正 App 的 path。"},
	{Code: "go.embed", En: "Commit the embedded file, or correct the go:embed line; is it in .gitignore?", Zh: "提交被嵌入的文件，或改正 go:embed 一行；它是否在 .gitignore 中？"},
	{Code: "go.timeout", En: "Find out what it waits for, or give go test a longer -timeout.", Zh: "找出它在等待什么，或给 go test 更长的 -timeout。"},
	{Code: "npm.lock", En: "Run npm install, and commit package-lock.json.", Zh: "运行 npm install，并提交 package-lock.json。"},
	{Code: "npm.script", En: "Add the script to package.json's scripts, or correct its name.", Zh: "在 package.json 的 scripts 中添加该脚本，或改正它的名字。"},
	{Code: "npm.package", En: "Commit package.json, or correct the App's path.", Zh: "提交 package.json，或改正 App 的 path。"},
	{Code: "npm.json", En: "Correct package.json: it is not valid JSON.", Zh: "改正 package.json：它不是合法的 JSON。"},
	{Code: "npm.module", En: "Add {module} to package.json: npm install {module}, and commit package-lock.json.", Zh: "把 {module} 加入 package.json：运行 npm install {module}，并提交 package-lock.json。"},
	{Code: "build.disk", En: "Free disk space on the machine that runs builds.", Zh: "在运行构建的机器上释放磁盘空间。"},
	{Code: "build.dns", En: "See that the machine that runs builds resolves this name.", Zh: "确认运行构建的机器能解析这个域名。"},
	{Code: "file.executable", En: "Make the file executable: git update-index --chmod=+x FILE", Zh: "给文件加上可执行权限：git update-index --chmod=+x FILE"},

	{Code: "app.port", En: "Listen on the port in the variable PORT: every replica gets its own.", Zh: "监听环境变量 PORT 中的端口：每个副本的端口各不相同。"},
	{Code: "app.listen", En: "Listen on the port in the variable PORT, on all addresses or 127.0.0.1.", Zh: "监听环境变量 PORT 中的端口，地址为全部地址或 127.0.0.1。"},
	{Code: "app.foreground", En: "End start.sh with exec and the app's own command.", Zh: "在 start.sh 的末尾用 exec 启动应用。"},
	{Code: "app.disk", En: "Free disk space on the machine that runs the app.", Zh: "在运行应用的机器上释放磁盘空间。"},
	{Code: "app.refused", En: "See that what it connects to runs and is reachable from where the app runs.", Zh: "确认它要连接的服务正在运行，并且从应用所在的机器可以访问。"},
	{Code: "app.dns", En: "See that the machine that runs the app resolves this name.", Zh: "确认运行应用的机器能解析这个域名。"},
	{Code: "app.interpreter", En: "Correct the first line of start.sh: the interpreter that it names is not there.", Zh: "改正 start.sh 的第一行：它指定的解释器不存在。"},
	{Code: "app.executable", En: "Make the file executable: git update-index --chmod=+x start.sh", Zh: "给文件加上可执行权限：git update-index --chmod=+x start.sh"},
	{Code: "app.variable", En: "Give {variable} a value among the App's variables for this environment.", Zh: "在 App 的环境变量中，为该环境设置 {variable} 的值。"},
	{Code: "app.memory", En: "Unless somebody killed it, it wanted more memory than there is: give it more, or let it use less.", Zh: "如果不是有人杀死了它，那就是内存不足：给它更多内存，或让它少用一些。"},
	{Code: "app.tool", En: "Install {tool} where the app runs, or put it into the app's image.", Zh: "在运行应用的机器上安装 {tool}，或把它放进应用的镜像。"},

	// Of a tool that is not there: "tool." and its name.
	{Code: "tool.go", En: "Install Go from https://go.dev/dl and put its bin folder on the PATH.", Zh: "从 https://go.dev/dl 安装 Go，并把它的 bin 目录加入 PATH。"},
	{Code: "tool.node", En: "Install Node.js from https://nodejs.org.", Zh: "从 https://nodejs.org 安装 Node.js。"},
	{Code: "tool.npm", En: "Install Node.js, which brings npm, from https://nodejs.org.", Zh: "从 https://nodejs.org 安装 Node.js，其中自带 npm。"},
	{Code: "tool.npx", En: "Install Node.js, which brings npx, from https://nodejs.org.", Zh: "从 https://nodejs.org 安装 Node.js，其中自带 npx。"},
	{Code: "tool.pnpm", En: "Install it with: npm install -g pnpm", Zh: "安装命令：npm install -g pnpm"},
	{Code: "tool.yarn", En: "Install it with: npm install -g yarn", Zh: "安装命令：npm install -g yarn"},
	{Code: "tool.tsc", En: "Add typescript to the project's devDependencies, and run npm ci before it.", Zh: "把 typescript 加入项目的 devDependencies，并先运行 npm ci。"},
	{Code: "tool.mvn", En: "Install Apache Maven, or use the project's ./mvnw.", Zh: "安装 Apache Maven，或使用项目自带的 ./mvnw。"},
	{Code: "tool.gradle", En: "Install Gradle, or use the project's ./gradlew.", Zh: "安装 Gradle，或使用项目自带的 ./gradlew。"},
	{Code: "tool.java", En: "Install a JDK and put its bin folder on the PATH.", Zh: "安装 JDK，并把它的 bin 目录加入 PATH。"},
	{Code: "tool.javac", En: "Install a JDK (not only a JRE) and put its bin folder on the PATH.", Zh: "安装 JDK（仅有 JRE 不够），并把它的 bin 目录加入 PATH。"},
	{Code: "tool.php", En: "Install PHP's command line.", Zh: "安装 PHP 命令行。"},
	{Code: "tool.composer", En: "Install Composer from https://getcomposer.org.", Zh: "从 https://getcomposer.org 安装 Composer。"},
	{Code: "tool.python3", En: "Install Python 3.", Zh: "安装 Python 3。"},
	{Code: "tool.git", En: "Install git 2.31 or newer.", Zh: "安装 git 2.31 或更新的版本。"},
}
