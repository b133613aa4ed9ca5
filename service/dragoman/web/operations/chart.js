/** Draws plots with uPlot, each with its legend, its words and its table. */

import { made } from './made.js';
import { latest, moment, times } from './figures.js';
import { inWords, rowsOf } from './plots.js';
import uPlot from '../uplot/uPlot.min.js';

/** @import { Data } from '../uplot/uPlot.min.js' */
/** @import { Plot } from './plots.js' */

const HEIGHT = 190;
const MOST_ROWS = 60;
/** Steps of time on the axis, a minute at least: no two of its labels are the same. */
const STEPS_S = [1, 5, 10, 15, 30, 60, 120, 360, 720, 1_440, 2_880, 7_200, 14_400].map((minutes) => 60 * minutes);

export class Chart {
  /** @type {uPlot | null} */
  #drawn = null;
  #shape = '';
  #figure = made('figure', 'plot');
  #canvas = made('div', 'canvas');
  #legend = made('ul', 'legend');
  #details = made('details');
  #table = made('table');
  /** @type {Plot | null} */
  #plot = null;

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#canvas.setAttribute('role', 'img');
    const scroll = made('div', 'scroll');
    scroll.append(this.#table);
    this.#details.append(made('summary', '', 'As a table'), scroll);
    this.#details.addEventListener('toggle', () => this.#tabulate());
    place.append(this.#figure);
    new ResizeObserver(() => this.#drawn?.setSize(this.#size)).observe(this.#canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#shape = '';
      if (this.#plot) this.show(this.#plot);
    });
  }

  /** @param {Plot} plot */
  show(plot) {
    this.#plot = plot;
    if (!this.#figure.childElementCount) {
      const caption = made('figcaption');
      caption.append(made('h3', '', plot.title), made('p', 'hint', plot.note));
      this.#figure.append(caption, this.#canvas, this.#legend, this.#details);
      this.#details.setAttribute('aria-label', `${plot.title}: figures`);
    }
    const data = /** @type {Data} */ ([plot.at, ...plot.lines.map(({ values }) => values)]);
    const shape = JSON.stringify(plot.lines.map(({ label, tone, dash }) => [label, tone, dash]));
    if (shape !== this.#shape) this.#draw(plot, data);
    else this.#drawn?.setData(data);
    this.#shape = shape;
    this.#canvas.setAttribute('aria-label', inWords(plot));
    this.#tell(plot);
    this.#tabulate();
  }

  get #size() {
    return { width: Math.max(200, this.#canvas.clientWidth), height: HEIGHT };
  }

  /** @param {Plot} plot @param {Data} data */
  #draw(plot, data) {
    this.#drawn?.destroy();
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue('--muted');
    const faint = style.getPropertyValue('--line');
    const axis = { stroke: ink, font: '12px system-ui, sans-serif', grid: { stroke: faint, width: 1 }, ticks: { show: false } };
    this.#drawn = new uPlot(
      {
        ...this.#size,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { show: false } },
        scales: { y: { range: (_, __, max) => [0, Math.max(1, 1.1 * (max ?? 0))] } },
        axes: [
          { ...axis, size: 30, space: 50, incrs: STEPS_S, values: (_, splits) => times(splits) },
          { ...axis, size: 58, values: (_, splits) => splits.map((each) => (Number.isInteger(each) ? plot.read(each) : null)) },
        ],
        series: [
          {},
          ...plot.lines.map(({ label, tone, dash, steps }) => ({
            label,
            stroke: style.getPropertyValue(`--plot-${tone}`),
            width: 2,
            dash,
            spanGaps: !steps,
            points: { show: !steps, size: 5 },
            ...(steps ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
          })),
        ],
      },
      data,
      this.#canvas,
    );
  }

  /** Say what the lines are, and where they are now. @param {Plot} plot */
  #tell({ lines, read }) {
    const items = lines.map(({ label, values, tone, dash }) => {
      const item = made('li');
      const sample = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
      const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
      for (const [name, value] of Object.entries({ x1: 0, x2: 28, y1: 4, y2: 4, 'stroke-width': 2.5 }))
        line.setAttribute(name, String(value));
      if (dash) line.setAttribute('stroke-dasharray', dash.join(' '));
      line.setAttribute('class', `plot-${tone}`);
      sample.setAttribute('class', 'sample');
      sample.setAttribute('aria-hidden', 'true');
      sample.append(line);
      item.append(sample, made('span', '', label), made('b', '', read(latest(values))));
      return item;
    });
    this.#legend.replaceChildren(...items);
  }

  #tabulate() {
    if (!this.#plot || !/** @type {HTMLDetailsElement} */ (this.#details).open) return;
    const { lines, read, title } = this.#plot;
    const rows = rowsOf(this.#plot);
    const head = made('tr');
    head.append(...['From', ...lines.map(({ label }) => label)].map((name) => made('th', '', name)));
    for (const each of head.children) each.setAttribute('scope', 'col');
    const body = made('tbody');
    for (const { atS, values } of rows.slice(0, MOST_ROWS)) {
      const row = made('tr');
      const at = made('th', '', moment(1000 * atS));
      at.setAttribute('scope', 'row');
      row.append(at, ...values.map((each) => made('td', 'number', read(each))));
      body.append(row);
    }
    const caption = rows.length
      ? `${title}, newest first${rows.length > MOST_ROWS ? `: the latest ${MOST_ROWS} of ${rows.length}` : ''}`
      : `${title}: nothing was measured in the last hour`;
    const header = made('thead');
    header.append(head);
    this.#table.replaceChildren(made('caption', '', caption), header, body);
  }
}
