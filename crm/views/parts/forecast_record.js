// The record of a forecast: its range, its error beside simple rules, whether chances came true
const ForecastRecord = part(({title, says, beaten = [], note, none, waiting, fault, tiles, errors = [], fan, calibration = []}, {t, ui}) => {
  const chosen = calibration.find(one => one.key === ui.of) || calibration[0]
  return h('section.record-of', {label: title}, h('h2', {key: 'h'}, title),
    waiting && h('p.waiting', {role: 'status', key: 'waiting'}, h('span.spin'), waiting), fault && h('p.errors', {role: 'alert', key: 'fault'}, fault), none && empty('insights', none),
    tiles && [says && h('p.says', {key: 'says'}, says), !says && beaten.length ? h('p.says', {key: 'beaten'}, icon('warning'), t('A simple rule was better: {rules}.', {rules: beaten.join(', ')})) : null,
      figureTiles(tiles),
      h('div.proofs', {key: 'proofs'},
        h('figure', {key: 'errors', label: t('Mean error of a month')}, h('figcaption', null, t('Mean error of a month')), h('table.rules', null, h('tbody', null, errors.map(one => h('tr', {key: one.label, class: [one.us ? 'us' : '', one.better ? 'better' : ''].join(' ')},
          h('th', {scope: 'row'}, one.label, one.better && h('small', null, ` ${t('better than the forecast')}`)), h('td', {'aria-hidden': 'true'}, h('i', {style: `width:${one.share}%`})), h('td.num', null, one.text)))))),
        h('figure', {key: 'replay', label: t('What was said a month ahead, and what came')}, h('figcaption', null, t('What was said a month ahead, and what came')), fanChart(fan, t('What was said a month ahead, and what came'), {apart: true, legend: [['band', t('The range that was said')], ['came', t('What came')], ...(fan.columns.some(c => c.miss) ? [['came miss', t('Outside the range')]] : [])]})),
        chosen && h('figure', {key: 'calibration', label: t('Whether chances came true')}, h('figcaption', null, t('Whether chances came true'), h('div.opts', {role: 'group', label: t('Whether chances came true')}, calibration.map(one => h('button', {type: 'button', act: 'of', id_: one.key, key: one.key, 'aria-pressed': String(one === chosen)}, one.label)))),
          chosen.points.length ? h('div.honest', {key: 'points', role: 'group', label: t('Whether chances came true')}, h('svg', {viewBox: '0 0 100 100', preserveAspectRatio: 'none', 'aria-hidden': 'true'}, h('svg:line', {x1: 0, y1: 100, x2: 100, y2: 0})), h('small.diagonal', null, t('on the line is honest')),
            chosen.points.map((p, i) => h('i', {key: String(i), title: p.tip, style: `left:${p.x}%;bottom:${p.y}%;width:${p.size}px;height:${p.size}px`}, h('span.sr', null, p.tip))), h('small.xaxis', null, t('Chance that was said')), h('small.yaxis', null, t('What came true')))
            : h('table.figures', {key: 'lines'}, h('thead', null, h('tr', null, h('th', {scope: 'col'}, chosen.label), h('th.num', {scope: 'col'}, t('How many')), h('th.num', {scope: 'col'}, t('Said')), h('th.num', {scope: 'col'}, t('Came true')))),
              h('tbody', null, chosen.lines.map(cells => h('tr', {key: cells[0]}, h('th', {scope: 'row'}, cells[0]), cells.slice(1).map((text, i) => h('td.num', {key: String(i)}, text)))))))),
      h('p.meta', {key: 'note'}, note)])
}, {of(ctx, el) { ctx.ui.of = el.dataset.id_; ctx.draw() }})
