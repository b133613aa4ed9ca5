/** What `GET /v1/operations/monitor` tells: live quality, objectives, drift, alerts and budgets. */

export type Burn = {
  rate: number; long_s: number; short_s: number; severity: number;
  long: number | null; short: number | null; is_burning: boolean;
};
export type Objective = {
  name: string; title: string; of: string; goal: number; within_ms: number | null; days: number;
  good: number; total: number; attained: number | null; budget_left: number | null; burns: Burn[];
};
/** When (Unix time in ms), how many, and their mean. */
export type Hour = [number, number, number | null];
export type Signal = {
  signal: string; title: string; unit: string; of: string; side: 'input' | 'output'; worse: 'lower' | 'higher' | null;
  locale: string; engine: string; n: number; mean: number | null; p50: number | null; p95: number | null; hours: Hour[];
};
export type Finding = {
  signal: string; title: string; side: 'input' | 'output'; locale: string; engine: string;
  test: 'ks' | 'psi'; outcome: 'drift' | 'same' | 'unknown'; n: number; days: number;
  distance: number | null; usual: number | null; p: number | null; before: number | null; after: number | null;
};
export type Alert = {
  type: 'alert'; state: 'fired' | 'resolved'; rule: string; subject: string; severity: number; message: string;
  since_ms: number;
};
export type Account = {
  tenant: string; month_ms: number; spent_usd: number; reserved_usd: number; limit_usd: number | null;
  used: number | null; audio_s: number; characters: number; prompt_tokens: number; completion_tokens: number;
};
export type Monitored = {
  as_of_ms: number; tenant: string | null; hours: number; objectives: Objective[];
  /** By objective: when, how many were good, and of how many. */
  outcomes: Record<string, [number, number, number][]>;
  signals: Signal[];
  drift: {
    day: string; since: string; until: string; alpha: number;
    least: { ks: number; psi: number; n: number; days: number }; findings: Finding[];
  };
  alerts: Alert[]; budgets: Account[];
};
