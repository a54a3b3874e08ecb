// One completion: from prompt tokens to text, in a slot of its own.
import {StopMatcher} from "./stop.mjs";
import {TextStream} from "./vocabulary.mjs";
import {Timings} from "./timings.mjs";

// Small enough to notice soon that a client has left, and for other slots' tokens to pass between; reading in
// steps of 512 was measured no faster.
const kReadStep = 128;

/**
 * Waits for a slot, then generates. `onToken(text, timings)` is called for each token with the text that it made
 * visible, perhaps none, before the next token is computed. Resolves to {finish, prompt, timings}.
 */
export async function complete(engine, prompt, request, signal, onToken) {
    const sequence = await engine.slots.acquire(request.cachePrompt ? prompt : [], signal);
    try {
        return await generate(engine, sequence, prompt, request, signal, onToken);
    } finally {
        engine.slots.release(sequence);
    }
}

async function generate(engine, sequence, prompt, request, signal, onToken) {
    const timings = new Timings();
    timings.cached = await keepPrefix(sequence, request.cachePrompt ? prompt : []);
    timings.evaluated = prompt.length - timings.cached;
    const rest = await readAhead(sequence, prompt.slice(timings.cached), signal);

    const text = new TextStream(engine.vocabulary);
    const stop = new StopMatcher(request.stop);
    const budget = Math.min(request.maxTokens, engine.contextSize - prompt.length);
    let finish = "length";
    for await (const token of sequence.evaluate(rest, samplingFor(engine, request))) {
        signal.throwIfAborted();
        timings.token();
        const ended = engine.vocabulary.ends.has(token) && !request.ignoreEos;
        const shown = ended ? "" : stop.push(text.push(token));
        if (ended || stop.stopped) finish = "stop";
        const last = finish === "stop" || timings.predicted >= budget;
        onToken(last ? shown + stop.flush() : shown, timings);
        if (last) break;
    }
    return {finish, prompt, timings};
}

function samplingFor(engine, {sampling, ignoreEos}) {
    return {...sampling, yieldEogToken: true, tokenBias: ignoreEos ? engine.neverEnd : undefined};
}

/** Drops what the sequence holds beyond its common prefix with `prompt`; returns how many tokens stay. */
async function keepPrefix(sequence, prompt) {
    const same = sequence.compareContextTokens(prompt).firstDifferentIndex;
    // The last prompt token is evaluated always: its output is what the first token is drawn from.
    const keep = Math.max(0, Math.min(same, prompt.length - 1));
    if (keep === 0) await sequence.clearHistory();
    else await sequence.adaptStateToTokens(prompt.slice(0, keep), false);
    return sequence.nextTokenIndex;
}

/** Evaluates all of a long prompt but its last step, and returns that. */
async function readAhead(sequence, tokens, signal) {
    let done = 0;
    for (; tokens.length - done > kReadStep; done += kReadStep) {
        await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(done, done + kReadStep));
        signal.throwIfAborted();
    }
    return tokens.slice(done);
}
