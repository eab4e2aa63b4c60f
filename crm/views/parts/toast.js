// Messages: the newest three; content {stay: seconds of a plain one and of one with Undo}; the pointer or the focus on it holds it.
const Toast = part((content, {ui, t}) => h('section.toasts', {label: t('Messages'), popover: 'manual', role: 'status'}, (ui.list || []).map(m => h('div.msg', {key: m.key, class: m.tone, role: m.tone === 'bad' ? 'alert' : null},
  icon({bad: 'error_outline', good: 'check_circle', warn: 'warning_amber'}[m.tone] || 'info'), h('span', null, m.text), m.href && h('a', {href: m.href, act: 'follow', id_: m.key}, m.link),
  m.undo != null && button('undo', '', t('Undo'), {id_: m.key, class: 'quiet', disabled: m.busy}), button('off', 'close', '', {id_: m.key, label: t('Close')})))), {
  start(ctx) {
    ctx.ui.list = []; let count = 0; const {stay} = ctx.model.content
    ctx.show = m => {
      const key = 't' + ++count; ctx.ui.list = [...ctx.ui.list.slice(-2), {...m, key}]; ctx.draw()
      const box = ctx.root.querySelector('.toasts'); try { box.hidePopover?.() } catch { /* not open */ } try { box.showPopover?.() } catch { /* shown in place */ }   // anew: above a sheet opened since
      const wait = () => setTimeout(() => { const node = ctx.root.querySelector(`[data-key="${key}"]`); if (node?.matches(':hover,:focus-within')) wait(); else ctx.drop(key) }, stay[m.tone === 'bad' || m.undo != null ? 'acts' : 'words'] * 1000)
      wait()
    }
    ctx.drop = key => { ctx.ui.list = ctx.ui.list.filter(m => m.key !== key); ctx.draw(); if (!ctx.ui.list.length) try { ctx.root.querySelector('.toasts').hidePopover?.() } catch { /* closed */ } }
    ctx.heard = e => ctx.show(e.detail); addEventListener('crm:say', ctx.heard)
  },
  stop: ctx => removeEventListener('crm:say', ctx.heard),
  on_say: (ctx, m) => ctx.show(m), off: (ctx, el) => ctx.drop(el.dataset.id_), follow: (ctx, el) => ctx.drop(el.dataset.id_),
  async undo(ctx, el) {
    const m = ctx.ui.list.find(x => x.key === el.dataset.id_); if (!m || m.busy) return
    m.busy = true; ctx.draw(); const reply = await ctx.ask('undo', {step: m.undo}); ctx.drop(m.key); ctx.show({text: reply.say || reply.error || '', tone: reply.error ? 'bad' : 'good'})
  },
})
