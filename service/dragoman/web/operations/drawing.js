/** Draws a timeline: what was said in which language, where the audio went otherwise, by which engine, and marks. */

import { clock } from '../captions.js';
import { codeOf } from '../languages.js';
import { engineSpans, marksWithin, placeOf, ticks, within } from './layout.js';
import { tones } from './made.js';

/** @import { Interval, Timeline } from './board.d.ts' */
/** @import { Window } from './layout.js' */

const SPEECH_Y = 22;
const SPEECH_H = 40;
const ENGINE_Y = 68;
const ENGINE_H = 16;
const HEIGHT = 108;
const LABEL_WIDTH = 26;
const SIGNS = { language: 'L', engine: 'E', warning: '!', error: '×' };
const PATTERNS = 6;

/**
 * @param {Timeline} timeline
 * @param {Window} window
 * @param {number} width in pixels
 * @param {(interval: Interval) => void} onChoose
 * @param {Interval | null} chosen
 */
export function drawn(timeline, window, width, onChoose, chosen) {
  const picture = shape('svg', { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, class: 'timeline' });
  picture.setAttribute('role', 'img');
  picture.setAttribute('aria-label', 'The timeline; the table below says the same.');
  picture.append(patterns());
  for (const interval of within(timeline.intervals, window)) picture.append(block(interval));
  for (const { engine, ...span } of engineSpans(timeline.marks, timeline.end_ms)) {
    if (span.start_ms >= window.toMs || span.end_ms <= window.fromMs) continue;
    const place = placeOf(span, window, width);
    const row = shape('g', {});
    row.append(shape('rect', { ...place, y: ENGINE_Y, height: ENGINE_H, class: 'engine' }));
    if (place.width > 7 * engine.length + 8) row.append(text(place.x + 4, ENGINE_Y + 12, engine, 'small'));
    row.append(title(`Engine: ${engine}, from ${clock(span.start_ms)}`));
    picture.append(row);
  }
  for (const mark of marksWithin(timeline.marks, window)) {
    if (mark.kind === 'engine' && mark.at_ms === 0) continue; // the engine's row begins with it
    const { x } = placeOf({ start_ms: mark.at_ms, end_ms: mark.at_ms }, window, width - 12);
    const sign = shape('g', { class: `mark ${mark.kind}` });
    sign.append(shape('line', { x1: x + 6, x2: x + 6, y1: 15, y2: ENGINE_Y + ENGINE_H }));
    sign.append(text(x + 6, 12, SIGNS[mark.kind], 'sign'), title(`${mark.kind} at ${clock(mark.at_ms)}: ${mark.label}`));
    picture.append(sign);
  }
  for (const at of ticks(window)) {
    const { x } = placeOf({ start_ms: at, end_ms: at }, window, width);
    const isLast = x > width - 40;
    picture.append(text(isLast ? width : x, HEIGHT - 4, clock(at), isLast ? 'tick last' : 'tick'));
  }
  return picture;

  /** @param {Interval} interval */
  function block(interval) {
    const place = placeOf(interval, window, width);
    const tone = interval.locale ? tones.of(interval.locale) : '';
    const kind = interval.kind.replace(' ', '-');
    const group = shape('g', { class: `block ${kind} ${tone}${interval === chosen ? ' chosen' : ''}` });
    group.append(shape('rect', { ...place, y: SPEECH_Y, height: SPEECH_H, class: 'fill' }));
    const pattern = interval.locale ? `url(#pattern-${tone})` : `url(#pattern-${kind})`;
    group.append(shape('rect', { ...place, y: SPEECH_Y, height: SPEECH_H, fill: pattern, class: 'over' }));
    const label = interval.locale ? codeOf(interval.locale).toUpperCase() : '';
    if (label && place.width > LABEL_WIDTH) {
      group.append(shape('rect', { x: place.x + 3, y: SPEECH_Y + 11, width: 22, height: 17, rx: 3, class: 'plate' }));
      group.append(text(place.x + 14, SPEECH_Y + 24, label, 'code'));
    }
    group.append(title(`${clock(interval.start_ms)} to ${clock(interval.end_ms)}: ${interval.locale ?? interval.kind}`));
    group.addEventListener('click', () => onChoose(interval));
    return group;
  }
}

/** Return a sample of how a kind of interval is drawn. @param {string} className of the interval @param {string} pattern */
export function sample(className, pattern) {
  const picture = shape('svg', { width: 26, height: 16, class: 'timeline sample' });
  picture.setAttribute('aria-hidden', 'true');
  const group = shape('g', { class: `block ${className}` });
  group.append(shape('rect', { x: 0, y: 0, width: 26, height: 16, class: 'fill' }));
  group.append(shape('rect', { x: 0, y: 0, width: 26, height: 16, fill: `url(#pattern-${pattern})`, class: 'over' }));
  picture.append(group);
  return picture;
}

/** Every tone has lines of its own direction, so that colours are not needed to tell them apart. */
function patterns() {
  const all = shape('defs', {});
  for (let tone = 0; tone < PATTERNS; tone++) {
    const pattern = shape('pattern', {
      id: `pattern-tone-${tone}`,
      width: 8,
      height: 8,
      patternUnits: 'userSpaceOnUse',
      patternTransform: `rotate(${[0, 45, 135, 90, 20, 160][tone]})`,
    });
    if (tone) pattern.append(shape('line', { x1: 0, x2: 0, y1: 0, y2: 8, class: 'hatch' }));
    all.append(pattern);
  }
  for (const [name, turn, size] of /** @type {const} */ ([['lost', 45, 5], ['discarded', 135, 5], ['no-speech', 0, 6]])) {
    const pattern = shape('pattern', {
      id: `pattern-${name}`,
      width: size,
      height: size,
      patternUnits: 'userSpaceOnUse',
      patternTransform: `rotate(${turn})`,
    });
    if (name === 'no-speech') pattern.append(shape('circle', { cx: 3, cy: 3, r: 0.8, class: 'dot' }));
    else pattern.append(shape('line', { x1: 0, x2: 0, y1: 0, y2: size, class: 'hatch' }));
    if (name === 'lost') pattern.append(shape('line', { x1: 0, x2: size, y1: 0, y2: 0, class: 'hatch' }));
    all.append(pattern);
  }
  return all;
}

/** @param {string} tag @param {Record<string, string | number>} attributes */
function shape(tag, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/** @param {number} x @param {number} y @param {string} content @param {string} className */
function text(x, y, content, className) {
  const element = shape('text', { x, y, class: className });
  element.textContent = content;
  return element;
}

/** @param {string} content */
function title(content) {
  const element = shape('title', {});
  element.textContent = content;
  return element;
}
