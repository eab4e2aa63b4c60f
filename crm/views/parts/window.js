// The edge of a view in a notebook. Several views may stand in one notebook: each answers only to what was clicked inside itself.
const Window = part((content, {ui, t}) => h('header.window', null,
  h('nav.where', {label: t('Path')}, content.back && button('back', 'arrow_back', '', {label: t('Back')}), h('ol.crumbs', null, (content.crumbs || []).map(c => h('li', {key: c.href}, h('a', {href: c.href}, c.label))), h('li', {key: 'now'}, h('span', {'aria-current': 'page'}, content.title)))),
  ui.dead && h('p.lost', {role: 'status', key: 'dead'}, icon('wifi_off'), h('span', null, t('Python does not answer: this is how the view was when its cell ran. Run the cell again to work in it.')))), {
  start(ctx) {
    const {model, view, ui} = ctx, frame = () => view.parent?.el, mine = e => e.composedPath().includes(frame())
    if (model.content.icons && ![...document.fonts].some(one => one.family.includes('Material Icons Outlined'))) {
      const font = new FontFace('Material Icons Outlined', `url(${model.content.icons})`); document.fonts.add(font); font.load()
    }
    // a notebook says by itself whether it is dark
    const shade = () => { const said = document.body.dataset.jpThemeLight, box = frame(); if (box && said) box.style.colorScheme = said === 'false' ? 'dark' : 'light' }
    const seen = new MutationObserver(shade); seen.observe(document.body, {attributes: true, attributeFilter: ['data-jp-theme-light']}); queueMicrotask(shade)
    let last = false, asked = null
    // the kernel is asked when the view is shown and when somebody works in it
    const knock = wait => {
      if (asked) return
      asked = setTimeout(() => { asked = null; ui.dead = true; ctx.draw() }, wait)
      ctx.ask('alive').then(answer => { if (!answer.alive) return; clearTimeout(asked); asked = null; if (ui.dead) { ui.dead = false; ctx.draw() } })
    }
    const used = e => { last = mine(e); if (last && e.type !== 'pointerup') knock(4000) }
    const to = query => model.send_msg({type: 'go', query: query.replace(/^\?/, '')})
    const click = e => {
      const a = mine(e) && e.composedPath().find(n => n.tagName === 'A'); if (!a || !a.getAttribute('href')?.startsWith('?')) return
      e.preventDefault(); e.stopPropagation(); to(a.getAttribute('href'))
    }
    const jump = e => { if (last) to(e.detail) }
    const back = e => { if (last) { e.preventDefault(); model.send_msg({type: 'back'}) } }
    // keys typed in a view are the view's: the notebook has commands on plain letters
    const keys = e => { if (mine(e)) e.stopPropagation() }
    const box = frame(); box?.addEventListener('keydown', keys)
    addEventListener('pointerdown', used, true); addEventListener('keydown', used, true); addEventListener('click', click, true); addEventListener('crm:go', jump); addEventListener('crm:back', back)
    ctx.off = () => { seen.disconnect(); clearTimeout(asked); box?.removeEventListener('keydown', keys); removeEventListener('pointerdown', used, true); removeEventListener('keydown', used, true); removeEventListener('click', click, true); removeEventListener('crm:go', jump); removeEventListener('crm:back', back) }
    setTimeout(() => knock(10000), 500)
  },
  stop: ctx => ctx.off?.(),
  back: ctx => ctx.tell('back'),
})
