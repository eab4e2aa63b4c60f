// Timeline: content {stamp, kinds: [{name, label}], events: [{key, kind, glyph, title, href, text, who, when, iso, day, result, tone}], next (cursor), planned: {key, glyph, title, sub, tone, may}}
const Timeline = part((content, ctx) => {
  const {kinds, planned} = content, {ui, t} = ctx
  if (ui.stamp !== content.stamp) Object.assign(ui, {stamp: content.stamp, events: null, next: null, history: null, again: ui.kinds?.size || ui.find || filtered(ui) || ui.tab === 'history'})
  const events = ui.events || content.events, more = ui.events ? ui.next : content.next
  let day = ''
  return h('section.timeline', {label: t('Timeline')},
    planned && h('div.planned', {key: 'planned', class: planned.tone}, icon(planned.glyph), h('span.two', null, h('b', null, planned.href ? h('a', {href: planned.href}, planned.title) : planned.title), h('small', null, planned.sub)),
      planned.may && [button('done', 'check', t('Done'), {key: 'done', id_: planned.key}), h('span.pop', {key: 'later'}, button('later', 'schedule', t('Postpone'), {'aria-haspopup': 'menu', 'aria-expanded': String(ui.menu === 'later')}),
        ui.menu === 'later' && h('div.menu', {role: 'menu'}, SOON.map(([to, label]) => h('button', {type: 'button', role: 'menuitem', act: 'to', 'data-to': to}, t(label))), h('input', {act: 'pick', placeholder: t('tomorrow, fri, 24.12.'), label: t('Pick a day'), autocomplete: 'off'}), echoNode(ui.echo)))]),
    content.missing && h('div.planned.none', {key: 'missing', role: 'note'}, icon('event_busy'), h('span.two', null, h('b', null, content.missing), h('small', null, content.missinghelp)), content.may && h('span.pop', {key: 'soon'}, button('soon', 'event', t('Plan'), {'aria-haspopup': 'menu', 'aria-expanded': String(ui.menu === 'soon')}),
        ui.menu === 'soon' && h('div.menu', {role: 'menu'}, SOON.map(([to, label]) => h('button', {type: 'button', role: 'menuitem', act: 'plan', 'data-to': to}, t(label))), content.compose && h('button', {type: 'button', role: 'menuitem', act: 'plan'}, t('In words…')), h('input', {act: 'planpick', placeholder: t('tomorrow, fri, 24.12.'), label: t('Pick a day'), autocomplete: 'off'}))),
      content.may && button('plan', 'today', t('Tomorrow'), {key: 'tomorrow', 'data-to': 'tomorrow', title: t('Plan the next step for tomorrow')})),
    h('div.bar', {key: 'bar'}, h('div.pills', {role: 'group', label: t('Show')}, button('all', '', t('All'), {class: 'pill', 'aria-pressed': String(ui.tab !== 'history' && !ui.kinds?.size)}), kinds.map(k => button('kind', '', k.label, {key: k.name, id_: k.name, class: 'pill', 'aria-pressed': String(ui.tab !== 'history' && !!ui.kinds?.has(k.name))}))),
      ui.tab !== 'history' && h('input.find', {type: 'search', act: 'find', key: 'find', placeholder: t('Search'), label: t('Search in the timeline')}),
      ui.tab !== 'history' && button('filters', 'tune', '', {label: t('More filters'), key: 'filters', class: filtered(ui) ? 'has' : '', 'aria-expanded': String(!!ui.more), 'aria-controls': 'morefilters'}),
      content.history && button('history', 'manage_history', '', {label: t('History'), key: 'history', 'aria-pressed': String(ui.tab === 'history')})),
    ui.more && ui.tab !== 'history' && h('div.bar.filters', {key: 'more', id: 'morefilters', role: 'group', label: t('More filters')},
      h('label', null, h('span', null, t('Who')), h('select', {act: 'who', key: 'who', value: ui.who || ''}, h('option', {value: ''}, t('Everyone')), (ui.people || []).map(([id, name]) => h('option', {value: String(id)}, name)))),
      [['since', t('From day')], ['until', t('To day')]].map(([key, words]) => h('label', {key}, h('span', null, words), h('input', {act: key, key, placeholder: t('1.6., last monday'), autocomplete: 'off', 'aria-invalid': ui.wrong === key ? 'true' : null}))),
      content.below && h('label.tickbox', {key: 'below'}, h('input', {type: 'checkbox', act: 'below', checked: !!ui.below}), h('span', null, content.below)),
      filtered(ui) && button('nofilters', 'close', t('Clear filters'), {class: 'quiet'}),
      ui.said && h('small.echo', {role: 'status', key: 'said', class: ui.wrong ? 'wrong' : ''}, ui.said)),
    ui.tab === 'history' ? historyNode(ctx) : events.length ? h('ol', {key: 'events', 'aria-busy': ui.loading ? 'true' : null}, events.map(e => {
      const head = e.day !== day && (day = e.day)
      return [head && h('li.day', {key: `d-${e.day}`}, head), h('li', {key: e.key, class: e.kind}, h('span.dot', {class: e.tone}, icon(e.glyph)),
        h('div', null, h('p', null, h('b', null, e.href ? h('a', {href: e.href}, e.title) : e.title), e.about && h('span.chip.about', null, icon('account_tree'), e.about), e.result && h('span.chip', {class: e.tone}, e.result), h('span.meta', null, [e.who, e.when && ' '].filter(Boolean).length > 1 ? `${e.who} · ` : e.who, h('time', {datetime: e.iso, title: e.exact}, e.when))), e.text && h('p.text', {class: ui.open?.has(e.key) ? 'open' : ''}, e.text), e.text?.length > 320 && button('unfold', '', ui.open?.has(e.key) ? t('Less') : t('More'), {id_: e.key, class: 'link'})))]
    }), more && h('li.more', {key: '-more'}, button('more', 'expand_more', t('Show more'), {class: 'quiet', disabled: ui.loading}))) : empty('history', ui.find || ui.kinds?.size || filtered(ui) ? t('Nothing matches.') : t('Nothing yet. What you log above appears here.')))
}, {
  start(ctx) { ctx.ui.watch = new IntersectionObserver(seen => { if (seen.some(s => s.isIntersecting)) loadEvents(ctx, true) }, {rootMargin: '600px', scrollMargin: '600px'}) },
  drawn(ctx) {
    const end = ctx.root.querySelector('li.more'); if (end !== ctx.ui.end) { ctx.ui.watch.disconnect(); ctx.ui.end = end; if (end) ctx.ui.watch.observe(end) }
    if (ctx.ui.again) { ctx.ui.again = false; queueMicrotask(() => ctx.ui.tab === 'history' ? loadHistory(ctx) : loadEvents(ctx)) }
  },
  stop: ctx => ctx.ui.watch.disconnect(),
  all(ctx) { ctx.ui.kinds = new Set(); ctx.ui.tab = ''; ctx.draw(); loadEvents(ctx) },
  kind(ctx, el) { const kinds = ctx.ui.kinds ??= new Set(), name = el.dataset.id_; kinds.has(name) ? kinds.delete(name) : kinds.add(name); ctx.ui.tab = ''; ctx.draw(); loadEvents(ctx) },
  history(ctx) { ctx.ui.tab = 'history'; ctx.draw(); loadHistory(ctx) },
  'find:input'(ctx, el) { clearTimeout(ctx.ui.timer); ctx.ui.timer = setTimeout(() => { ctx.ui.find = el.value; loadEvents(ctx) }, 220) },
  async filters(ctx) { ctx.ui.more = !ctx.ui.more; ctx.draw(); if (ctx.ui.more) { ctx.focus('.filters select'); await people(ctx) } },
  'who:change'(ctx, el) { ctx.ui.who = Number(el.value) || null; loadEvents(ctx) },
  'since:input'(ctx, el) { days(ctx, 'since', el) }, 'until:input'(ctx, el) { days(ctx, 'until', el) },
  async 'below:change'(ctx, el) { ctx.ui.below = el.checked; ctx.ui.people = null; loadEvents(ctx); await people(ctx) },
  nofilters(ctx) { Object.assign(ctx.ui, {who: null, since: '', until: '', below: false, said: '', wrong: ''}); for (const box of ctx.root.querySelectorAll('.filters input:not([type=checkbox])')) box.value = ''; const who = ctx.root.querySelector('.filters select'); if (who) who.value = ''; ctx.draw(); loadEvents(ctx) },
  more: ctx => loadEvents(ctx, true),
  unfold(ctx, el) { const open = ctx.ui.open ??= new Set(), key = el.dataset.id_; open.has(key) ? open.delete(key) : open.add(key); ctx.draw() },
  async done(ctx, el) { el.disabled = true; const reply = await ctx.ask('done', {key: el.dataset.id_}); el.disabled = false; ctx.say(reply.say || reply.error || '') },
  later(ctx, el) { ctx.ui.echo = null; ctx.toggle('later', el) }, 'pick:input': (ctx, el) => echo(ctx, el.value),
  to: (ctx, el) => postpone(ctx, el.dataset.to), 'pick:keydown'(ctx, el, e) { if (e.key === 'Enter' && el.value.trim()) { e.preventDefault(); postpone(ctx, el.value.trim()) } },
  soon: (ctx, el) => ctx.toggle('soon', el),
  plan(ctx, el) { ctx.close(false); ctx.tell('plan', el.dataset.to ? {to: el.dataset.to} : {}) },
  'planpick:keydown'(ctx, el, e) { if (e.key === 'Enter' && el.value.trim()) { e.preventDefault(); ctx.close(false); ctx.tell('plan', {to: el.value.trim()}) } },
  async undo(ctx, el) { el.disabled = true; const reply = await ctx.ask('undo', {step: Number(el.dataset.id_)}); if (reply.error) { el.disabled = false; ctx.say(reply.error) } else loadHistory(ctx) },
})
const filtered = ui => !!(ui.who || ui.since || ui.until || ui.below)
async function people(ctx) { if (ctx.ui.people) return; const reply = await ctx.ask('people', {below: !!ctx.ui.below}); ctx.ui.people = reply.people || []; ctx.draw() }
function days(ctx, key, el) { clearTimeout(ctx.ui.daytimer); ctx.ui.daytimer = setTimeout(() => { ctx.ui[key] = el.value.trim(); loadEvents(ctx) }, 350) }
async function postpone(ctx, to) { const {key} = ctx.model.content.planned; ctx.close(); const reply = await ctx.ask('postpone', {key, to}); ctx.say(reply.say || reply.error || '') }
async function loadEvents(ctx, more = false) {
  const {ui, model} = ctx, before = more ? (ui.events ? ui.next : model.content.next) : null
  if (more && (!before || ui.loading)) return
  const turn = ui.turn = (ui.turn || 0) + 1; ui.loading = true
  const reply = await ctx.ask('events', {kinds: [...ui.kinds || []], find: ui.find || '', before, who: ui.who || null, since: ui.since || '', until: ui.until || '', below: !!ui.below})
  if (turn !== ui.turn) return
  ui.loading = false; ui.said = reply.wrong ? reply.error : reply.said || ''; ui.wrong = reply.wrong || ''
  if (reply.events) { const had = more ? ui.events || model.content.events : [], known = new Set(had.map(e => e.key)); ui.events = [...had, ...reply.events.filter(e => !known.has(e.key))]; ui.next = reply.next }
  ctx.draw()
}
async function loadHistory(ctx) { const reply = await ctx.ask('history'); ctx.ui.history = reply.steps || []; ctx.draw() }
function historyNode({ui, t}) {
  if (!ui.history) return h('p.meta', {key: 'wait'}, t('Loading…'))
  return ui.history.length ? h('ol.history', {key: 'history'}, ui.history.map(s => h('li', {key: s.key}, h('span.dot', null, icon(s.glyph)), h('div', null, h('p', null, h('b', null, s.title), h('span.meta', null, `${s.who} · `, h('time', {datetime: s.iso, title: s.exact}, s.when)), s.undo && button('undo', 'undo', t('Undo'), {id_: s.step, class: 'quiet'})),
    s.changes.length ? h('dl.changes', null, s.changes.map(c => h('div', null, h('dt', null, c.label), h('dd', null, c.old && h('del', null, c.old), c.old && icon('arrow_forward'), h('ins', null, c.new || t('empty')))))) : null)))) : empty('history', t('No change yet.'))
}
