/** Wires the page: controls to a run, and what the run has to show. */

import { listMicrophones } from './capture.js';
import { Captions } from './captions.js';
import { save } from './export.js';
import { getKey, knownKey } from './key.js';
import { listed, nameOf } from './languages.js';
import { Run } from './run.js';
import { Settings } from './settings.js';
import { Status } from './status.js';
import { explained } from './trouble.js';
import { View } from './view.js';

/** @import { Source } from './run.js' */

const SIZES = 6;
const TICK_MS = 250;

/** @type {Run | null} */
let run = null;
/** Whether the run may still bring something. */
let isRunning = false;
let isDue = false;

const start = /** @type {HTMLButtonElement} */ (part('start'));
const device = /** @type {HTMLSelectElement} */ (part('device'));
const captionsIn = /** @type {HTMLSelectElement} */ (part('captions-in').querySelector('select'));
const sourceForm = /** @type {HTMLFormElement} */ (part('source'));
const saveButtons = part('save').querySelectorAll('button');
const view = new View();
const status = new Status();
const settings = new Settings(/** @type {HTMLFormElement} */ (part('settings')), (targets) => {
  if (!isRunning && !run) view.arrange(targets);
});

start.addEventListener('click', () => {
  if (!isRunning) void begin();
  else if (!isStarting()) void run?.stop();
});
document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape' && isRunning && !isStarting() && !run?.isStopping) void run?.stop();
});
addEventListener('beforeunload', (event) => {
  if (isRunning) event.preventDefault();
});
sourceForm.addEventListener('submit', (event) => event.preventDefault());
sourceForm.addEventListener('change', showChoice);
device.addEventListener('change', () => {
  if (isRunning) run?.switchTo(device.value).catch(complain);
});
navigator.mediaDevices?.addEventListener('devicechange', () => void offerDevices());
for (const button of saveButtons) button.addEventListener('click', () => void saveAs(button.value));
part('smaller').addEventListener('click', () => resize(-1));
part('larger').addEventListener('click', () => resize(1));
setInterval(() => isRunning && render(), TICK_MS);
showChoice();
void offerLanguages();
void offerDevices();
resize(0);

async function begin() {
  const source = chosenSource();
  if (!source) return;
  const previous = run;
  const current = (run = new Run(schedule));
  isRunning = true;
  complain('');
  control();
  /** @type {Promise<WakeLockSentinel | null> | undefined} */
  let awake;
  try {
    await current.start(source, settings.wishes, getKey);
    view.clear(settings.wishes.translate ?? []);
    awake = navigator.wakeLock?.request('screen').catch(() => null);
    void offerDevices();
    await current.done;
  } catch (error) {
    current.state = { kind: 'failed' };
    if (!current.done) run = previous ?? current; // it did not even begin: what was there stays
    complain(error);
  } finally {
    isRunning = false;
    void awake?.then((lock) => lock?.release());
    control();
    render();
  }
}

/** @returns {Source | null} */
function chosenSource() {
  const kind = sourceKind();
  if (kind === 'microphone') return { kind, deviceId: device.value };
  if (kind === 'tab') return { kind };
  const file = /** @type {HTMLInputElement} */ (part('file')).files?.[0];
  if (!file) complain('Choose a file first.');
  return file ? { kind: 'file', file, isFast: /** @type {HTMLInputElement} */ (part('fast')).checked } : null;
}

function schedule() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    render();
  });
}

function render() {
  if (!run) return;
  const { captions } = run;
  view.show(captions, isRunning);
  status.show(run);
  control();
}

/** Let controls do what can be done now. */
function control() {
  const isLive = isRunning && !run?.isStopping;
  const label = isLive ? 'Stop' : isRunning ? 'Leave' : 'Start';
  if (start.textContent !== label) start.textContent = label;
  start.classList.toggle('stop', isRunning);
  start.setAttribute('aria-disabled', String(isRunning && isStarting()));
  settings.isDisabled = isRunning;
  for (const field of sourceForm.querySelectorAll('input')) field.disabled = isRunning;
  device.disabled = isRunning && !isLive;
  for (const button of saveButtons) button.disabled = !run?.sessionId;
  offerTargets(run?.captions ?? new Captions());
}

/** @param {Captions} captions */
function offerTargets({ targets }) {
  if (captionsIn.dataset.targets === targets.join()) return;
  captionsIn.dataset.targets = targets.join();
  part('captions-in').hidden = targets.length === 0;
  const options = targets.map((each) => new Option(nameOf(each), each));
  captionsIn.replaceChildren(new Option('the languages spoken', ''), ...options);
}

async function offerLanguages() {
  const answer = await fetch(new URL('readyz', document.baseURI)).catch(() => null);
  const body = await answer?.json().catch(() => null);
  if (!answer?.ok) {
    complain(body?.error?.message ?? 'The server cannot be reached; reload the page once it runs.');
    return;
  }
  const { locales } = body.transcription;
  settings.offer(locales, body.translation.targets);
  part('known').textContent = `This server knows ${listed(locales.map(nameOf).sort())}.`;
}

async function offerDevices() {
  const found = await listMicrophones();
  const chosen = run?.deviceId ?? device.value;
  const options = found.map(({ label, deviceId }) => new Option(label, deviceId));
  device.replaceChildren(new Option('Usual microphone', ''), ...options);
  if (found.some(({ deviceId }) => deviceId === chosen)) device.value = chosen;
}

function showChoice() {
  for (const choice of /** @type {NodeListOf<HTMLElement>} */ (sourceForm.querySelectorAll('[data-source]')))
    choice.hidden = choice.dataset.source !== sourceKind();
}

function sourceKind() {
  const checked = /** @type {HTMLInputElement} */ (sourceForm.querySelector('input[name="source"]:checked'));
  return /** @type {Source['kind']} */ (checked.value);
}

function isStarting() {
  return run?.state.kind === 'starting';
}

/** @param {string} format */
async function saveAs(format) {
  if (!run?.sessionId) return;
  const wanted = /** @type {import('./export.js').Format} */ (format);
  await save(run.sessionId, wanted, captionsIn.value, knownKey()).then(() => complain(''), complain);
}

/** Tell what is wrong, and what to do; with `''`, that nothing is. @param {unknown} error */
function complain(error) {
  part('problem').textContent = explained(error);
}

/** Make the text larger or smaller; the size is remembered. @param {number} by */
function resize(by) {
  const root = document.documentElement;
  const known = Number(by ? root.dataset.size : (localStorage.getItem('dragoman-size') ?? root.dataset.size));
  root.dataset.size = String(Math.max(0, Math.min(SIZES - 1, known + by)));
  localStorage.setItem('dragoman-size', root.dataset.size);
}

/** @param {string} id */
function part(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
