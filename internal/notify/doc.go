// Package notify tells groups of people what happens, through the bots of Feishu,
// DingTalk and WeCom: one file per vendor. Each call is one request, whose answer is
// judged and never repeated here; when to send is the engine's to decide.
package notify
