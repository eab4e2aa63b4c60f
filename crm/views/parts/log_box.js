// The composer as a dialog, opened from lists, boards, home and the command box: content {title, …composer}
const LogBox = part((content, ctx) => content.kinds ? h('dialog.sheet.logbox', {key: 'log', act: 'box', 'aria-labelledby': 'h-log'},
  h('header', null, icon('edit_note'), h('h2', {id: 'h-log'}, content.title), button('close', 'close', '', {label: ctx.t('Close')})), composing(content, ctx)) : null, {
  ...composingActs(ctx => close(ctx)),
  on_open(ctx, given) {
    let from = document.activeElement; while (from?.shadowRoot?.activeElement) from = from.shadowRoot.activeElement
    ctx.ui.from = from; beginComposing(ctx, given); ctx.draw()
    const box = ctx.root.querySelector('dialog'); if (!box.open) box.showModal(); ctx.focus('textarea')
  },
  close: ctx => close(ctx),
  box(ctx, el, e) { if (e.target === el) { const r = el.getBoundingClientRect(); if (e.clientY < r.top || e.clientY > r.bottom || e.clientX < r.left || e.clientX > r.right) close(ctx) } },
})
function close(ctx) { ctx.root.querySelector('dialog')?.close(); const {from} = ctx.ui; if (from?.isConnected) from.focus({preventScroll: true}) }
