// node recognize.mjs ENDPOINT KEY MODE PCM: the Speech SDK for JavaScript, unmodified; prints what it said as JSON.
import { readFileSync } from "node:fs";
import * as sdk from "microsoft-cognitiveservices-speech-sdk";

const [endpoint, key, mode, file] = process.argv.slice(2);
const LANGUAGES = ["en-US", "es-ES", "de-DE", "fr-FR"];

const stream = sdk.AudioInputStream.createPushStream(sdk.AudioStreamFormat.getWaveFormatPCM(16000, 16, 1));
const pcm = readFileSync(file);
stream.write(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.byteLength));
stream.close();
const audio = sdk.AudioConfig.fromStreamInput(stream);

const url = new URL(endpoint);
const identifies = mode.endsWith("at-start") || mode.endsWith("continuously");
const config = mode.startsWith("translate")
  ? sdk.SpeechTranslationConfig.fromEndpoint(url, key)
  : sdk.SpeechConfig.fromEndpoint(url, key);
config.outputFormat = sdk.OutputFormat.Detailed;
config.setProperty("SPEECH-TransmitLengthBeforThrottleMs", "60000");
if (!identifies) config.speechRecognitionLanguage = "es-ES";
if (mode.startsWith("translate")) ["en", "de"].forEach((target) => config.addTargetLanguage(target));

const among = sdk.AutoDetectSourceLanguageConfig.fromLanguages(LANGUAGES);
among.mode = mode.endsWith("continuously") ? sdk.LanguageIdMode.Continuous : sdk.LanguageIdMode.AtStart;

const told = { shown: [], finals: [], cancelled: [] };

function final(result) {
  if (!result.text) return;
  told.finals.push({
    text: result.text,
    offset: result.offset,
    duration: result.duration,
    language: identifies ? sdk.AutoDetectSourceLanguageResult.fromResult(result).language : null,
    speaker: result.speakerId,
    translations: Object.fromEntries((result.translations?.languages ?? []).map((each) => [each, result.translations.get(each)])),
  });
}

function finish() {
  console.log(JSON.stringify(told));
  process.exit(0);
}

function made() {
  if (mode.startsWith("converse")) return new sdk.ConversationTranscriber(config, audio);
  const kind = mode.startsWith("translate") ? sdk.TranslationRecognizer : sdk.SpeechRecognizer;
  return identifies ? kind.FromConfig(config, among, audio) : new kind(config, audio);
}

const recognizer = made();
if (mode === "once") {
  recognizer.recognizeOnceAsync((result) => { final(result); finish(); }, (error) => { told.cancelled.push(error); finish(); });
} else {
  const conversation = mode.startsWith("converse");
  recognizer[conversation ? "transcribing" : "recognizing"] = (_, event) => told.shown.push(event.result.text);
  recognizer[conversation ? "transcribed" : "recognized"] = (_, event) => final(event.result);
  recognizer.canceled = (_, event) => {
    told.cancelled.push(`${sdk.CancellationReason[event.reason]} ${event.errorDetails ?? ""}`.trim());
    if (event.reason === sdk.CancellationReason.Error) finish();
  };
  recognizer.sessionStopped = finish;
  const start = conversation ? "startTranscribingAsync" : "startContinuousRecognitionAsync";
  recognizer[start](() => {}, (error) => { told.cancelled.push(error); finish(); });
}
