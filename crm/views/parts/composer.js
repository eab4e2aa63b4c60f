// Composer: what happened, what next, when, in one save. Its form is in typing.js; content as there.
const Composer = part((content, ctx) => composing(content, ctx), {
  ...composingActs(ctx => ctx.focus('textarea')),
  start: ctx => beginComposing(ctx),
  on_kind(ctx, {kind, focus = 'textarea'}) { if (kind) ctx.ui.kind = kind; ctx.draw(); ctx.root.scrollIntoView({block: 'nearest', behavior: 'smooth'}); ctx.focus(focus) },
})
