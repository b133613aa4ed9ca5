/** Wires the operators' page: what the server tells to plots, panels and sessions. */

import { getKey, knownKey } from '../key.js';
import { explained } from '../trouble.js';
import { Chart } from './chart.js';
import { Feed } from './feed.js';
import { made, part } from './made.js';
import { moment } from './figures.js';
import { MonitorView } from './monitor.js';
import { PANELS, put, sessions, tiles } from './panels.js';
import { PLOTS } from './plots.js';
import { SessionView } from './session.js';

/** @import { Snapshot } from './board.d.ts' */
/** @import { FeedState } from './feed.js' */

const SESSION = /^#(s_[0-9a-f]{1,64})$/;
const STATES = { connecting: 'Connecting', live: 'Live', paused: 'Paused', waiting: 'Reconnecting', refused: 'Stopped' };

/** @type {Snapshot | null} */
let shown = null;
/** Tenants that were seen, if we see all of them. @type {Set<string>} */
const tenants = new Set();
const hours = /** @type {HTMLSelectElement} */ (part('hours'));
const tenant = /** @type {HTMLSelectElement} */ (part('tenant'));
const pause = /** @type {HTMLButtonElement} */ (part('pause'));
const view = new SessionView();
const charts = PLOTS.map(() => new Chart(part('plots')));
const monitor = new MonitorView(part('monitor'));
const feed = new Feed({ onSnapshot: show, onState: tell, key: knownKey });

for (const { id, title } of PANELS) {
  const section = made('section', 'panel');
  const name = made('h2', '', title);
  name.id = `${id}-title`;
  const body = made('div');
  body.id = id;
  section.setAttribute('aria-labelledby', name.id);
  section.append(name, body);
  part('panels').append(section);
}
hours.addEventListener('change', follow);
tenant.addEventListener('change', follow);
pause.addEventListener('click', () => (pause.ariaPressed === 'true' ? follow() : rest()));
addEventListener('hashchange', () => void route());
part('back').addEventListener('click', (event) => {
  event.preventDefault();
  const from = SESSION.exec(location.hash)?.[1];
  history.pushState(null, '', location.pathname);
  void route().then(() => /** @type {HTMLElement | null} */ (document.querySelector(`#sessions [data-key="${from}"]`))?.focus());
});
void begin();

async function begin() {
  try {
    await getKey('v1/operations?hours=1', 'Without a key there is nothing to see. Load the page again to enter it.');
  } catch (error) {
    complain(explained(error));
    tell({ kind: 'refused', reason: explained(error) });
    return;
  }
  follow();
  await route();
}

function follow() {
  const url = new URL('v1/operations/stream', document.baseURI);
  url.searchParams.set('hours', hours.value);
  if (tenant.value) url.searchParams.set('tenant', tenant.value);
  feed.follow(url.href);
  void monitor.follow(hours.value, tenant.value);
}

function rest() {
  feed.pause();
  monitor.pause();
}

/** Show a session, or the board. */
async function route() {
  const id = SESSION.exec(location.hash)?.[1];
  part('board').hidden = id !== undefined;
  part('session').hidden = id === undefined;
  document.title = `${id ? 'Session' : 'Operations'} · Dragoman`;
  if (!id) {
    if (shown) show(shown);
    return;
  }
  scrollTo(0, 0);
  part('session-title').focus();
  await view.open(id);
}

/** @param {Snapshot} snapshot */
function show(snapshot) {
  shown = snapshot;
  view.heard(snapshot.sessions);
  part('at').textContent = moment(snapshot.at_ms);
  offer(snapshot);
  if (part('board').hidden) return;
  put(part('tiles'), tiles(snapshot).map(tile));
  put(part('sessions'), sessions(snapshot, tenants.size > 1));
  PLOTS.forEach((plot, index) => charts[index].show(plot(snapshot)));
  for (const { id, show: drawn } of PANELS) put(part(id), drawn(snapshot));
  const { sessions: all, added_up: addedUp } = snapshot.counted;
  part('counted').textContent =
    all > addedUp ? `Delays, languages, trouble, characters and tokens are those of the newest ${addedUp} of ${all} sessions.` : '';
}

/** @param {{name: string, value: string, more?: string, kind: string}} figure */
function tile({ name, value, more, kind }) {
  const pair = made('div');
  const shownValue = made('dd', '', value);
  shownValue.dataset.kind = kind;
  pair.append(made('dt', '', name), shownValue);
  if (more) pair.append(made('dd', 'more', more));
  return pair;
}

/** Offer the tenants that we have seen; who sees one only has nothing to choose. @param {Snapshot} snapshot */
function offer({ ledger }) {
  const before = tenants.size;
  for (const each of ledger) tenants.add(each.tenant);
  if (tenants.size === before) return;
  const chosen = tenant.value;
  tenant.replaceChildren(new Option('All', ''), ...[...tenants].sort().map((each) => new Option(each, each)));
  tenant.value = chosen;
  part('tenants').hidden = tenants.size < 2;
}

/** @param {FeedState} state */
function tell(state) {
  const text = STATES[state.kind];
  const place = part('state');
  if (state.kind !== 'connecting' && place.textContent !== text) place.textContent = text;
  place.dataset.kind = { live: 'live', waiting: 'waiting', refused: 'failed', connecting: '', paused: '' }[state.kind];
  pause.ariaPressed = String(state.kind === 'paused');
  complain('reason' in state ? state.reason : '');
}

/** @param {string} reason */
function complain(reason) {
  if (part('problem').textContent !== reason) part('problem').textContent = reason;
}
