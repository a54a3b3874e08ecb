import {parseArgs} from "node:util";

export const usage = "usage: server.mjs --gguf FILE [--host 127.0.0.1] [--port 0] [--threads 0] [--ctx 0] " +
    "[--parallel 1] [--batch 512] [--flash-attention auto] [--mmap auto] [--mlock off] [--cache-type-k f16] " +
    "[--cache-type-v f16] [--alias NAME] [--exit-on-stdin-eof]";

const kMaxSlots = 64;
const kCacheTypes = ["f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1"];

function wholeNumber(values, name, least, most) {
    const value = Number(values[name]);
    if (!/^\d+$/.test(values[name]) || value < least || value > most)
        throw new Error(`--${name} must be a whole number from ${least} to ${most}`);
    return value;
}

function oneOf(values, name, known) {
    if (known.includes(values[name])) return values[name];
    throw new Error(`--${name} must be ${known.join(", ")}`);
}

/** As the library wants it: true, false or "auto". */
function switched(values, name, known) {
    const text = oneOf(values, name, known);
    return text === "auto" ? text : text === "on";
}

/** Reads the command line. --threads 0 and --ctx 0 mean "let the engine decide". Throws what is wrong. */
export function readArguments(args) {
    const {values} = parseArgs({
        args,
        options: {
            gguf: {type: "string"},
            host: {type: "string", default: "127.0.0.1"},
            port: {type: "string", default: "0"},
            threads: {type: "string", default: "0"},
            ctx: {type: "string", default: "0"},
            parallel: {type: "string", default: "1"},
            batch: {type: "string", default: "512"},
            "flash-attention": {type: "string", default: "auto"},
            mmap: {type: "string", default: "auto"},
            mlock: {type: "string", default: "off"},
            "cache-type-k": {type: "string", default: "f16"},
            "cache-type-v": {type: "string", default: "f16"},
            alias: {type: "string"},
            "exit-on-stdin-eof": {type: "boolean", default: false}
        }
    });
    if (!values.gguf) throw new Error("--gguf is missing");
    return {
        gguf: values.gguf,
        host: values.host,
        port: wholeNumber(values, "port", 0, 65535),
        threads: wholeNumber(values, "threads", 0, 1024),
        ctx: wholeNumber(values, "ctx", 0, 2 ** 24),
        parallel: wholeNumber(values, "parallel", 1, kMaxSlots),
        batch: wholeNumber(values, "batch", 1, 2 ** 20),
        flashAttention: switched(values, "flash-attention", ["on", "off", "auto"]),
        mmap: switched(values, "mmap", ["on", "off", "auto"]),
        mlock: switched(values, "mlock", ["on", "off"]),
        cacheTypeK: oneOf(values, "cache-type-k", kCacheTypes),
        cacheTypeV: oneOf(values, "cache-type-v", kCacheTypes),
        alias: values.alias,
        exitOnStdinEof: values["exit-on-stdin-eof"]
    };
}
