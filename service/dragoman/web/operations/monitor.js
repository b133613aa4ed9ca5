/** Asks the monitor now and then, and shows what it tells. */

import { explained } from '../trouble.js';
import { ask } from './api.js';
import { Chart } from './chart.js';
import { made } from './made.js';
import { put } from './panels.js';
import { QUALITY_PANELS, QUALITY_PLOTS } from './quality.js';

/** @import { Monitored } from './monitored.d.ts' */

const EVERY_MS = 60_000;

export class MonitorView {
  #problem = made('p', 'hint');
  #charts;
  /** @type {Record<string, HTMLElement>} */
  #panels = {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #next;
  #turn = 0;

  /** @param {HTMLElement} place */
  constructor(place) {
    const title = made('h2', '', 'How good it is');
    title.id = 'monitor-title';
    place.setAttribute('aria-labelledby', title.id);
    const plots = made('div', 'plots');
    const panels = made('div', 'panels');
    this.#problem.setAttribute('role', 'status');
    place.append(title, this.#problem, plots, panels);
    this.#charts = QUALITY_PLOTS.map(() => new Chart(plots));
    for (const { id, title: name } of QUALITY_PANELS) {
      const section = made('section', 'panel');
      const heading = made('h3', '', name);
      heading.id = `${id}-title`;
      section.setAttribute('aria-labelledby', heading.id);
      this.#panels[id] = made('div');
      this.#panels[id].id = id;
      section.append(heading, this.#panels[id]);
      panels.append(section);
    }
  }

  /** Show the last so many hours, of one tenant or all, and go on showing them. @param {string} hours @param {string} tenant */
  async follow(hours, tenant) {
    this.pause();
    const turn = this.#turn;
    const asked = new URLSearchParams({ hours, ...(tenant ? { tenant } : {}) });
    try {
      const told = await ask(`v1/operations/monitor?${asked}`);
      if (turn === this.#turn) this.show(told);
    } catch (error) {
      if (turn === this.#turn) this.#problem.textContent = explained(error);
    }
    if (turn === this.#turn) this.#next = setTimeout(() => void this.follow(hours, tenant), EVERY_MS);
  }

  /** Ask no more. */
  pause() {
    clearTimeout(this.#next);
    this.#turn += 1;
  }

  /** @param {Monitored} told */
  show(told) {
    this.#problem.textContent = '';
    QUALITY_PLOTS.forEach((plot, index) => this.#charts[index].show(plot(told)));
    for (const { id, show } of QUALITY_PANELS) put(this.#panels[id], show(told));
  }
}
