// Calendar: content {mode, title, days: [{iso, day, label, today, other}], weekdays, events: [{key, day, time, title, sub, glyph, tone, done, href, may}], before, after, now, modes, …listbar}
const Calendar = part((content, ctx) => {
  const {mode, title, days, weekdays, events, before, after, now, modes = []} = content, {t, ui} = ctx, room = mode === 'month' ? 4 : 40
  totalsLater(ctx)
  const byDay = Object.groupBy ? Object.groupBy(events, e => e.day) : events.reduce((all, e) => ({...all, [e.day]: [...all[e.day] || [], e]}), {})
  const chosen = ui.menuCard && events.find(e => e.key === ui.menuCard)
  return [listbar(content, ctx),
    h('div.bar.calbar', {key: 'calbar'}, h('h2', {'aria-live': 'polite'}, title), h('span.grow'), h('a.button', {href: now}, t('Today')), h('a.button.bare', {href: before, label: t('Back in time'), title: t('Back in time')}, icon('chevron_left')), h('a.button.bare', {href: after, label: t('Forward in time'), title: t('Forward in time')}, icon('chevron_right')),
      h('nav.switch', {label: t('Length')}, modes.map(m => h('a.words', {href: m.href, 'aria-current': m.name === mode ? 'page' : null}, m.label)))),
    h('div.cal', {key: 'cal', class: mode, role: 'list', label: title}, weekdays.map(w => h('span.wd', {key: `w-${w}`, 'aria-hidden': 'true'}, w)),
      days.map(d => { const all = byDay[d.iso] || [], open = ui.open === d.iso, shown = open ? all : all.slice(0, room)
        return h('section.cday', {key: d.iso, role: 'listitem', 'data-day': d.iso, label: d.label, class: [d.today && 'today', d.other && 'other', !all.length && 'bare-day'].filter(Boolean).join(' ')},
          h('h3', null, h('span.dn', null, d.day), h('span.dl', null, d.label), content.addable && button('addon', 'add', '', {id_: d.iso, label: `${t('Add')}: ${d.label}`, class: 'quiet'})),
          h('ul', null, shown.map(e => h('li', {key: e.key}, h('a.ev', {href: e.href, act: 'ev', id_: e.key, draggable: e.may ? 'true' : 'false', class: [e.tone, e.done && 'done'].filter(Boolean).join(' '), title: [e.time, e.title, e.sub].filter(Boolean).join(' · ')}, icon(e.done ? 'check' : e.glyph), e.time && h('time', null, e.time), h('span', null, e.title), e.sub && h('small', null, e.sub)),
            e.may && button('when', 'schedule', '', {id_: e.key, label: `${t('Postpone')}: ${e.title}`, 'aria-haspopup': 'menu', 'aria-expanded': String(ui.menuCard === e.key), class: 'quiet'}))),
          all.length > shown.length && h('li', {key: '-more'}, button('unfold', '', t('{n} more', {n: all.length - shown.length}), {id_: d.iso, class: 'link'})))) })),
    !events.length && empty('event_available', t('Nothing in these days.')),
    chosen && h('div.menu.fixed', {key: 'when', role: 'menu', label: t('Postpone'), style: ui.menuAt}, [['tomorrow', t('Tomorrow')], ['monday', t('Monday')], ['+1w', t('In a week')]].map(([to, label]) => h('button', {type: 'button', role: 'menuitem', act: 'to', 'data-to': to, id_: chosen.key}, label)),
      h('input', {type: 'text', act: 'pick', id_: chosen.key, placeholder: t('tomorrow, fri, 24.12.'), label: t('Pick a day')}))]
}, {
  ...listacts(),
  start(ctx) { ctx.ui.outside = e => { if (ctx.ui.menuCard && !e.composedPath().some(n => n.classList?.contains('fixed'))) { ctx.ui.menuCard = null; ctx.draw() } }; addEventListener('pointerdown', ctx.ui.outside, true) },
  stop: ctx => removeEventListener('pointerdown', ctx.ui.outside, true),
  'ev:dragstart'(ctx, el, e) { e.dataTransfer.setData('text/plain', el.dataset.id_); ctx.ui.drag = el.dataset.id_; requestAnimationFrame(() => el.classList.add('dragged')) },
  'ev:dragend'(ctx, el) { el.classList.remove('dragged'); ctx.ui.drag = null; dayOver(ctx, null) },
  '*dragover'(ctx, e) { const day = e.target.closest?.('.cday'); if (day && ctx.ui.drag) { e.preventDefault(); dayOver(ctx, day.dataset.day) } },
  '*drop'(ctx, e) { const day = e.target.closest?.('.cday'); if (!day || !ctx.ui.drag) return; e.preventDefault(); const key = ctx.ui.drag; ctx.ui.drag = null; dayOver(ctx, null); postponeTo(ctx, key, day.dataset.day) },
  'ev:keydown'(ctx, el, e) {      // Shift and an arrow move it by a day or a week
    const by = e.shiftKey && {ArrowRight: 1, ArrowLeft: -1, ArrowDown: 7, ArrowUp: -7}[e.key], ev = ctx.model.content.events.find(x => x.key === el.dataset.id_)
    if (!by || !ev?.may) return
    e.preventDefault(); const day = new Date(`${ev.day}T12:00:00Z`); day.setUTCDate(day.getUTCDate() + by); postponeTo(ctx, ev.key, day.toISOString().slice(0, 10))
  },
  when(ctx, el) { ctx.ui.menuAt = fixedAt(el, 5); ctx.ui.menuCard = ctx.ui.menuCard === el.dataset.id_ ? null : el.dataset.id_; ctx.draw(); ctx.focus('.menu.fixed button') },
  to(ctx, el) { ctx.ui.menuCard = null; postponeTo(ctx, el.dataset.id_, el.dataset.to) },
  'pick:keydown'(ctx, el, e) { if (e.key === 'Enter' && el.value.trim()) { ctx.ui.menuCard = null; postponeTo(ctx, el.dataset.id_, el.value.trim()) } },
  '*keydown'(ctx, e) { if (e.key === 'Escape' && ctx.ui.pop) { e.stopPropagation(); closePop(ctx) } else if (e.key === 'Escape' && ctx.ui.menuCard) { const key = ctx.ui.menuCard; ctx.ui.menuCard = null; ctx.draw(); ctx.focus(`[data-act=when][data-id_="${key}"]`) } },
  unfold(ctx, el) { ctx.ui.open = el.dataset.id_; ctx.draw() },
  addon: ({tell}, el) => tell('add', {day: el.dataset.id_}),
})
function dayOver(ctx, iso) { for (const day of ctx.root.querySelectorAll('.cday')) day.classList.toggle('over', day.dataset.day === iso) }
async function postponeTo(ctx, key, to) {
  const before = ctx.model.content
  if (/^\d{4}-/.test(to)) { ctx.model.content = {...before, events: before.events.map(e => e.key === key ? {...e, day: to} : e)} }
  ctx.draw()
  const reply = await ctx.ask('postpone', {key, to})
  if (reply.error) { ctx.model.content = before; ctx.draw() }
  ctx.say(reply.say || reply.error || ''); ctx.focus(`[data-act=ev][data-id_="${key}"]`)
}
