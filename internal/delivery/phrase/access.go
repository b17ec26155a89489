package phrase

// access is who may do what.
var access = []Phrase{
	{En: "{who} may not {command} on {subject}: ask an administrator for a role there", Zh: "{who} 无权在 {subject} 上执行 {command}：请向管理员申请那里的角色"},
	{En: "{who} may not {command} on {subject}: only an administrator may", Zh: "{who} 无权在 {subject} 上执行 {command}：只有管理员可以"},
	{En: "{who} may not {command} on {subject}: {people} may ({rules})", Zh: "{who} 无权在 {subject} 上执行 {command}：{people} 可以（{rules}）"},
	{En: "{who} may not {command} on {subject}: {people} may ({rules}), or ask for the emergency lane", Zh: "{who} 无权在 {subject} 上执行 {command}：{people} 可以（{rules}），或申请走紧急通道"},
	{En: "{who} has no role here yet: ask an administrator for one", Zh: "{who} 在这里还没有角色：请向管理员申请"},
	{En: "there is no permission {name}: write one of {all}", Zh: "没有权限 {name}：请写 {all} 之一"},
	{En: "groups are somebody else's: say whose with as", Zh: "groups 是别人的组：请用 as 说明是谁的"},
	{En: "{name} is nobody who acts: write user:NAME or service:NAME", Zh: "{name} 不是操作者：请写 user:名字 或 service:名字"},
	{En: "yes: {who} may {command} on {subject} ({rule})", Zh: "可以：{who} 有权在 {subject} 上执行 {command}（{rule}）"},
	{En: "no: {@why}", Zh: "不可以：{@why}"},
	{En: "Whether a command would be allowed, and by which binding", Zh: "某个命令是否允许，由哪个角色绑定决定"},
	{En: "Who has which role, and where", Zh: "谁在哪里有什么角色"},
	{
		En: "Tell whether a command would be allowed, and which RoleBinding allows it. A VERB is a\npermission such as release.create or run.start, or the part after the dot where one\npermission alone has it. Without APP and ENV it is about the whole installation.\nThe exit code is 1 when it would not be allowed.",
		Zh: "说明某个命令是否允许，以及由哪个 RoleBinding 允许。VERB 是权限，如 release.create 或 run.start；只有一个权限有这个后半部分时，也可以只写点号之后的部分。不写 APP 和 ENV 时指整个系统。不允许时退出码为 1。",
	},
	{En: "what would you do? write a permission, an app and an environment, like release.create shop prod", Zh: "要做什么？请写权限、应用和环境，例如 release.create shop prod"},
	{En: "ask for somebody else, as user:NAME or service:NAME", Zh: "替别人询问，写 user:名字 或 service:名字"},
	{En: "the groups of somebody else, in place of those that are known of the user", Zh: "别人所在的组，代替系统已知的该用户的组"},

	{En: "a role binding", Zh: "角色绑定"},
	{En: "role is missing: write one of {roles}", Zh: "缺少 role：请写 {roles} 之一"},
	{En: "subjects is missing: write whom the role is for, as user:NAME, group:NAME, service:NAME or everyone", Zh: "缺少 subjects：请写角色给谁，如 user:名字、group:名字、service:名字 或 everyone"},
	{En: "everyone cannot be admin: name people, groups or services", Zh: "不能让 everyone 成为 admin：请写出用户、组或服务"},
	{En: "everything leaves nothing to narrow: remove it, or the other fields of the scope", Zh: "everything 已是全部，不能再缩小：请删除它，或删除 scope 的其他字段"},
	{En: "scope is missing: name environments, apps or teams, or write everything: true", Zh: "缺少 scope：请写 environments、apps 或 teams，或写 everything: true"},
	{En: "{name} fits no app: write an app's name, in which * stands for any characters", Zh: "{name} 不匹配任何应用：请写应用的名字，其中 * 表示任意字符"},
}
