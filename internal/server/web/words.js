// The words of the pages. Keys are English words of the API, or short names. Causes
// and errors come from the server in the reader's language.

const zh = {
  apps: "应用", app: "应用", work: "进行中", recent: "最近结束", log: "日志", follow: "跟随", download: "下载全部", api: "接口",
  filter: "筛选应用", history: "经过", versions: "版本",
  queued: "排队", running: "运行中", succeeded: "成功", failed: "失败", errored: "平台错误", canceled: "已取消", pending: "未开始", skipped: "跳过",
  proposed: "待开始", rolling: "发布中", paused: "已暂停", holding: "等待继续", deployed: "已部署", aborted: "已中止", superseded: "被取代",
  healthy: "健康", progressing: "发布中", degraded: "异常", empty: "未部署", passed: "已通过", leftOut: "已略过", returning: "正在退回",
  nRunning: "个运行中", nQueued: "个排队", nReleases: "个发布中", nWaiting: "个待发布",
  deploy: "全量发布", canary: "灰度发布", rollback: "回滚", restart: "重启", scale: "扩缩",
  batch: "批次", asked: "目标", effective: "实际", ready: "就绪", newVersion: "新版本", oldVersion: "旧版本",
  manualHold: "等人继续", hold: "停留", holdsAt: "灰度停在", untilContinued: "，等人继续。",
  "do.continue": "继续下一批", "do.full": "立即全量", "do.abort": "中止，退回旧版本",
  drift: "被改动的字段",
  cache: "缓存", cacheRestored: "已恢复 {size}（来自 {run}）", cacheStale: "{files} 有变化；", cacheMiss: "还没有可用的缓存", cachePublished: "已发布 {size}", cacheSaved: "缓存约节省 {time}（与 {run} 相比）",
  covers: "{lines} 行代码，覆盖 {share}",
  promotedFrom: "取自", moved: "分支 {branch} 自 {since} 起又前进了 {n} 个提交", movedUnknown: "无法得知分支 {branch} 是否前进：",
  nothing: "没有进行中的工作。", noneYet: "还没有结束的运行或发布。", noApps: "还没有应用：运行 `shiplock apply -f 目录`", noMatch: "没有匹配的应用。",
  notStarted: "还没有日志：运行尚未开始。", next: "下一步", lost: "次尝试已丢失", attempt: "第", earlier: "行更早的日志未显示，请下载全部。",
  lostContact: "与服务器失去联系，正在重试…", ago: "前", by: "{who} 发起", s: "秒", min: "分钟", h: "小时", d: "天", justNow: "刚刚", requested: "提出发布", tookTime: "耗时",
  "release.started": "开始发布", "batch.ready": "健康", "batch.unready": "不再健康", "batch.passed": "通过", "batch.failed": "失败",
  "release.troubled": "遇到困难", "continue.requested": "继续", "full.requested": "全量", "pause.requested": "暂停", "resume.requested": "恢复",
  rejected: "已拒绝", expired: "已过期", emergency: "紧急", nobodyAsked: "未经任何人批准", incident: "事件", toReview: "需要复盘", reviewedBy: "已复盘：",
  approvals: "批准", approvedBy: "已批准", ofNeeded: "已有 {have}/{min}", subject: "批准对象", "do.approve": "批准", "do.reject": "拒绝", answerNote: "附言；拒绝时须写明原因", reasonNeeded: "请写明拒绝的原因：请求人会看到",
  "approval.asked": "请求批准", "approval.given": "批准", "approval.granted": "批准完成", "approval.reopened": "重新等待批准", "approval.voided": "批准失效",
  "release.rejected": "拒绝", "release.expired": "过期", "review.closed": "复盘完成",
  "abort.requested": "中止", "release.canceled": "取消", "release.superseded": "被取代", "release.ended": "结束",
  "window.decided": "等待窗口", "batch.held": "下一批等待窗口", startsAt: "将于 {at} 自动开始，在 {of} 个中排第 {n} 位。",
  never: "从未", used: "使用：", expires: "过期：", revoke: "撤销", none: "没有。", session: "浏览器", login: "命令行", token: "令牌", shownOnce: "令牌只显示这一次，请现在复制：",
};

const en = {
  apps: "Apps", app: "App", work: "Under way", recent: "Recently ended", history: "What happened", versions: "Versions", filter: "Filter apps",
  drift: "fields changed by others", holding: "on hold", leftOut: "left out", returning: "going back", pending: "not started",
  nRunning: "running", nQueued: "queued", nReleases: "releasing", nWaiting: "waiting",
  newVersion: "new version", oldVersion: "old version", manualHold: "until continued", hold: "holds",
  holdsAt: "The canary holds at", untilContinued: " until a person continues.",
  "do.continue": "the next batch", "do.full": "all traffic at once", "do.abort": "back to the old version",
  cache: "cache", cacheRestored: "restored {size} of {run}", cacheStale: "{files} changed; ", cacheMiss: "there was none yet", cachePublished: "published {size}", cacheSaved: "Caches saved about {time}, compared with {run}",
  covers: "{share} of {lines} lines",
  promotedFrom: "promoted from", moved: "branch {branch} moved by {n} since {since}", movedUnknown: "whether branch {branch} moved cannot be told:",
  nothing: "Nothing is under way.", noneYet: "No run or release has ended yet.", noApps: "There are no apps yet: run `shiplock apply -f DIR`", noMatch: "No app matches.",
  notStarted: "There is no log yet: the run has not started.", next: "Next", lost: "was lost", attempt: "Attempt", earlier: "earlier lines are not shown; download all to see them.",
  lostContact: "Contact with the server is lost; trying again…", ago: " ago", by: "by {who}", justNow: "just now", tookTime: "took",
  "release.started": "started", "batch.ready": "healthy", "batch.unready": "no longer healthy", "batch.passed": "passed", "batch.failed": "failed",
  "release.troubled": "in trouble", "continue.requested": "continue", "full.requested": "full", "pause.requested": "pause", "resume.requested": "resume",
  emergency: "EMERGENCY", nobodyAsked: "nobody was asked", incident: "incident", toReview: "to be reviewed", reviewedBy: "reviewed by",
  approvals: "Approvals", approvedBy: "approved", ofNeeded: "{have} of {min}", subject: "subject", "do.approve": "Approve", "do.reject": "Reject", answerNote: "What you want to say to it; for a rejection, the reason", reasonNeeded: "Say why: whoever asked reads it",
  "approval.asked": "approval asked", "approval.given": "approved", "approval.granted": "approval granted", "approval.reopened": "approval is waited for again", "approval.voided": "approvals void",
  "release.rejected": "rejected", "release.expired": "expired", "review.closed": "reviewed",
  "abort.requested": "abort", "release.canceled": "canceled", "release.superseded": "superseded", "release.ended": "ended",
  "window.decided": "waits for a window", "batch.held": "held by a window", startsAt: "Starts by itself at {at}, number {n} of {of} in line.",
  used: "used", expires: "expires", revoke: "Revoke", none: "There are none.", session: "browser", login: "command line", shownOnce: "The token is shown only now; copy it:",
};

export const chinese = document.documentElement.lang.startsWith("zh");

/** t returns the word for a key in the reader's language. */
export const t = (key) => (chinese ? zh[key] : en[key]) || key;
