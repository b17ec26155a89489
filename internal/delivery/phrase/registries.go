package phrase

// registries are what images meet on their way to and from registries.
var registries = []Phrase{
	{En: "the registry refuses the login for {repository}, which needs the permission {permission}: correct the user name and password, or give the user that permission", Zh: "镜像仓库拒绝了对 {repository} 的登录（需要权限 {permission}）：请改正用户名和密码，或给该用户这个权限"},
	{En: "the registry does not allow {permission} on {repository}: give its user that permission", Zh: "镜像仓库不允许对 {repository} 执行 {permission}：请给该用户这个权限"},
	{En: "the registry has no place for {repository}: make the repository, or the project that it belongs to, there first", Zh: "镜像仓库中没有存放 {repository} 的地方：请先在那里创建该仓库或它所属的项目"},
	{En: "the registry has no room left for {repository}: delete images that nobody needs, or raise its quota", Zh: "镜像仓库没有空间存放 {repository}：请删除不再需要的镜像，或提高配额"},
	{En: "the registry of {repository} finds a layer too large: raise the limit of the registry, or of the proxy before it", Zh: "{repository} 的镜像仓库认为某一层太大：请提高镜像仓库或其前面代理的限制"},
	{En: "the certificate of the registry of {repository} is not trusted: name the authority that signed it with --registry-ca", Zh: "{repository} 的镜像仓库的证书不受信任：请用 --registry-ca 指定为其签名的证书机构"},
	{En: "the registry of {repository} speaks no TLS: give it a certificate, or start the server with --registry-plain-http if it is for tests only", Zh: "{repository} 的镜像仓库不支持 TLS：请为它配置证书；若只用于测试，可用 --registry-plain-http 启动服务器"},
	{En: "{ref} is not in its registry; check the name, or push it first", Zh: "镜像仓库中没有 {ref}；请检查名字，或先推送"},
	{En: "the registry of {ref} does not answer as it should; it will be tried again", Zh: "{ref} 的镜像仓库没有正常响应；会自动重试"},
	{En: "the registry refuses {ref}", Zh: "镜像仓库拒绝了 {ref}"},

	{En: "log in to the registry", Zh: "请登录镜像仓库"},
	{En: "the registry's password is wrong", Zh: "镜像仓库的密码不对"},
	{En: "this job pushes no image", Zh: "该任务不推送镜像"},
	{En: "this plan pushes to a registry that a runner of protocol 2 cannot log in to: install a runner of the server's version", Zh: "该计划要推送到协议版本 2 的 runner 无法登录的镜像仓库：请安装与服务器版本一致的 runner"},
	{
		En: "the registry {registry} gives no tokens for one repository, and its login would let a build write any image: add a login for {repository} alone to the file of --registry-auth, or accept that with --registry-shared-credential",
		Zh: "镜像仓库 {registry} 不发放限于单个仓库的令牌，而它的登录会让任何构建都能写任何镜像：请在 --registry-auth 的文件中为 {repository} 单独添加登录，或用 --registry-shared-credential 接受这一点",
	},

	{En: "--registry-user, --registry-auth and the like are for a registry: name it with --registry", Zh: "--registry-user、--registry-auth 等选项用于某个镜像仓库：请用 --registry 指定它"},
	{En: "--registry {value} is not host[:port][/path], such as registry.example.com/apps", Zh: "--registry {value} 不是 host[:port][/path] 的形式，例如 registry.example.com/apps"},
	{En: "--registry-plain-http is for loopback and private addresses only, and {host} is neither: give the registry a certificate", Zh: "--registry-plain-http 只用于回环和私有地址，而 {host} 都不是：请为镜像仓库配置证书"},
	{En: "--registry-user and SHIPLOCK_REGISTRY_PASSWORD belong together: give both, or neither", Zh: "--registry-user 和 SHIPLOCK_REGISTRY_PASSWORD 要一起使用：请两个都给，或都不给"},
	{En: "the file of --registry-ca cannot be read", Zh: "无法读取 --registry-ca 的文件"},
	{En: "{file} of --registry-ca has no certificate in PEM", Zh: "--registry-ca 的 {file} 中没有 PEM 格式的证书"},
	{En: "the file of --registry-auth cannot be used", Zh: "无法使用 --registry-auth 的文件"},
	{En: "it is not JSON with auths by host, as docker login writes it", Zh: "它不是 docker login 所写的、按 host 列出 auths 的 JSON"},
	{En: "the auth of {key} is not user:password in base64", Zh: "{key} 的 auth 不是 base64 编码的 user:password"},
	{En: "there is no login for {key}: a credential helper keeps it, which a server cannot ask; write its auth into the file", Zh: "没有 {key} 的登录：它由服务器无法询问的 credential helper 保存；请把它的 auth 写入文件"},
}
