// The head of a meeting pack: what it is for, as of when, and how to take it away.
const PackHead = part(({heading, note, meta, acts = []}, {t, ui}) => h('header.packhead', null,
  heading && h('h2', null, heading), note && h('p', {class: heading || acts.length ? '' : 'meta'}, note), meta && h('p.meta', null, meta),
  acts.length ? h('div.bar', {role: 'group'}, acts.map(x => button('do', x.glyph, x.label, {id_: x.name, key: x.name, disabled: ui.busy || null})),
    ui.busy && h('span.meta', {role: 'status'}, t('Making it…'))) : null), {
  async do(ctx, el) {
    ctx.ui.busy = true; ctx.draw()
    const answer = await ctx.ask('do', {name: el.dataset.id_})
    ctx.ui.busy = false; ctx.draw()
    if (answer.file) { save_file(answer.file); ctx.say(ctx.t('Saved as {name}', {name: answer.file.name})) }
    if (answer.say) ctx.say(answer.say)
  },
})
