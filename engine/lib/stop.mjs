/** Cuts text at the first stop string, holding back only what could still become one. */
export class StopMatcher {
    #stops;
    #held = "";
    stopped = false;

    constructor(stops) {
        this.#stops = stops;
    }

    /** Takes new text, gives what may be shown now. */
    push(text) {
        if (this.#stops.length === 0) return text;
        const pending = this.#held + text;
        const cut = this.#firstStop(pending);
        this.stopped = cut >= 0;
        const shown = this.stopped ? cut : pending.length - this.#possibleStart(pending);
        this.#held = this.stopped ? "" : pending.slice(shown);
        return pending.slice(0, shown);
    }

    /** What was held back, once no more text comes. */
    flush() {
        const rest = this.#held;
        this.#held = "";
        return rest;
    }

    #firstStop(text) {
        const found = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
        return found.length ? Math.min(...found) : -1;
    }

    /** Length of the longest end of `text` that begins a stop string. */
    #possibleStart(text) {
        let longest = 0;
        for (const stop of this.#stops)
            for (let length = Math.min(stop.length - 1, text.length); length > longest; length--)
                if (text.endsWith(stop.slice(0, length))) longest = length;
        return longest;
    }
}
