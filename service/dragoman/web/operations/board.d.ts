/**
 * What operators are told, for editors and type checkers; browsers never load this file.
 * It follows `dragoman/operations/`; docs/operations.md explains it.
 */

export interface Session {
  session_id: string;
  tenant: string;
  created_ms: number;
  is_open: boolean;
  reason: string | null;
  kind: 'file' | 'stream';
  source: string | null;
  lid: string | null;
  locale: string | null;
  engine: string | null;
  engine_changes: number;
  finals: number;
  settled_ms: number;
  lost_ms: number;
  discarded_ms: number;
  waiting_ms: number | null;
  final_p50_ms: number | null;
  final_p95_ms: number | null;
  errors: number;
  warnings: number;
  holder: string | null;
}

type Values = (number | null)[];

export interface Series {
  interval_s: number;
  at_s: number[];
  streams: Values;
  behind_ms: Values;
  finals: Values;
  errors: Values;
  warnings: Values;
  final_p50_ms: Values;
  final_p95_ms: Values;
  partial_p50_ms: Values;
  partial_p95_ms: Values;
  word_p50_ms: Values;
  word_p95_ms: Values;
}

export interface Health {
  name: string;
  state: 'closed' | 'open' | 'half-open';
  failures: number;
  rests_s: number;
}

/** Where audio went, in samples. */
export interface Ledger {
  tenant: string;
  sessions: number;
  open: number;
  accepted: number;
  final: number;
  text: number;
  lost: number;
  discarded: number;
  waiting: number;
}

export interface Problem {
  session_id: string;
  tenant: string;
  session_created_ms: number;
  at_ms: number;
  severity: 'error' | 'warning';
  code: string;
  message: string;
}

export interface Cost {
  tenant: string;
  audio_s: number;
  characters: number;
  prompt_tokens: number;
  completion_tokens: number;
  usd: number;
}

export interface Snapshot {
  at_ms: number;
  tenant: string | null;
  hours: number;
  sessions: Session[];
  counted: { sessions: number; open: number; added_up: number };
  series: Series;
  latency: { finals: number; p50_ms: number | null; p95_ms: number | null };
  languages: { locale: string; speech_ms: number; share: number }[];
  translations: { target: string; final: number; failed: number }[];
  engines: { health: Record<string, Health[]>; failovers: number; speech_ms: Record<string, number> };
  ledger: Ledger[];
  codes: { severity: 'error' | 'warning'; code: string; number: number }[];
  problems: Problem[];
  costs: { as_of: string; source: string; tenants: Cost[] };
  replicas: { holder: string; sessions: number; is_heard_of: boolean }[];
  jobs: Record<string, number>;
  feedback: { ratings: Record<string, number>; mean: number | null; corrections: number };
}

export interface Interval {
  kind: 'speech' | 'no speech' | 'lost' | 'discarded';
  start_ms: number;
  end_ms: number;
  utterance_id: string | null;
  locale: string | null;
  engine: string | null;
  speaker: string | null;
  since_speech_end_ms: number | null;
  reason: string | null;
}

export interface Mark {
  kind: 'language' | 'engine' | 'warning' | 'error';
  at_ms: number;
  label: string;
}

export interface Timeline {
  session_id: string;
  tenant: string;
  created_ms: number;
  is_open: boolean;
  is_readable: boolean;
  settled_ms: number;
  lost_ms: number;
  discarded_ms: number;
  end_ms: number;
  intervals: Interval[];
  marks: Mark[];
}

export interface Claim {
  text: string;
  utterance_ids: string[];
}

/** What is used of a transcript: `dragoman/pipeline/transcript.py`. */
export interface Transcript {
  utterances: {
    utterance_id: string;
    locale: string;
    text: string;
    polished: string | null;
    translations: Record<string, string | null>;
  }[];
  insight: {
    language: string;
    engine: string;
    summary: Claim[];
    topics: { name: string; utterance_ids: string[] }[];
    action_items: { task: string; owner: string | null; utterance_ids: string[] }[];
    open_questions: Claim[];
  } | null;
}

export type Part = 'transcript' | 'translation' | 'insight';

export interface Feedback {
  feedback_id: string;
  created_ms: number;
  actor: string | null;
  kind: 'rating' | 'correction';
  part: Part;
  target: string | null;
  utterance_id: string | null;
  rating?: number;
  text?: string;
  comment: string | null;
}
