import {unavailable} from "./problem.mjs";

const kMaxWaiting = 512;

/** How many tokens of `prompt` a sequence already holds from its start. */
const commonPrefix = (sequence, prompt) =>
    Math.min(prompt.length, sequence.compareContextTokens(prompt).firstDifferentIndex);

/** The engine's sequences. Each serves one request at a time; the others wait, first come first served. */
export class SlotPool {
    #free;
    #total;
    #waiting = [];
    #idle = [];

    constructor(sequences) {
        this.#free = [...sequences]; // least recently used first
        this.#total = sequences.length;
    }

    get total() {
        return this.#total;
    }

    /** The free sequence that shares the longest prefix with `prompt`, the least recently used among equals. */
    acquire(prompt, signal) {
        signal.throwIfAborted();
        if (this.#free.length > 0) return this.#take(prompt);
        if (this.#waiting.length >= kMaxWaiting) throw unavailable(`${kMaxWaiting} requests are waiting already`);
        return this.#wait(prompt, signal);
    }

    release(sequence) {
        this.#free.push(sequence);
        const next = this.#waiting.shift();
        if (next) return next.start();
        if (this.#free.length === this.#total) this.#idle.splice(0).forEach((resolve) => resolve());
    }

    /** Resolves once no request is running. */
    idle() {
        if (this.#free.length === this.#total) return Promise.resolve();
        return new Promise((resolve) => this.#idle.push(resolve));
    }

    #take(prompt) {
        let best = this.#free[0];
        let longest = commonPrefix(best, prompt);
        for (const sequence of this.#free) {
            const length = commonPrefix(sequence, prompt);
            if (length > longest) [best, longest] = [sequence, length];
        }
        this.#free.splice(this.#free.indexOf(best), 1);
        return best;
    }

    #wait(prompt, signal) {
        return new Promise((resolve, reject) => {
            const leave = () => {
                this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
                reject(signal.reason);
            };
            const waiter = {
                start: () => {
                    signal.removeEventListener("abort", leave);
                    resolve(this.#take(prompt));
                }
            };
            signal.addEventListener("abort", leave, {once: true});
            this.#waiting.push(waiter);
        });
    }
}
