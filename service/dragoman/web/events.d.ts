/**
 * What travels on a stream, for editors and type checkers; browsers never load this file.
 * It follows `dragoman/domain/events.py` and `dragoman/domain/messages.py`; docs/protocol.md explains it.
 */

export interface AudioFormat {
  encoding?: 'pcm_s16le' | 'pcm_f32le' | 'mulaw' | 'alaw';
  sample_rate_hz?: number;
  channels?: number;
}

/** What an engine cannot do of this it names in a warning. */
export interface Recognition {
  phrases?: string[];
  speakers?: boolean;
  dictation?: boolean;
  end_silence_ms?: number;
}

/** The fields of `configure`. */
export interface Wishes {
  audio?: AudioFormat;
  languages?: string[];
  lid?: 'continuous' | 'at-start';
  translate?: string[];
  word_times?: boolean;
  recognition?: Recognition;
  insight?: string;
  polish?: boolean;
  partials?: boolean;
  channel?: number;
  source?: string;
}

export interface Claim { text: string; utterance_ids: string[] }

/** What follows from a conversation; `engine` is "extractive" if no language model was asked. */
export interface Insight {
  language: string;
  summary: Claim[];
  topics: { name: string; utterance_ids: string[] }[];
  action_items: { task: string; owner: string | null; quote: string; utterance_ids: string[] }[];
  open_questions: Claim[];
  sentiment: { sentiment: 'positive' | 'neutral' | 'negative'; utterance_ids: string[] }[];
  languages: { locale: string; share: number }[];
  engine: string; model: string | null; prompt_version: string;
  withheld: string[]; dropped: number; blocked: string[];
  costs: { node: string; took_ms: number; prompt_tokens: number; completion_tokens: number; cost_usd: number | null }[];
}

export interface Ledger {
  accepted_samples: number;
  final_samples: number;
  text_samples: number;
  lost_samples: number;
  discarded_samples: number;
  sample_rate_hz: number;
}

type Durable<Type extends string, Fields> = { type: Type; session_id: string; seq: number } & Fields;
type Ephemeral<Type extends string, Fields> = { type: Type; session_id: string; after_seq: number } & Fields;

export type SessionStarted = Durable<'session.started', {
  engine: string; model: string | null; lid: string; candidates: string[]; targets: string[];
  source: string | null; channel: number | null;
}>;
export type TranscriptPartial = Ephemeral<'transcript.partial', {
  utterance_id: string; rev: number; text: string; stable_len: number; start_ms: number; end_ms: number;
  locale: string; channel: number | null;
}>;
export type TranscriptFinal = Durable<'transcript.final', {
  utterance_id: string; text: string; start_ms: number; end_ms: number; locale: string;
  locale_confidence: number | null; locale_margin: number | null; changed_from: string | null; speaker: string | null; channel: number | null;
  translates_to: string[]; engine: string;
  latency: { since_speech_end_ms: number | null; decode_ms: number | null };
}>;
export type TranslationPartial = Ephemeral<'translation.partial', {
  utterance_id: string; source_rev: number; target: string; text: string; stable_len: number;
}>;
export type SessionEnded = Durable<'session.ended', {
  reason: 'completed' | 'failed' | 'cancelled'; ledger: Ledger; utterances: number;
  translations: { target: string; final: number; failed: number; skipped: number }[];
}>;
export type AudioAck = Ephemeral<'audio.ack', { accepted_samples: number; durability: string }>;

export type DurableEvent =
  | SessionStarted
  | TranscriptFinal
  | SessionEnded
  | Durable<'speech.started' | 'speech.ended', { at_ms: number }>
  | Durable<'language.detected', { locale: string; confidence: number | null; at_ms: number }>
  | Durable<'language.changed', { locale: string; changed_from: string; confidence: number | null; at_ms: number }>
  | Durable<'transcript.polished', {
      utterance_id: string; text: string; translations: Record<string, string>;
      changes: { was: string; now: string; why: string }[]; engine: string;
    }>
  | Durable<'translation.final', { utterance_id: string; target: string; text: string; engine: string }>
  | Durable<'translation.failed', { utterance_id: string; target: string; code: string; message: string }>
  | Durable<'insight.ready', { is_final: boolean; insight: Insight }>
  | Durable<'insight.failed', { is_final: boolean; code: string; message: string }>
  | Durable<'engine.changed', { engine: string; changed_from: string; reason: string; at_ms: number }>
  | Durable<'audio.lost', { start_ms: number; end_ms: number; samples: number; reason: string }>
  | Durable<'warning', { code: string; message: string }>
  | Durable<'error', { code: string; message: string; retryable: boolean; retry_after_ms: number | null }>;
export type StreamEvent = DurableEvent | AudioAck | TranscriptPartial | TranslationPartial;

export interface ConnectionClosing {
  type: 'connection.closing';
  session_id: string | null;
  code: string;
  message: string;
  retryable: boolean;
  retry_after_ms: number | null;
}

/** How the connection stands. `waiting` until the clock (`Date.now()`) shows `untilMs`, then another one is tried. */
export type StreamState =
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'waiting'; untilMs: number; reason: string };
