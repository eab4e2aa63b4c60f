// A box for a day. The browser writes the day in its own way, not in the reader's: `text` covers that until the box is edited.
const daybox = (text, hint, props) => h('span.daybox', null, h('input', {type: 'date', ...props}), h('span', {'aria-hidden': 'true', class: props.value ? '' : 'hint'}, props.value ? text : hint))
