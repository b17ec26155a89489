package phrase

// access is who may do what.
var access = []Phrase{
	{En: "{who} may not {command} on {subject}: ask an administrator for a role there", Zh: "{who} 无权在 {subject} 上执行 {command}：请向管理员申请那里的角色"},
	{En: "{who} may not {command} on {subject}: only an administrator may", Zh: "{who} 无权在 {subject} 上执行 {command}：只有管理员可以"},
	{En: "{who} may not {command} on {subject}: {people} may ({rules})", Zh: "{who} 无权在 {subject} 上执行 {command}：{people} 可以（{rules}）"},
	{En: "{who} may not {command} on {subject}: {people} may ({rules}), or ask for the emergency lane", Zh: "{who} 无权在 {subject} 上执行 {command}：{people} 可以（{rules}），或申请走紧急通道"},

	{En: "a role binding", Zh: "角色绑定"},
	{En: "role is missing: write one of {roles}", Zh: "缺少 role：请写 {roles} 之一"},
	{En: "subjects is missing: write whom the role is for, as user:NAME, group:NAME, service:NAME or everyone", Zh: "缺少 subjects：请写角色给谁，如 user:名字、group:名字、service:名字 或 everyone"},
	{En: "everyone cannot be admin: name people, groups or services", Zh: "不能让 everyone 成为 admin：请写出用户、组或服务"},
	{En: "everything leaves nothing to narrow: remove it, or the other fields of the scope", Zh: "everything 已是全部，不能再缩小：请删除它，或删除 scope 的其他字段"},
	{En: "scope is missing: name environments, apps or teams, or write everything: true", Zh: "缺少 scope：请写 environments、apps 或 teams，或写 everything: true"},
	{En: "{name} fits no app: write an app's name, in which * stands for any characters", Zh: "{name} 不匹配任何应用：请写应用的名字，其中 * 表示任意字符"},
}
