// The JSON of answers, in the shape of OpenAI's interface as llama-server writes it.
import {randomUUID} from "node:crypto";

export function usage({prompt, timings}) {
    return {
        completion_tokens: timings.predicted,
        prompt_tokens: prompt.length,
        total_tokens: prompt.length + timings.predicted,
        prompt_tokens_details: {cached_tokens: timings.cached}
    };
}

class Reply {
    constructor(engine, idPrefix) {
        this.base = {
            created: Math.floor(Date.now() / 1000), id: idPrefix + randomUUID(), model: engine.name,
            system_fingerprint: engine.build
        };
    }

    /** The events that close a stream. */
    closing(result, includeUsage) {
        const last = {...this.finished(result.finish), timings: result.timings};
        if (!includeUsage) return [last];
        return [last, {...this.chunk([]), usage: usage(result), timings: result.timings}];
    }
}

export class ChatReply extends Reply {
    constructor(engine) {
        super(engine, "chatcmpl-");
    }

    chunk(choices) {
        return {choices, ...this.base, object: "chat.completion.chunk"};
    }

    #delta(delta, finish) {
        return this.chunk([{finish_reason: finish, index: 0, delta}]);
    }

    /** Sent with the first token, not before: a client's time to first event is then the time to first token. */
    opening() {
        return [this.#delta({role: "assistant", content: null}, null)];
    }

    piece(text) {
        return this.#delta({content: text}, null);
    }

    finished(finish) {
        return this.#delta({}, finish);
    }

    whole(content, result) {
        const choice = {finish_reason: result.finish, index: 0, message: {role: "assistant", content}};
        return {
            choices: [choice], ...this.base, object: "chat.completion", usage: usage(result), timings: result.timings
        };
    }
}

export class PlainReply extends Reply {
    constructor(engine) {
        super(engine, "cmpl-");
    }

    chunk(choices) {
        return {choices, ...this.base, object: "text_completion"};
    }

    opening() {
        return [];
    }

    piece(text, finish = null) {
        return this.chunk([{text, index: 0, logprobs: null, finish_reason: finish}]);
    }

    finished(finish) {
        return this.piece("", finish);
    }

    whole(text, result) {
        return {...this.piece(text, result.finish), usage: usage(result), timings: result.timings};
    }
}
