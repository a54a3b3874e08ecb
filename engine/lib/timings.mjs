// The engine's own clock for one completion, reported under llama-server's names.

const now = process.hrtime.bigint;
const ms = (from, to) => Number(to - from) / 1e6;
const ratio = (a, b) => (b > 0 ? a / b : 0);

/**
 * Runs from the start of the engine's work. The prompt phase ends when the first token is sampled and the
 * prediction starts there: n tokens therefore take n - 1 steps of `predicted_ms`, as in llama-server.
 */
export class Timings {
    #start = now();
    #first = this.#start;
    #last = this.#start;
    cached = 0;
    evaluated = 0;
    predicted = 0;

    token() {
        this.#last = now();
        if (this.predicted++ === 0) this.#first = this.#last;
    }

    toJSON() {
        const promptMs = ms(this.#start, this.#first);
        const predictedMs = ms(this.#first, this.#last);
        return {
            cache_n: this.cached,
            prompt_n: this.evaluated,
            prompt_ms: promptMs,
            prompt_per_token_ms: ratio(promptMs, this.evaluated),
            prompt_per_second: ratio(this.evaluated * 1000, promptMs),
            predicted_n: this.predicted,
            predicted_ms: predictedMs,
            predicted_per_token_ms: ratio(predictedMs, this.predicted),
            predicted_per_second: ratio(this.predicted * 1000, predictedMs)
        };
    }
}
