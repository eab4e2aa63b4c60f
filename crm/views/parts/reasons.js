// Reasons: the score as a figure, then what adds to it and what takes from it, each with its points.
const Reasons = part(({title, score, rating, color, lines = [], say}, {t}) => h('section.reasons', {label: title},
  h('h2', null, title),
  h('p.total', null, h('b', null, score), h('small', null, t('of 100')), rating && h('span.stage', {style: `--dot:${dotColor(color)}`}, rating)),
  h('ul', null, lines.map((line, i) => h('li', {key: `l${i}`, class: line.tone}, h('span.what', null, line.text), h('b.num', null, line.show), Number(line.share) > 0 && h('i', {'aria-hidden': 'true', style: `width:${Math.max(2, Math.min(100, Number(line.share) || 0))}%`})))),
  h('p.meta', null, say)))
