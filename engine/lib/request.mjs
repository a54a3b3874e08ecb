// Reads and checks the bodies of the two completion routes.
import {randomInt} from "node:crypto";
import {Fields} from "./fields.mjs";
import {badRequest} from "./problem.mjs";

const kMaxStops = 16;

/** llama-server's. */
export const kDefaultSampling = {temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05};

// Fields that would change the answer but that this engine cannot honour, with the values that change nothing.
// Refusing them is better than measuring something else than was asked for.
const kNeutral = {
    n: [1], best_of: [1], echo: [false], suffix: [""], logprobs: [false, 0], top_logprobs: [0], n_probs: [0],
    presence_penalty: [0], frequency_penalty: [0], repeat_penalty: [1], logit_bias: [], grammar: [""],
    json_schema: [], response_format: [], tools: [], functions: []
};

/** What both routes share. */
function common(body) {
    const fields = new Fields(body);
    refuseUnsupported(fields);
    const streamOptions = new Fields(fields.object("stream_options"));
    return {
        stream: fields.boolean("stream", false),
        includeUsage: streamOptions.boolean("include_usage", false),
        timingsPerToken: fields.boolean("timings_per_token", false),
        cachePrompt: fields.boolean("cache_prompt", true),
        ignoreEos: fields.boolean("ignore_eos", false),
        maxTokens: maxTokens(fields),
        stop: stops(fields),
        sampling: sampling(fields)
    };
}

export function readChatRequest(body) {
    return {
        ...common(body),
        messages: messages(body.messages),
        variables: new Fields(body).object("chat_template_kwargs")
    };
}

export function readPlainRequest(body) {
    return {...common(body), prompt: prompt(body.prompt)};
}

function refuseUnsupported(fields) {
    for (const [name, neutral] of Object.entries(kNeutral)) {
        const value = fields.any(name);
        const empty = typeof value === "object" && (Object.keys(value).length === 0 || value.type === "text");
        if (value !== undefined && !empty && !neutral.includes(value))
            throw badRequest(`"${name}" is not supported by this engine`);
    }
}

/** Infinity: until the model ends or the context is full. */
function maxTokens(fields) {
    const given = ["max_completion_tokens", "max_tokens", "n_predict"]
        .map((name) => [name, fields.number(name, {least: -1, whole: true})])
        .find(([, value]) => value !== undefined);
    if (!given || given[1] === -1) return Infinity;
    if (given[1] === 0) throw badRequest(`"${given[0]}" must be at least 1, or -1 for no limit`);
    return given[1];
}

function stops(fields) {
    const value = fields.any("stop") ?? [];
    const list = Array.isArray(value) ? value : [value];
    if (list.length > kMaxStops || !list.every((stop) => typeof stop === "string" && stop !== ""))
        throw badRequest(`"stop" must be a string or a list of up to ${kMaxStops} strings, none empty`);
    return list;
}

function sampling(fields) {
    const seed = fields.number("seed", {least: -1, whole: true}) ?? -1;
    const topK = fields.number("top_k", {least: -1, most: 2 ** 31 - 1, whole: true});
    return {
        temperature: fields.number("temperature", {least: 0, most: 1000}) ?? kDefaultSampling.temperature,
        topP: fields.number("top_p", {least: 0, most: 1}) ?? kDefaultSampling.top_p,
        topK: Math.max(0, topK ?? kDefaultSampling.top_k),
        minP: fields.number("min_p", {least: 0, most: 1}) ?? kDefaultSampling.min_p,
        seed: seed === -1 ? randomInt(2 ** 32) : seed % 2 ** 32
    };
}

function messages(list) {
    if (!Array.isArray(list)) throw badRequest('"messages" must be a list');
    if (list.length === 0) throw badRequest('"messages" must not be empty');
    return list.map((message, i) => readMessage(message, `messages[${i}]`));
}

function readMessage(message, where) {
    if (message === null || typeof message !== "object" || Array.isArray(message))
        throw badRequest(`"${where}" must be an object`);
    if (typeof message.role !== "string" || message.role === "")
        throw badRequest(`"${where}.role" must be a string, not empty`);
    return {...message, content: content(message.content, `${where}.content`)};
}

function content(value, where) {
    if (typeof value === "string") return value;
    if (!Array.isArray(value)) throw badRequest(`"${where}" must be a string or a list of text parts`);
    return value.map((part, i) => partText(part, `${where}[${i}]`)).join("\n");
}

function partText(part, where) {
    if (part?.type !== "text") throw badRequest(`"${where}.type" must be "text"`);
    if (typeof part.text !== "string") throw badRequest(`"${where}.text" must be a string`);
    return part.text;
}

/** Text, a list of one text, or a list of token numbers. */
function prompt(value) {
    const single = Array.isArray(value) && value.length === 1 ? value[0] : value;
    if (typeof single === "string") return single;
    if (Array.isArray(value) && value.length > 0 && value.every(Number.isInteger)) return value;
    throw badRequest('"prompt" must be a string or a list of token numbers');
}
